//! Levels of rules for some namespaces, and a configuration that breaks.

use crate::webhook;
use anyhow::{Context as _, Result, ensure};
use insta::assert_snapshot;
use podsight_testbed::description::Kind;
use podsight_tests::client::Client;
use podsight_tests::testbed::{SYSTEM, Testbed, shown, text, until};
use podsight_tests::turns::Part;
use serde_json::json;
use std::net::SocketAddr;

#[test]
fn a_rule_denies_in_one_namespace_and_a_broken_configuration_changes_nothing() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    // The file is a ConfigMap's, which only a kubelet brings to a program.
    let Some(_node) = testbed.node(Kind::Machine) else { return Ok(()) };
    let (_webhook, namespace, other) =
        (testbed.needed(Part::Webhook)?, testbed.namespace("e2e-policy")?, testbed.namespace("e2e-policy-other")?);
    let config = format!(
        "namespaces:\n- selector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}}\n  rules: {{memory-tiny: deny, image-invalid: off}}\n",
        namespace.name
    );
    let set = |config: &str| -> Result<()> {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "podsight-config", "namespace": SYSTEM},
            "data": {"config.yaml": config}});
        let file = namespace.file("config.json", &object.to_string())?;
        let said = testbed.kubectl.output(&["apply", "-f", &file])?;
        ensure!(said.status.success(), "{}", said.stderr);
        Ok(())
    };
    set(&config)?;
    let tiny = namespace.file("tiny.yaml", webhook::TINY)?;
    let create = || namespace.kubectl(&["create", "--dry-run=server", "-f", &tiny]);
    // The kubelet brings it within a minute or two, to one replica after the other.
    until("every replica denies", || {
        for _ in 0..8 {
            if create()?.status.success() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })?;
    let denied = shown(&namespace.kubectl(&["create", "-f", &tiny])?).replace(&namespace.folder_path(), "[folder]");
    assert_snapshot!(denied, "denied", @r#"
    exit status: 1
    --- standard error
    Warning: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    Error from server (Forbidden): error when creating "[folder]/tiny.yaml": admission webhook "validate.podsight.dev" denied the request: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    "#);
    // A rule that is off there, and one that only warns.
    let odd = webhook::TINY.replace("busybox:1", "Busybox:1").replace("memory: 128", "memory: 128Mi");
    assert_snapshot!(namespace.apply(&odd)?, "off", @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/tiny created
    "#);
    assert_snapshot!(other.apply(webhook::TINY)?, "another namespace", @r#"
    exit status: 0
    --- standard error
    Warning: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]
    --- standard output
    pod/tiny created
    "#);

    set("namespaces: [{selector: {")?;
    until("every replica saw the broken configuration", || {
        for pod in testbed.webhooks()? {
            let admin: SocketAddr = format!("{}:9090", text(&pod, "/status/podIP")).parse().context("the address of a webhook")?;
            let metrics = podsight_runtime::block_on(async { Client::plain(admin).await?.get("/metrics").await })??.body;
            if !metrics.lines().any(|line| line == "podsight_webhook_config_problems 1") {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })?;
    for _ in 0..8 {
        assert!(!create()?.status.success(), "what held before still holds");
    }
    testbed.kubectl.run(&["delete", "configmap", "podsight-config", "-n", SYSTEM])?;
    Ok(())
}
