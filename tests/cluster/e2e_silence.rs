//! What is not asked for is not said.

use crate::webhook;
use anyhow::Result;
use insta::assert_snapshot;
use podsight_tests::testbed::{Testbed, shown};
use podsight_tests::turns::Part;
use serde_json::json;

/// A deployment with a warning, and no pods.
const TINY_DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: tiny, labels: {round: first}}
spec:
  replicas: 0
  selector: {matchLabels: {app: tiny}}
  template:
    metadata: {labels: {app: tiny}}
    spec:
      containers:
      - name: main
        image: podsight.test/busybox:1
        resources: {limits: {memory: 128}}
";

#[test]
fn an_update_that_leaves_the_pods_as_they_are() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-update")?);
    assert_snapshot!(namespace.apply(TINY_DEPLOYMENT)?, "created", @r#"
    exit status: 0
    --- standard error
    Warning: Deployment/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    deployment.apps/tiny created
    "#);
    assert_snapshot!(namespace.apply(&TINY_DEPLOYMENT.replace("round: first", "round: second"))?, "another label", @r#"
    exit status: 0
    --- standard error
    --- standard output
    deployment.apps/tiny configured
    "#);
    assert_snapshot!(shown(&namespace.kubectl(&["scale", "deployment", "tiny", "--replicas=0"])?), "the same scale", @r#"
    exit status: 0
    --- standard error
    --- standard output
    deployment.apps/tiny scaled
    "#);
    assert_snapshot!(namespace.apply(&TINY_DEPLOYMENT.replace("spec:\n  replicas", "spec:\n  revisionHistoryLimit: 3\n  replicas"))?, "another setting", @r#"
    exit status: 0
    --- standard error
    --- standard output
    deployment.apps/tiny configured
    "#);
    // The same mistake once more is no news, a new one is.
    let other = TINY_DEPLOYMENT.replace("busybox:1\n", "Busybox:1\n");
    assert_snapshot!(namespace.apply(&other)?, "another mistake", @r#"
    exit status: 0
    --- standard error
    Warning: Deployment/tiny[main]: InvalidImageName: "podsight.test/Busybox:1" has upper case in Busybox [image-invalid]
    --- standard output
    deployment.apps/tiny configured
    "#);
    Ok(())
}

#[test]
fn a_namespace_that_is_switched_off() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let _webhook = testbed.needed(Part::Webhook)?;
    let namespace = testbed.labelled_namespace("e2e-disabled", &json!({"podsight.dev/admission": "disabled"}))?;
    assert_snapshot!(namespace.apply(webhook::TINY)?, @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/tiny created
    "#);
    Ok(())
}

#[test]
fn a_rule_that_is_switched_off() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-ignore")?);
    let pod = |name: &str, ignore: &str| {
        webhook::TINY
            .replace("{name: tiny}", &format!("{{name: {name}, annotations: {{podsight.dev/ignore: '{ignore}'}}}}"))
            .replace("busybox:1", "Busybox:1")
    };
    assert_snapshot!(namespace.apply(&pod("none", ""))?, "nothing switched off", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/none[main]: InvalidImageName: "podsight.test/Busybox:1" has upper case in Busybox [image-invalid]
    Warning: Pod/none[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    pod/none created
    "#);
    assert_snapshot!(namespace.apply(&pod("one", "memory-tiny"))?, "one of two", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/one[main]: InvalidImageName: "podsight.test/Busybox:1" has upper case in Busybox [image-invalid]
    --- standard output
    pod/one created
    "#);
    assert_snapshot!(namespace.apply(&pod("both", "memory-tiny,image-invalid"))?, "both", @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/both created
    "#);
    assert_snapshot!(namespace.apply(&pod("all", "all"))?, "all", @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/all created
    "#);
    Ok(())
}

#[test]
fn pods_of_an_owner_that_was_judged() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-owned")?);
    let owned = |version: &str, kind: &str| {
        let owner =
            format!("[{{apiVersion: {version}, kind: {kind}, name: a, uid: 00000000-0000-0000-0000-000000000000, controller: true}}]");
        webhook::TINY.replace("{name: tiny}", &format!("{{name: tiny, ownerReferences: {owner}}}"))
    };
    let said = |manifest: &str| -> Result<String> {
        let file = namespace.file("owned.yaml", manifest)?;
        // The garbage collector would take a pod away whose owner is not there.
        Ok(shown(&namespace.kubectl(&["create", "--dry-run=server", "-f", &file])?))
    };
    assert_snapshot!(said(&owned("apps/v1", "ReplicaSet"))?, "Kubernetes' own controller", @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/tiny created (server dry run)
    "#);
    assert_snapshot!(said(&owned("example.com/v1", "Fleet"))?, "somebody else's controller", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    pod/tiny created (server dry run)
    "#);
    Ok(())
}
