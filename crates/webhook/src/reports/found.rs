//! What is found in one object of the cluster. Values in, values out.

use crate::answer::made_by_controller;
use crate::config::{Here, Level};
use crate::facts::RequestFacts;
use crate::server::check;
use podsight_rules::Certainty;
use podsight_spec::workloads;
use serde_json::{Value, json};

/// One finding about one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Not certain; the certain ones come first.
    pub(super) is_only_likely: bool,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) container: Option<String>,
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) api_version: String,
    pub(super) uid: String,
}

/// The findings in an object, without those that the configuration turns off. Nothing about what runs no more, is going, or was made by a
/// controller from another object, which is looked at itself.
pub(super) fn found(object: &Value, policy: Here<'_>, facts: &RequestFacts<'_>) -> Vec<Found> {
    if made_by_controller(object) || is_over(object) {
        return Vec::new();
    }
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for workload in workloads(object) {
        for finding in check(&workload, facts) {
            if finding.certainty <= Certainty::Hint || policy.level(finding.rule) == Level::Off {
                continue;
            }
            let rule = finding.rule;
            let message = podsight_report::warning::warnings(&workload, std::slice::from_ref(&finding)).join("; ");
            all.push(Found {
                is_only_likely: finding.certainty < Certainty::Certain,
                kind: workload.kind.to_owned(),
                name: text("/metadata/name"),
                container: finding.container,
                rule,
                message,
                api_version: workload.api_version.to_owned(),
                uid: text("/metadata/uid"),
            });
        }
    }
    all
}

impl Found {
    /// As a result of a report; both kinds of reports have the same.
    pub(super) fn result(&self, namespace: &str) -> Value {
        let (result, severity, certainty) = if self.is_only_likely { ("warn", "medium", "likely") } else { ("fail", "high", "certain") };
        let mut properties = json!({"certainty": certainty});
        if let (Some(container), Some(properties)) = (&self.container, properties.as_object_mut()) {
            properties.insert("container".to_owned(), json!(podsight_rules::shown(container, 253)));
        }
        json!({
            "source": "podsight",
            "policy": "podsight",
            "rule": self.rule,
            "result": result,
            "severity": severity,
            "scored": true,
            "message": self.message,
            "properties": properties,
            "resources": [{"apiVersion": self.api_version, "kind": self.kind, "namespace": namespace, "name": self.name, "uid": self.uid}],
        })
    }
}

/// Whether nothing of it will run any more.
fn is_over(object: &Value) -> bool {
    let is_going = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    let phase = object.pointer("/status/phase").and_then(Value::as_str);
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let is_done = object.get("kind").and_then(Value::as_str) == Some("Job")
        && conditions.into_iter().flatten().any(|condition| {
            let text = |key: &str| condition.get(key).and_then(Value::as_str);
            matches!(text("type"), Some("Complete" | "Failed")) && text("status") == Some("True")
        });
    is_going || is_done || matches!(phase, Some("Succeeded" | "Failed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Policy;
    use crate::history::SharedHistory;
    use podsight_cluster::Cluster;

    fn of(object: &Value, policy: &Policy) -> Vec<Found> {
        let facts = RequestFacts { namespace: "shop", history: &SharedHistory::default(), cluster: &Cluster::new("default") };
        found(object, policy.within("shop", None), &facts)
    }

    fn pod(more: &Value) -> Value {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop", "uid": "u"},
            "spec": {"containers": [{"name": "main", "image": "example.com/a:1", "resources": {"limits": {"memory": "128"}}}]}});
        for (key, value) in more.as_object().unwrap() {
            pod[key] = value.clone();
        }
        pod
    }

    #[test]
    fn a_finding_is_a_result() {
        let found = of(&pod(&json!({})), &Policy::default());
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            found.result("shop"),
            json!({"source": "podsight", "policy": "podsight", "rule": "memory-tiny", "result": "fail", "severity": "high", "scored": true,
                "message": "Pod/a[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]",
                "properties": {"certainty": "certain", "container": "main"},
                "resources": [{"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "a", "uid": "u"}]})
        );
        let likely = Found { is_only_likely: true, container: None, ..found.clone() };
        let result = likely.result("shop");
        assert_eq!(
            (&result["result"], &result["severity"], &result["properties"]),
            (&json!("warn"), &json!("medium"), &json!({"certainty": "likely"}))
        );
        assert!(*found < likely, "the certain ones come first");
    }

    #[test]
    fn what_runs_no_more_or_was_turned_off_is_left() {
        assert_eq!(of(&pod(&json!({})), &Policy::from_levels([("memory-tiny", "off")])), []);
        let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "controller": true}]);
        for more in [
            json!({"metadata": {"name": "a", "ownerReferences": owner}}),
            json!({"metadata": {"name": "a", "deletionTimestamp": "2026-11-23T10:00:00Z"}}),
            json!({"status": {"phase": "Succeeded"}}),
            json!({"status": {"phase": "Failed"}}),
        ] {
            assert_eq!(of(&pod(&more), &Policy::default()), [], "{more}");
        }
        let job = |condition: &str, status: &str| {
            let conditions = json!([{"type": condition, "status": status}]);
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"template": {"spec": pod(&json!({}))["spec"]}},
                "status": {"conditions": conditions}})
        };
        assert_eq!(of(&job("Complete", "True"), &Policy::default()), []);
        assert_eq!(of(&job("Failed", "True"), &Policy::default()), []);
        assert_eq!(of(&job("Suspended", "True"), &Policy::default()).first().map(|found| found.rule), Some("memory-tiny"));
    }
}
