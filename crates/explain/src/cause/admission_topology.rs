//! `admission-topology`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let reason = case.pod.reason.as_str();
    let text = case.pod_text(&["topology locality", "smt alignment error"]);
    if !matches!(reason, "TopologyAffinityError" | "SMTAlignmentError" | "EmptyPodSharedPoolError") && text.is_none() {
        return;
    }
    let node = node_name(case);
    let message = shown(case.pod.message);
    let mut candidate =
        case.candidate(Cause::AdmissionTopology, Level::Pod, 96, High).fact(Case::fact("/status/reason", format!("{reason}: {message}")));
    for container in case.pod.containers.iter().filter(|container| container.role == Role::Main) {
        let cpu = container.spec.get_or_null("resources").get_or_null("requests").text("cpu");
        if !cpu.is_empty() {
            candidate = candidate.fact(Case::fact(format!("{}/resources/requests/cpu", container.spec_pointer), cpu));
        }
    }
    let summary = if reason == "SMTAlignmentError" {
        say!(
            case,
            "The node{node} gives whole CPU cores only, and the pod asks for a number that is no multiple of the threads of a core.",
            "节点{node}只按整核分配 CPU，而 Pod 请求的数量不是每核线程数的整数倍。"
        )
    } else {
        say!(
            case,
            "The NUMA policy of the node{node} cannot give the pod its CPUs, memory or devices in one place. The scheduler does not know that, so a controller may make such pods without end.",
            "节点{node}的 NUMA 策略无法在同一处为 Pod 提供 CPU、内存或设备。调度器不了解这一点，控制器可能会不断创建这样的 Pod。"
        )
    };
    found.push(
        candidate.say(summary).step(
            case.read_cluster(
                &["get", "--raw", &format!("/api/v1/nodes/{}/proxy/configz", case.pod.node)],
                say!(case, "Shows the topology and CPU manager policies of the kubelet.", "显示 kubelet 的拓扑和 CPU 管理策略。"),
            )
            .filter(|_| !case.pod.node.is_empty()),
        ),
    );
}
