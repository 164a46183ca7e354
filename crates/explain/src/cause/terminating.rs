//! `terminating`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if !case.pod.deleting || case.pod.over() {
        return;
    }
    let requested = match case.pod.deletion {
        Some(deletion) => say!(case, "grace ends {deletion}", "宽限期至 {deletion}"),
        // As `kubectl describe` prints it, without the time.
        None => say!(case, "deletion was requested", "已请求删除"),
    };
    let meta = case.pod.value.get_or_null("metadata");
    let finalizers = shown(&meta.list("finalizers").iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", "));
    let grace = meta.integer("deletionGracePeriodSeconds").unwrap_or(30);
    let running: Vec<&str> = case.pod.containers.iter().filter(|container| container.running).map(|container| container.name).collect();
    let still = shown(&running.join(", "));
    // A container that was already killed for it says more.
    let killed = case.verdicts().iter().any(|(_, verdict)| verdict.cause == Cause::StopGraceExceeded);
    let level = if killed { Level::Rest } else { Level::Pod };
    let mut candidate = case.candidate(Cause::Terminating, level, 60, High).fact(Case::fact("/metadata/deletionTimestamp", requested));
    let summary = if !finalizers.is_empty() && running.is_empty() {
        candidate = candidate.fact(Case::fact("/metadata/finalizers", finalizers.clone()));
        say!(
            case,
            "The pod is deleted and its containers have ended, but finalizers keep the object: {finalizers}. The controller that set them has to remove them.",
            "Pod 已删除且容器已结束，但 finalizer 保留了对象：{finalizers}。需由设置它们的控制器移除。"
        )
    } else if running.is_empty() {
        say!(
            case,
            "The pod is being deleted; its containers have ended, and volumes or the node's report are still missing.",
            "Pod 正在删除；容器已结束，还在等待卸载卷或节点的上报。"
        )
    } else {
        say!(
            case,
            "The pod is being deleted; {still} may still run for up to {grace}s of grace. After that, a node that does not answer is the usual reason.",
            "Pod 正在删除；{still} 最多还可运行 {grace} 秒宽限期。若超过，通常是节点没有响应。"
        )
    };
    found.push(candidate.of_some(case.only_container()).say(summary).step(case.read_cluster(
        &["get", "node", case.pod.node],
        say!(case, "A node that is NotReady cannot confirm the end.", "NotReady 的节点无法确认终止。"),
    )));
}
