//! `evicted-on-request`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let target = case
        .pod
        .condition("DisruptionTarget")
        .filter(|condition| condition.status != "False" && matches!(condition.reason, "EvictionByEvictionAPI" | "DeletionByTaintManager"));
    let event = case
        .event(&["TaintManagerEviction", "EvictedByVPA", "Descheduled"], None)
        .filter(|event| !event.message.to_lowercase().contains("cancelling"));
    if target.is_none() && event.is_none() {
        return;
    }
    let taint = target.is_some_and(|condition| condition.reason == "DeletionByTaintManager")
        || event.is_some_and(|event| event.reason == "TaintManagerEviction");
    let mut candidate = case.candidate(Cause::EvictedOnRequest, Level::Pod, 92, if target.is_some() { High } else { Medium }).ended(case);
    if let Some(condition) = target {
        candidate =
            candidate.fact(Case::fact(condition.pointer.clone(), format!("DisruptionTarget {}: {}", condition.reason, condition.message)));
    }
    if let Some(event) = event {
        candidate = candidate.quote(&event_quote(event));
    }
    let node = node_name(case);
    let summary = if taint {
        say!(
            case,
            "The pod was removed from the node{node} because of a NoExecute taint that it does not tolerate.",
            "节点{node}上有 Pod 不容忍的 NoExecute 污点，Pod 因此被移除。"
        )
    } else {
        say!(
            case,
            "The pod was removed on purpose through the eviction API: a drain, an autoscaler or a descheduler. Its exit code is only the result.",
            "Pod 是通过驱逐 API 被主动移除的：节点排空、自动伸缩器或 descheduler。退出码只是结果。"
        )
    };
    found.push(candidate.say(summary).step(case.read_cluster(
        &["get", "node", case.pod.node, "-o", "jsonpath={.spec.unschedulable} {.spec.taints}"],
        say!(case, "Shows whether the node is cordoned or tainted.", "查看节点是否被 cordon 或带有污点。"),
    )));
}
