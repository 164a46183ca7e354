//! Rules about what the API server refuses: the object itself, or later its pods.

pub(crate) mod duplicate_name;
pub(crate) mod field_missing;
pub(crate) mod field_unknown;
pub(crate) mod limit_range_violated;
pub(crate) mod missing_priority_class;
pub(crate) mod missing_runtime_class;
pub(crate) mod missing_service_account;
pub(crate) mod mount_without_volume;
pub(crate) mod name_rejected;
pub(crate) mod path_rejected;
pub(crate) mod pod_security_violated;
pub(crate) mod port_rejected;
pub(crate) mod privilege_contradiction;
pub(crate) mod probe_rejected;
pub(crate) mod quantity_invalid;
pub(crate) mod quota_violated;
pub(crate) mod request_over_limit;
pub(crate) mod restart_policy_rejected;
pub(crate) mod selector_mismatch;
pub(crate) mod value_not_a_list;
pub(crate) mod value_not_text;
pub(crate) mod value_unknown;

mod fields;

use crate::facts::RefKind;
use crate::missing::Missing;
use crate::reference::references;
use crate::rule::Subject;
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::Workload;
use serde_json::Value;

/// Who refuses it: the API server knows the pod templates of its own kinds and checks them at once; those of others it sees as pods.
fn refused(subject: &Subject<'_>) -> (&'static str, &'static str) {
    let workload = subject.workload;
    let group = workload.api_version.split('/').next().unwrap_or_default();
    if matches!(group, "v1" | "apps" | "batch" | "extensions") {
        ("refused by the API server", "API 服务器会拒绝")
    } else {
        ("no pod is made (FailedCreate)", "无法创建 Pod（FailedCreate）")
    }
}

/// Who refuses what the API server checks of pods alone: a Pod is refused when it is applied, a template's pods are when a controller makes them.
fn pod_refused(subject: &Subject<'_>) -> (&'static str, &'static str) {
    if subject.workload.is_pod() {
        ("refused by the API server", "API 服务器会拒绝")
    } else {
        ("no pod (FailedCreate)", "无法创建 Pod（FailedCreate）")
    }
}

/// The items of a list.
fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (usize, &'a Value)> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A value as it stands in the object, for a message.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text, 24),
        other => shown(&other.to_string(), 24),
    }
}

/// Whether a value still waits to be filled in: `${NAME}`, `<name>`, `{{ name }}`, `$$name$$`, `REPLACE_ME`. The file is no manifest yet, and the API server
/// says so at once if it is applied all the same.
fn is_placeholder(value: &str) -> bool {
    let marked = value.contains(['$', '<', '{', '%']);
    let shouted = value.bytes().any(|byte| byte.is_ascii_uppercase()) && !value.bytes().any(|byte| byte.is_ascii_lowercase());
    marked || shouted
}

/// Whether the object's pod is surely one of Kubernetes: kinds of others have fields of their own.
fn is_pod_template(workload: &Workload<'_>) -> bool {
    matches!(
        workload.kind,
        "Pod"
            | "ReplicationController"
            | "ReplicaSet"
            | "Deployment"
            | "StatefulSet"
            | "DaemonSet"
            | "Job"
            | "CronJob"
            | "PodTemplate"
            | "Rollout"
            | "DeploymentConfig"
    )
}

/// A finding where the pod refers to an object of the kind that does not exist.
fn absent(rule: &dyn Rule, subject: &Subject<'_>, kind: RefKind) -> Option<Finding> {
    if !subject.facts.knows_objects() {
        return None;
    }
    let reference = references(subject.workload, subject.containers).into_iter().find(|reference| reference.kind == kind)?;
    if kind == RefKind::PriorityClass && matches!(reference.name, "system-node-critical" | "system-cluster-critical") {
        return None;
    }
    // Every namespace is given this one a moment after it is made.
    if kind == RefKind::ServiceAccount && reference.name == "default" {
        return None;
    }
    let missing = Missing::of(subject.facts.object(kind, subject.workload.namespace, reference.name))?;
    let (name, kind) = (shown(reference.name, 40), kind.name());
    let (en, zh) = missing.words();
    let similar = missing.similar;
    let help = match similar {
        Some(similar) => {
            (format!("there is {}: did you mean that?", shown(&similar, 60)), format!("有 {}：是否想用它？", shown(&similar, 60)))
        }
        None => (format!("create the {kind}"), format!("创建这个 {kind}")),
    };
    let finding = Finding::new(rule, reference.pointer);
    Some(
        finding
            .saying(
                format!("no pod is made (FailedCreate): {kind} {name} {en}"),
                format!("无法创建 Pod（FailedCreate）：{kind} {name} {zh}"),
            )
            .helped_by(help.0, help.1),
    )
}
