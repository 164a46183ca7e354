//! `node-pressure`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let evicted = case.pod.reason == "Evicted";
    let target = case
        .pod
        .condition("DisruptionTarget")
        .filter(|condition| condition.status != "False" && condition.reason == "TerminationByKubelet");
    let own = case.pod_text(super::evicted_own_storage_limit::SAYS).is_some();
    let quote = case.pod_text(&["node was low on resource", "the node had condition", "node had conditions"]).or_else(|| {
        // The kubelet could not write down what it had given to the pod.
        case.pod_text(&["no space left on device"]).filter(|_| case.pod.reason == "UnexpectedAdmissionError")
    });
    if !own && (evicted || quote.is_some()) && (evicted || target.is_some() || case.pod.over() || case.pod.deletion.is_some()) {
        let resource = quote
            .and_then(|quote| quote.between("low on resource: ", "."))
            .or_else(|| quote.and_then(|quote| quote.between("condition: [", "]")))
            .map(shown)
            .unwrap_or_default();
        let user = quote.and_then(|quote| quote.between("container ", " was using")).map(str::to_owned);
        let container = user.as_deref().and_then(|name| case.pod.containers.iter().find(|container| container.name == name));
        let mut candidate =
            case.candidate(Cause::NodePressure, Level::Pod, 93, if quote.is_some() { High } else { Medium }).ended(case).of_some(container);
        if evicted {
            candidate = candidate.fact(Case::fact("/status/reason", "Evicted"));
        }
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        if let Some(condition) = target {
            candidate = candidate.fact(Case::fact(condition.pointer.clone(), format!("DisruptionTarget {}", condition.reason)));
        }
        let node = node_name(case);
        let what = if resource.is_empty() { String::new() } else { say!(case, " of {resource}", "（{resource}）") };
        let summary = if quote.is_some() {
            say!(
                case,
                "The node{node} ran short{what}, and the kubelet evicted or refused this pod. Pods that use more than they request go first: a request near the real use protects.",
                "节点{node} 资源不足{what}，kubelet 驱逐或拒绝了该 Pod。用量超过请求的 Pod 先被驱逐：把请求设得接近实际用量即可受到保护。"
            )
        } else {
            candidate = candidate.against(say!(
                case,
                "The message is missing: a limit of the pod's own gives the same reason.",
                "缺少消息文本：Pod 自己的存储上限也会给出同样的原因。"
            ));
            say!(
                case,
                "The kubelet evicted the pod from the node{node}, probably because the node ran short of something; the message that says of what is missing.",
                "kubelet 把 Pod 从节点{node} 驱逐，很可能是节点资源不足；说明是哪种资源的消息缺失。"
            )
        };
        found.push(candidate.say(summary).step(case.read_cluster(
            &["describe", "node", case.pod.node],
            say!(case, "Shows the pressure conditions and what the other pods use.", "查看压力状况以及其他 Pod 的用量。"),
        )));
    }
    for (rank, container) in case.troubled() {
        let Some(quote) = case.text(container, &["no space left on device", "disk quota exceeded", "enospc"]) else { continue };
        let node = node_name(case);
        let mut candidate = case.candidate(Cause::NodePressure, Level::Container(rank), 95, High).of(container).quote(quote);
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        found.push(
            candidate
                .say(say!(
                    case,
                    "A disk is full: the node's{node}, or a volume that the program writes to.",
                    "磁盘已满：节点{node} 的磁盘，或程序写入的某个卷。"
                ))
                .step(
                    case.read_cluster(
                        &["get", "--raw", &format!("/api/v1/nodes/{}/proxy/stats/summary", case.pod.node)],
                        say!(
                            case,
                            "Shows how full the node's file systems and each pod's volumes are.",
                            "查看节点文件系统和各 Pod 卷的使用量。"
                        ),
                    )
                    .filter(|_| !case.pod.node.is_empty()),
                ),
        );
    }
}
