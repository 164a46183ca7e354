//! Objects that are no pods.

use crate::{Confidence, Event, Explained, Input, explain};
use podsight_cause::{Cause, Lang};
use serde_json::{Value, json};

fn best(object: &Value) -> Explained {
    explain(&Input::new(object)).causes.remove(0)
}

fn node(conditions: &[Value]) -> Value {
    json!({"kind": "Node", "metadata": {"name": "w"}, "spec": {}, "status": {"conditions": conditions}})
}

#[test]
fn a_node_says_what_ails_it() {
    for (conditions, cause) in [
        (
            vec![
                json!({"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}),
            ],
            Cause::NodeUnreachable,
        ),
        (
            vec![
                json!({"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"}),
            ],
            Cause::SandboxFailed,
        ),
        (
            vec![json!({"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": "container runtime is down"})],
            Cause::RuntimeFailing,
        ),
        (
            vec![
                json!({"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure", "message": "kubelet has disk pressure"}),
                json!({"type": "Ready", "status": "True"}),
            ],
            Cause::NodePressure,
        ),
        (vec![json!({"type": "DiskPressure", "status": "False"}), json!({"type": "Ready", "status": "True"})], Cause::Healthy),
        (vec![], Cause::Unknown),
    ] {
        let found = best(&node(&conditions));
        assert_eq!(found.cause, cause, "{}", found.summary);
    }
    let mut cordoned = node(&[json!({"type": "Ready", "status": "True"})]);
    cordoned["spec"]["unschedulable"] = json!(true);
    assert_eq!(best(&cordoned).cause, Cause::UnschedulableTaint);
}

#[test]
fn a_claim_says_whether_it_has_a_volume() {
    let claim = |phase: &str| json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "n"}, "spec": {"storageClassName": "fast"}, "status": {"phase": phase}});
    assert_eq!(best(&claim("Pending")).cause, Cause::PvcUnbound);
    assert_eq!(best(&claim("Lost")).cause, Cause::PvcUnbound);
    assert_eq!(best(&claim("Bound")).cause, Cause::Healthy);
    let event = Event {
        kind: "PersistentVolumeClaim".into(),
        name: "data".into(),
        reason: "ProvisioningFailed".into(),
        message: "storageclass.storage.k8s.io \"fast\" not found".into(),
        ..Event::default()
    };
    let claim = claim("Pending");
    let found = explain(&Input { events: &[&event], ..Input::new(&claim) }).causes.remove(0);
    assert!(found.evidence.iter().any(|evidence| evidence.text.contains("not found")), "{found:?}");
}

#[test]
fn a_job_tells_its_own_deadline_from_the_failures_of_its_pods() {
    let job = |kind: &str, reason: &str| json!({"kind": "Job", "metadata": {"name": "j"}, "status": {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": "m"}]}});
    assert_eq!(best(&job("Failed", "DeadlineExceeded")).cause, Cause::DeadlineExceeded);
    assert_eq!(best(&job("Complete", "")).cause, Cause::Completed);
    let gave_up = best(&job("Failed", "BackoffLimitExceeded"));
    assert_eq!((gave_up.cause, gave_up.confidence), (Cause::Unknown, Confidence::Low));
    assert!(gave_up.summary.contains("backoffLimit"), "{}", gave_up.summary);
}

#[test]
fn what_makes_pods_says_how_many_it_has() {
    let deployment = |available: i64, conditions: Value| {
        json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"availableReplicas": available, "conditions": conditions}})
    };
    assert_eq!(best(&deployment(3, json!([]))).cause, Cause::Healthy);
    let short = best(&deployment(1, json!([])));
    assert!(short.cause == Cause::Unknown && short.summary.contains("1 of 3"), "{}", short.summary);
    assert!(short.next.iter().any(|step| step.command.contains("app=web")), "{:?}", short.next);
    let stuck = best(&deployment(
        1,
        json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "has timed out progressing"}]),
    ));
    assert!(stuck.summary.contains("has timed out progressing"), "{}", stuck.summary);
    let refused = best(&deployment(
        0,
        json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small"}]),
    ));
    assert!(refused.summary.contains("exceeded quota: small"), "{}", refused.summary);
    assert!(best(&json!({"kind": "ConfigMap", "metadata": {"name": "c"}})).summary.contains("makes none"));
}

#[test]
fn every_kind_answers_in_both_languages() {
    for kind in ["Node", "PersistentVolumeClaim", "Job", "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Service", "X y\u{1b}"] {
        for lang in [Lang::En, Lang::Zh] {
            let object = json!({"kind": kind, "metadata": {"name": "a"}, "spec": {"replicas": 1}, "status": {"phase": "Pending", "desiredNumberScheduled": 2,
                "conditions": [{"type": "Ready", "status": "Unknown"}, {"type": "Failed", "status": "True"}]}});
            let found = explain(&Input { lang, ..Input::new(&object) }).causes.remove(0);
            assert!(!found.summary.is_empty() && !found.evidence.is_empty());
            assert_eq!(found.summary.is_ascii(), lang == Lang::En && kind.is_ascii(), "{}", found.summary);
        }
    }
}
