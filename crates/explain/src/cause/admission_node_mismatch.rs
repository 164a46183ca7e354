//! `admission-node-mismatch`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let reason = case.pod.reason.as_str();
    if !matches!(
        reason,
        "NodeAffinity"
            | "NodeName"
            | "NodePorts"
            | "TaintToleration"
            | "MatchNodeSelector"
            | "HostName"
            | "PodFitsHostPorts"
            | "NodeUnschedulable"
            | "PodToleratesNodeTaints"
    ) {
        return;
    }
    let node = node_name(case);
    let message = shown(case.pod.message);
    let what = match reason {
        "NodePorts" | "PodFitsHostPorts" => say!(case, "a host port is taken", "主机端口已被占用"),
        "TaintToleration" | "NodeUnschedulable" | "PodToleratesNodeTaints" => say!(case, "a taint is not tolerated", "存在不容忍的污点"),
        "NodeName" | "HostName" => say!(case, "the node's name is another", "节点名不符"),
        _ => say!(case, "the node's labels do not fit its selector or affinity", "节点标签不符合其选择器或亲和性"),
    };
    let left_over = left_over(case);
    found.push(
        case.candidate(Cause::AdmissionNodeMismatch, Level::Pod, 96, High)
            .fact(Case::fact("/status/reason", format!("{reason}: {message}")))
            .say(say!(case, "The kubelet of the node{node} refused the pod: {what}. Usual after a change of labels, or when a kubelet restarts before its labels are set. {left_over}", "节点{node} 的 kubelet 拒绝了该 Pod：{what}。常见于标签变更之后，或 kubelet 重启而标签尚未就绪时。{left_over}"))
            .step(case.read_cluster(&["get", "node", case.pod.node, "--show-labels"], say!(case, "Shows the labels of the node now.", "显示节点现在的标签。")))
            .step(remove_left_over(case)),
    );
}
