//! `selector-mismatch`

use crate::admission::{refused, text, written};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `selector` that does not match the labels of the object's own pod template.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object: "`selector` does not match template `labels`".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: wbe}}
    ///     spec:
    ///       containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent in patches, and without a selector, where `field-missing` speaks.
    SelectorMismatch {
        id: "selector-mismatch", group: "admission", certainty: Certain, predicts: [],
        en: "a selector that does not match the template's labels", zh: "选择器与模板标签不匹配", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let workload = subject.workload;
    if workload.is_partial() {
        return;
    }
    let (pointer, is_map) = match (workload.kind, workload.api_version) {
        ("Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet", "apps/v1") => ("/spec/selector/matchLabels", false),
        ("ReplicationController", "v1") => ("/spec/selector", true),
        _ => return,
    };
    let labels = workload.pod_metadata().and_then(|metadata| metadata.get("labels"));
    let (en, zh) = refused(subject);
    for (key, value) in workload.object.pointer(pointer).and_then(Value::as_object).into_iter().flatten() {
        let label = labels.and_then(|labels| labels.get(key));
        if label == Some(value) || !value.is_string() || label.is_some_and(|label| !label.is_string()) {
            continue;
        }
        let pair = format!("{}={}", shown(key, 40), written(value));
        findings.push(
            Finding::new(rule, format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")))
                .saying(format!("{en}: the template has no label {pair}"), format!("{zh}：模板没有标签 {pair}"))
                .helped_by("give the template the labels of the selector", "让模板带上选择器的标签"),
        );
    }
    let expressions = workload.object.pointer("/spec/selector/matchExpressions").filter(|_| !is_map).and_then(Value::as_array);
    for (number, expression) in expressions.into_iter().flatten().enumerate() {
        let key = text(expression, "key").unwrap_or_default();
        let label = labels.and_then(|labels| labels.get(key));
        if label.is_some_and(|label| !label.is_string()) || matches(expression, label.and_then(Value::as_str)) {
            continue;
        }
        let what = format!("{} {}", shown(key, 40), shown(text(expression, "operator").unwrap_or_default(), 12));
        findings.push(
            Finding::new(rule, format!("/spec/selector/matchExpressions/{number}"))
                .saying(format!("{en}: the template's labels do not fit {what}"), format!("{zh}：模板的标签不符合 {what}"))
                .helped_by("give the template labels that the selector matches", "让模板的标签符合选择器"),
        );
    }
}

/// Whether an expression of a label selector matches (`k8s.io/apimachinery/pkg/labels` `Requirement.Matches`). What cannot be read is taken for a match.
fn matches(expression: &Value, label: Option<&str>) -> bool {
    let values = expression.get("values").and_then(Value::as_array);
    let Some(values) = values.map_or(Some(Vec::new()), |values| values.iter().map(Value::as_str).collect::<Option<Vec<_>>>()) else {
        return true;
    };
    match text(expression, "operator") {
        Some("In") => label.is_some_and(|label| values.contains(&label)),
        Some("NotIn") => label.is_none_or(|label| !values.contains(&label)),
        Some("Exists") => label.is_some(),
        Some("DoesNotExist") => label.is_none(),
        _ => true,
    }
}
