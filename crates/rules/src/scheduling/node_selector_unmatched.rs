//! `node-selector-unmatched`

use super::{Unfit, selector, verdict};
use crate::facts::Node;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods whose `nodeSelector` or required node affinity matches no node of the cluster. It looks at the cluster's nodes, so it needs `--cluster` or the webhook with the right to
    /// list nodes.
    ///
    /// ## What happens without a change
    ///
    /// The pod waits: `Pending`, "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector". It goes on as soon as a node has the labels.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Node
    /// metadata: {name: worker-1, labels: {disktype: ssd}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   nodeSelector: {disktype: sdd}
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Node
    /// metadata: {name: worker-1, labels: {disktype: ssd}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   nodeSelector: {disktype: ssd}
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Where nodes bear the marks of an autoscaler or a node pool nothing is said: a node with the labels may come. DaemonSets, pods for other schedulers and gated pods are
    /// left alone.
    NodeSelectorUnmatched {
        id: "node-selector-unmatched", group: "scheduling", certainty: Likely, predicts: [UnschedulableNodeSelector],
        en: "a node selector or affinity that no node matches", zh: "没有节点匹配的节点选择器或亲和性", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let pod = subject.workload.pod;
    if pod.get("nodeSelector").is_none() && pod.get("affinity").is_none() {
        return;
    }
    let Some(verdict) = verdict(subject).filter(|verdict| verdict.unfit == Unfit::Selector) else { return };
    let ((what_en, what_zh), below) = wanted(subject, pod);
    let count = verdict.nodes;
    let (none_en, none_zh) = if count == 1 {
        ("the only node has not".to_owned(), "唯一的节点没有".to_owned())
    } else {
        (format!("none of {count} nodes has"), format!("{count} 个节点都没有"))
    };
    findings.push(
        Finding::new(rule, format!("{}{below}", subject.workload.pod_pointer))
            .saying(format!("Pending (Unschedulable): {none_en} {what_en}"), format!("Pending（Unschedulable）：{none_zh} {what_zh}"))
            .helped_by("label a node, or ask for a label that one has", "给节点打标签，或使用节点已有的标签"),
    );
}

/// What no node has, and where it is asked for: one label of the selector if it alone is enough, else the selector or the affinity.
fn wanted(subject: &Subject<'_>, pod: &Value) -> ((String, String), String) {
    let both = |text: String| (text.clone(), text);
    let labels = pod.get("nodeSelector").and_then(Value::as_object).into_iter().flatten();
    let alone = labels.filter_map(|(key, value)| Some((key, value.as_str()?))).find(|(key, value)| {
        let has = subject.facts.any_node(&mut |node: &Node| node.labels.get(*key).map(String::as_str) == Some(value));
        has == Some(false)
    });
    if let Some((key, value)) = alone {
        let below = format!("/nodeSelector/{}", key.replace('~', "~0").replace('/', "~1"));
        return (both(format!("{}={}", shown(key, 40), shown(value, 24))), below);
    }
    let affinity = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    let only_affinity = serde_json::json!({"affinity": pod.get("affinity")});
    let affinity_fails =
        pod.pointer(affinity).is_some() && subject.facts.any_node(&mut |node| selector::matches(&only_affinity, node)) == Some(false);
    if affinity_fails {
        let keys = pod.pointer(&format!("{affinity}/nodeSelectorTerms")).and_then(Value::as_array).into_iter().flatten();
        let expressions = keys.filter_map(|term| term.get("matchExpressions")).filter_map(Value::as_array).flatten();
        let mut parts: Vec<String> = expressions.map(expression).collect();
        let more = if parts.len() > 1 { " …" } else { "" };
        let what = if parts.is_empty() {
            ("that name".to_owned(), "这个名字".to_owned())
        } else {
            both(format!("{}{more}", parts.swap_remove(0)))
        };
        return (what, affinity.to_owned());
    }
    let below = if pod.get("nodeSelector").is_some() { "/nodeSelector" } else { "/affinity" };
    (("all the labels that are asked for".to_owned(), "全部所需的标签".to_owned()), below.to_owned())
}

fn expression(expression: &Value) -> String {
    let text = |field: &str| shown(expression.get(field).and_then(Value::as_str).unwrap_or_default(), 30);
    let values: Vec<&str> = expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    match text("operator").as_str() {
        "In" if values.len() == 1 => format!("{}={}", text("key"), shown(values.first().copied().unwrap_or_default(), 24)),
        operator if values.is_empty() => format!("{} {operator}", text("key")),
        operator => format!("{} {operator} ({})", text("key"), shown(&values.join(", "), 24)),
    }
}
