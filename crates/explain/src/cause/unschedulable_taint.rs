//! `unschedulable-taint`

use super::prelude::*;

const SAYS: [&str; 7] = [
    "podtoleratesnodetaints",
    "nodeunschedulable",
    "untolerated taint",
    "had taint",
    "had taints",
    "were unschedulable",
    "didn't tolerate",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    // Nearly every cluster keeps its control plane free by a taint; that alone is not what people look for.
    let Some((quote, weight, reasons)) =
        scheduling(case, &SAYS, &["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"])
    else {
        return;
    };
    let ill = ["not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "network-unavailable"];
    let ill = ill.into_iter().find(|taint| reasons.contains(&format!("node.kubernetes.io/{taint}")));
    let fresh = reasons.contains("node.cloudprovider.kubernetes.io/uninitialized");
    let summary = if let (Some(taint), true) = (ill, all_nodes(quote, &reasons)) {
        say!(
            case,
            "The nodes that would fit are not well ({taint}); Kubernetes sets that taint itself and removes it when they recover: {reasons}.",
            "本来合适的节点状态异常（{taint}）；该污点由 Kubernetes 自己设置，节点恢复后会自动移除：{reasons}。"
        )
    } else if fresh && all_nodes(quote, &reasons) {
        say!(
            case,
            "The nodes that would fit wait for the controller of the cloud to set them up (taint uninitialized): {reasons}.",
            "本来合适的节点还在等待云控制器完成初始化（uninitialized 污点）：{reasons}。"
        )
    } else if all_nodes(quote, &reasons) {
        say!(
            case,
            "Every node that would fit is cordoned or has a taint that the pod does not tolerate: {reasons}.",
            "本来合适的节点都被 cordon，或带有 Pod 不容忍的污点：{reasons}。"
        )
    } else {
        say!(
            case,
            "Nodes are cordoned or have a taint that the pod does not tolerate: {reasons}.",
            "有节点被 cordon，或带有 Pod 不容忍的污点：{reasons}。"
        )
    };
    found.push(case.candidate(Cause::UnschedulableTaint, Level::Pod, weight, High).quote(quote).say(summary).step(case.read_cluster(
        &["get", "nodes", "-o", "custom-columns=NAME:.metadata.name,CORDONED:.spec.unschedulable,TAINTS:.spec.taints"],
        say!(
            case,
            "Shows taints and cordons; not-ready and pressure taints go when the node recovers.",
            "显示污点和 cordon 状态；not-ready 与压力类污点会在节点恢复后消失。"
        ),
    )));
}
