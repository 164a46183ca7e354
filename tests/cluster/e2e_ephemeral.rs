//! Containers that are added to a pod that runs.

use crate::webhook;
use anyhow::Result;
use insta::assert_snapshot;
use podsight_tests::testbed::{Testbed, shown};
use podsight_tests::turns::Part;

#[test]
fn a_debugger_is_judged_and_the_rest_of_the_pod_is_no_news() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-ephemeral")?);
    assert_snapshot!(namespace.apply(webhook::TINY)?, "the pod", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    pod/tiny created
    "#);
    let debug = |container: &str, settings: &str| -> Result<String> {
        let settings = namespace.file("settings.json", settings)?;
        let image = ["--image=podsight.test/busybox:1", "--profile=general", "--custom", &settings, "--container", container];
        Ok(shown(&namespace.kubectl(&[&["debug", "tiny"], &image[..], &["--", "sleep", "60"]].concat())?))
    };
    let broken = r#"{"securityContext": {"runAsNonRoot": true, "runAsUser": 0}}"#;
    assert_snapshot!(debug("broken", broken)?, "a broken debugger", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/tiny[broken]: runAsNonRoot forbids runAsUser 0: CreateContainerConfigError [root-contradiction]
    --- standard output
    "#);
    assert_snapshot!(debug("sound", "{}")?, "a sound debugger", @r#"
    exit status: 0
    --- standard error
    --- standard output
    "#);
    Ok(())
}
