//! Ends that look like kills for memory and are none: somebody else sent the signal.

use crate::each::{self, Place};
use crate::evidence::{events, on, told};
use crate::hand;
use crate::storm::metrics;
use anyhow::Result;
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{items, text, until};
use serde_json::{Value, json};

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-silent", silent)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-silent", silent)
}

/// Does not go when it is told to.
const STUBBORN: &str = "trap : TERM; while true; do sleep 0.5; done";

fn silent(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    let before = verdicts(place, "before")?;
    place.create("outside", &["sh", "-c", STUBBORN])?;
    place.create("deleted", &["sh", "-c", STUBBORN])?;
    create_probed(place)?;
    let outside = place.namespace.until_pod("outside", "runs", |pod| text(pod, "/status/phase") == "Running")?;
    place.namespace.until_pod("deleted", "runs", |pod| text(pod, "/status/phase") == "Running")?;

    hand::run(place, "killer", &format!("kill -9 $(processes {} sh)", text(&outside, "/metadata/uid")))?;
    place.namespace.kubectl(&["delete", "pod", "deleted", "--wait=false"])?;

    // Who it was only the pod's Events tell, which the agent may not read: `podsight explain` does.
    for pod in ["outside", "probed"] {
        let pod = place.namespace.until_pod(pod, "has a verdict", |pod| on(pod).is_some())?;
        let evidence = on(&pod).unwrap_or_default();
        let main = evidence.pointer("/containers/main").cloned().unwrap_or_default();
        let of = |field: &str| main.get(field).cloned().unwrap_or_default();
        assert_eq!((of("kills"), of("visible"), of("verdict")), (json!(0), json!(true), json!("killer-unknown")), "{evidence:#}");
        let name = text(&pod, "/metadata/name");
        assert_eq!(text(&pod, "/status/containerStatuses/0/state/terminated/reason"), "Error", "{name}");
        // Neither the sentence nor the label: the kernel killed nobody.
        let told = told(place, name)?;
        assert_eq!(
            (told.pointer("/annotations/podsight.dev~1oom-killed"), told.pointer("/labels")),
            (None, Some(&Value::Null)),
            "{told:#}"
        );
        assert_eq!(items(&events(place, name)?), &[] as &[Value]);
    }
    // The pod is gone, and with it the place for a verdict; it is counted all the same.
    let mut tries = 0;
    until("the agent has judged all three ends", || {
        tries += 1;
        let after = verdicts(place, &format!("after-{tries}"))?;
        let more = |verdict: &str| after.get(verdict).copied().unwrap_or(0) - before.get(verdict).copied().unwrap_or(0);
        Ok((more("killer-unknown") >= 2 && more("stop-grace-exceeded") >= 1).then_some(()))
    })
}

fn verdicts(place: &Place<'_>, name: &str) -> Result<std::collections::BTreeMap<String, i64>> {
    metrics(place, name, r#"podsight_agent_verdicts_total{verdict=""#)
}

/// A container whose probe fails and that does not go by itself.
fn create_probed(place: &Place<'_>) -> Result<()> {
    place.namespace.create(
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probed"},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": place.node.name},
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
                "containers": [{
                    "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never", "command": ["sh", "-c", STUBBORN],
                    "livenessProbe": {"exec": {"command": ["false"]}, "failureThreshold": 1, "periodSeconds": 1},
                    "resources": {"limits": {"memory": "32Mi"}},
                }],
            },
        })
        .to_string(),
    )
}
