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
    if !own && (evicted || quote.is_some()) && (evicted || target.is_some() || case.pod.over() || case.pod.deleting) {
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
        let refused = quote.is_some_and(|quote| quote.has(&["the node had condition", "no space left on device"]));
        let summary = if refused {
            let what = if resource.is_empty() { say!(case, "its disk is full", "磁盘已满") } else { resource };
            say!(
                case,
                "The node{node} was under pressure already when the pod arrived ({what}), and the kubelet refused it: no new pod starts there until that is over.",
                "Pod 到达时节点{node}已处于压力状态（{what}），kubelet 因此拒绝了它：在压力解除之前，该节点不会启动新的 Pod。"
            )
        } else if quote.is_some() {
            let what = if resource.is_empty() { String::new() } else { say!(case, " of {resource}", "（{resource}）") };
            let advice = advice(case, &resource);
            say!(
                case,
                "The node{node} ran short{what}, and the kubelet evicted this pod. {advice}",
                "节点{node}资源不足{what}，kubelet 驱逐了该 Pod。{advice}"
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
                "kubelet 把 Pod 从节点{node}驱逐，很可能是节点资源不足；说明是哪种资源的消息缺失。"
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
        // The program's own words may be about a volume of its own.
        let own = quote.source == Source::Pod
            && container.end().is_some_and(|end| quote.pointer.starts_with(&end.pointer) && end.life().is_some());
        let mut candidate =
            case.candidate(Cause::NodePressure, Level::Container(rank), 95, if own { Medium } else { High }).of(container).quote(quote);
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        if own {
            candidate = candidate.against(say!(
                case,
                "A volume or a quota of the program's own that is full gives the same words.",
                "程序自己的卷或配额写满时也会这样报错。"
            ));
        }
        found.push(
            candidate
                .say(say!(
                    case,
                    "A disk is full: the node's{node}, or a volume that the program writes to.",
                    "磁盘已满：节点{node}的磁盘，或程序写入的某个卷。"
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

/// What helps against a want of this resource, in the words of the eviction manager.
fn advice(case: &Case<'_>, resource: &str) -> String {
    match resource {
        "inodes" => say!(
            case,
            "Inodes are used up by many small files, on whichever pod: more space does not help, fewer files do.",
            "inode 是被大量小文件用尽的，可能出自任何 Pod：增加空间没有用，要减少文件数量。"
        ),
        "pids" => say!(
            case,
            "Process ids are used up by programs that start too many processes or threads, in whichever pod; a limit for each pod is podPidsLimit of the kubelet.",
            "进程号被启动过多进程或线程的程序用尽，可能出自任何 Pod；kubelet 的 podPidsLimit 可限制每个 Pod。"
        ),
        _ => say!(
            case,
            "Pods that use more than they request go first: a request near the real use protects.",
            "用量超过请求的 Pod 先被驱逐：把请求设得接近实际用量即可受到保护。"
        ),
    }
}
