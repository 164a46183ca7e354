//! `unschedulable-node-selector`

use super::prelude::*;

const SAYS: [&str; 6] = [
    "matchnodeselector",
    "hostname.",
    "didn't match pod's node affinity",
    "didn't match node selector",
    "didn't match the requested node name",
    "didn't match node affinity",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let Some((quote, weight, reasons)) = scheduling(case, &SAYS, &[]) else { return };
    let mut candidate = case
        .candidate(Cause::UnschedulableNodeSelector, Level::Pod, weight, if all_nodes(quote, &reasons) { High } else { Medium })
        .quote(quote);
    let selector = case.pod.spec.get_or_null("nodeSelector");
    let mut words = Vec::new();
    if let Some(labels) = selector.as_object().filter(|labels| !labels.is_empty()) {
        words = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        candidate = candidate.fact(Case::fact("/spec/nodeSelector", shown(&words.join(", "))));
    }
    let affinity =
        case.pod.spec.get_or_null("affinity").get_or_null("nodeAffinity").get_or_null("requiredDuringSchedulingIgnoredDuringExecution");
    if affinity.is_object() {
        candidate = candidate
            .fact(Case::fact("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution", shown(&affinity.to_string())));
    }
    let step = if words.is_empty() {
        case.read_cluster(&["get", "nodes", "--show-labels"], say!(case, "Shows the labels that the nodes have.", "显示各节点的标签。"))
    } else {
        case.read_cluster(
            &["get", "nodes", "-l", &words.join(",")],
            say!(
                case,
                "Shows the nodes that the selector asks for: none is the answer \"no such label\".",
                "列出选择器要求的节点：若为空，说明没有这样的标签。"
            ),
        )
    };
    let summary = if all_nodes(quote, &reasons) {
        say!(case, "No node has the labels that the pod asks for: {reasons}.", "没有节点带有 Pod 要求的标签：{reasons}。")
    } else {
        say!(case, "Some nodes lack the labels that the pod asks for: {reasons}.", "部分节点没有 Pod 要求的标签：{reasons}。")
    };
    found.push(candidate.say(summary).step(step));
}
