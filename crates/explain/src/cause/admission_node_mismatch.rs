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
        "NodePorts" | "PodFitsHostPorts" => {
            say!(case, "a host port that it asks for is taken there by another pod", "它要求的主机端口已被该节点上的其他 Pod 占用")
        }
        "TaintToleration" | "PodToleratesNodeTaints" => say!(
            case,
            "the node has a taint that it does not tolerate. Usual where the taint came after the scheduler had chosen, or where spec.nodeName was set by hand",
            "节点上有它不容忍的污点。常见于调度完成之后才加污点，或手工设置了 spec.nodeName"
        ),
        "NodeUnschedulable" => say!(
            case,
            "the node is cordoned. Usual where that came after the scheduler had chosen, or where spec.nodeName was set by hand",
            "节点已被 cordon。常见于调度完成之后才 cordon，或手工设置了 spec.nodeName"
        ),
        "NodeName" | "HostName" => say!(case, "the node has another name than the pod asks for", "节点名与 Pod 的要求不符"),
        _ => say!(
            case,
            "the node's labels do not fit its selector or affinity. Usual after a change of labels, or when a kubelet restarts before its labels are set",
            "节点标签不符合其选择器或亲和性。常见于标签变更之后，或 kubelet 重启而标签尚未就绪时"
        ),
    };
    let step = match reason {
        "NodePorts" | "PodFitsHostPorts" => case.read_cluster(
            &[
                "get",
                "pods",
                "-A",
                "--field-selector",
                &format!("spec.nodeName={}", case.pod.node),
                "-o",
                "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.containers[*].ports[*].hostPort}{\"\\n\"}{end}",
            ],
            say!(case, "Shows which pod of the node holds which host port.", "列出该节点上各 Pod 占用的主机端口。"),
        ),
        "TaintToleration" | "NodeUnschedulable" | "PodToleratesNodeTaints" => case.read_cluster(
            &["get", "node", case.pod.node, "-o", "jsonpath={.spec.unschedulable} {.spec.taints}"],
            say!(case, "Shows the taints of the node now, and whether it is cordoned.", "显示节点现在的污点以及是否被 cordon。"),
        ),
        _ => case.read_cluster(
            &["get", "node", case.pod.node, "--show-labels"],
            say!(case, "Shows the labels of the node now.", "显示节点现在的标签。"),
        ),
    };
    let left_over = left_over(case);
    found.push(
        case.candidate(Cause::AdmissionNodeMismatch, Level::Pod, 96, High)
            .fact(Case::fact("/status/reason", format!("{reason}: {message}")))
            .say(say!(
                case,
                "The kubelet of the node{node} refused the pod: {what}. {left_over}",
                "节点{node}的 kubelet 拒绝了该 Pod：{what}。{left_over}"
            ))
            .step(step)
            .step(remove_left_over(case)),
    );
}
