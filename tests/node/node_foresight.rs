//! What was foretold at `kubectl apply` comes true.

use crate::each::{self, Place};
use anyhow::Result;
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{items, text, until};
use podsight_tests::turns::Part;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-foresight", foresight)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-foresight", foresight)
}

fn foresight(place: &Place<'_>) -> Result<()> {
    let _webhook = place.testbed.needed(Part::Webhook)?;
    let tiny = json!({"resources": {"limits": {"memory": "128"}}});
    foretold(place, "tiny", "memory-tiny", ("hangs in ContainerCreating", "FailedCreatePodSandBox"), &tiny)?;
    foretold(place, "image", "image-invalid", ("InvalidImageName", "InvalidImageName"), &json!({"image": "podsight.test/Busybox:1"}))?;
    let root = json!({"securityContext": {"runAsNonRoot": true, "runAsUser": 0}});
    foretold(place, "root", "root-contradiction", ("CreateContainerConfigError", "CreateContainerConfigError"), &root)
}

/// Applies a pod with these settings of its container: the one warning is this rule's and says `warned`, and the pod comes to `reason`.
fn foretold(place: &Place<'_>, name: &str, rule: &str, (warned, reason): (&str, &str), settings: &Value) -> Result<()> {
    let mut container = json!({"name": "main", "image": "podsight.test/busybox:1", "command": ["sleep", "3600"]});
    if let (Some(container), Some(settings)) = (container.as_object_mut(), settings.as_object()) {
        container.extend(settings.clone());
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": place.node.name}, "terminationGracePeriodSeconds": 1,
            // A volume in memory would fail first.
            "automountServiceAccountToken": false, "containers": [container],
        },
    });
    let said = place.namespace.apply(&pod.to_string())?;
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("Warning: ")).collect();
    let is_foretold = matches!(warnings.as_slice(), [one] if one.contains(warned) && one.ends_with(&format!("[{rule}]")));
    assert!(is_foretold, "{said}");
    let mut seen = BTreeSet::new();
    let came = until(&format!("pod/{name} comes to {reason}"), || {
        let pod = place.namespace.get(&["pod", name])?;
        seen.insert(text(&pod, "/status/containerStatuses/0/state/waiting/reason").to_owned());
        let events = place.namespace.get(&["events", "--field-selector", &format!("involvedObject.name={name}")])?;
        seen.extend(items(&events).iter().map(|event| text(event, "/reason").to_owned()));
        Ok(seen.contains(reason).then_some(()))
    });
    came.map_err(|error| error.context(format!("it came to {seen:?}")))
}
