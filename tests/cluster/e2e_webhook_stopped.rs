//! Never in the cluster's way.

use crate::webhook;
use anyhow::Result;
use insta::assert_snapshot;
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{SYSTEM, Testbed, until};
use podsight_tests::turns::Part;

#[test]
fn without_the_webhook_everything_is_applied() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(_node) = testbed.node(Kind::Machine) else { return Ok(()) };
    let (_webhook, namespace) = (testbed.disturbed(Part::Webhook)?, testbed.namespace("e2e-stopped")?);
    let scale = |replicas: &str| testbed.kubectl.run(&["scale", "-n", SYSTEM, "deployment/podsight-webhook", replicas]);
    webhook::wait_for_warnings(&namespace)?;
    scale("--replicas=0")?;
    until("the webhook is gone", || Ok(testbed.webhooks()?.is_empty().then_some(())))?;
    let said = namespace.apply(webhook::TINY);
    scale("--replicas=2")?;
    let rollout = ["rollout", "status", "-n", SYSTEM, "deployment/podsight-webhook", "--timeout=240s"];
    testbed.kubectl.run(&rollout)?;
    webhook::wait_for_warnings(&namespace)?;
    assert_snapshot!(said?, @r#"
    exit status: 0
    --- standard error
    --- standard output
    pod/tiny created
    "#);
    Ok(())
}
