//! `selector-mismatch`

use crate::admission::{refused, written};
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
    /// `matchExpressions` are not read. Silent without a selector and in patches.
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
    let pointer = match (workload.kind, workload.api_version) {
        ("Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet", "apps/v1") => "/spec/selector/matchLabels",
        ("ReplicationController", "v1") => "/spec/selector",
        _ => return,
    };
    let Some(selector) = workload.object.pointer(pointer).and_then(Value::as_object) else { return };
    let labels = workload.pod_metadata().and_then(|metadata| metadata.get("labels"));
    for (key, value) in selector {
        let label = labels.and_then(|labels| labels.get(key));
        if label == Some(value) || !value.is_string() || label.is_some_and(|label| !label.is_string()) {
            continue;
        }
        let (en, zh) = refused(subject);
        let pair = format!("{}={}", shown(key, 40), written(value));
        findings.push(
            Finding::new(rule, format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")))
                .saying(format!("{en}: the template has no label {pair}"), format!("{zh}：模板没有标签 {pair}"))
                .helped_by("give the template the labels of the selector", "让模板带上选择器的标签"),
        );
    }
}
