//! A node that runs out of memory. Only in the guest: this machine has other work to do.

use crate::each::{self, Place};
use crate::evidence::{agree, main_of, on};
use anyhow::{Context as _, Result};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::text;
use serde_json::{Value, json};

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-memory-out", memory_out)
}

fn memory_out(place: &Place<'_>) -> Result<()> {
    // Nobody else is to be the victim, or to be slow.
    let _agent = place.agent_disturbed()?;
    place.namespace.create(
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "greedy"},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": place.node.name}, "restartPolicy": "Never",
                "containers": [{
                    "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never", "command": ["/memory-eater", "65536"],
                }],
            },
        })
        .to_string(),
    )?;
    let pod = place.namespace.until_pod("greedy", "has evidence of an end that the API shows", |pod| {
        on(pod).is_some_and(|evidence| main_of(&evidence, "visible") == Some(&json!(true))) && text(pod, "/status/phase") == "Failed"
    })?;
    let evidence = on(&pod).context("there is evidence")?;
    let of = |field| main_of(&evidence, field).cloned().unwrap_or_default();
    assert_eq!(
        (of("kills"), of("scope"), of("limit"), of("verdict")),
        (json!(1), json!("node"), Value::Null, json!("oom-node")),
        "{evidence:#}"
    );
    let kills = agree(place, "greedy")?;
    let logged = kills.first().context("the log has the kill")?;
    let field = |name: &str| logged.get(name).cloned().unwrap_or_default();
    assert_eq!((field("constraint"), field("scope"), field("limit_cgroup")), (json!("CONSTRAINT_NONE"), json!("node"), Value::Null));
    assert_eq!(place.testbed.agent(&place.node.name)?.pointer("/status/containerStatuses/0/ready"), Some(&json!(true)));
    Ok(())
}
