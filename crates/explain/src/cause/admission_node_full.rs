//! `admission-node-full`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let reason = case.pod.reason.as_str();
    let resize = case.pod.condition("PodResizePending").filter(|condition| condition.status == "True");
    if let Some(condition) = resize.filter(|_| reason.is_empty()) {
        let infeasible = condition.reason == "Infeasible";
        let summary = if infeasible {
            say!(
                case,
                "The resize of the pod in place can never fit on its node; the pod runs on with its old resources.",
                "Pod 的原地资源调整在该节点上永远无法满足；Pod 继续以旧资源运行。"
            )
        } else {
            say!(
                case,
                "The resize of the pod in place waits for room on its node; the pod runs on with its old resources.",
                "Pod 的原地资源调整在等待节点腾出资源；Pod 继续以旧资源运行。"
            )
        };
        found.push(
            case.candidate(Cause::AdmissionNodeFull, Level::Container(0), 60, High)
                .fact(Case::fact(condition.pointer.clone(), format!("PodResizePending {}: {}", condition.reason, condition.message)))
                .say(summary)
                .step(case.read_cluster(
                    &["describe", "node", case.pod.node],
                    say!(case, "Shows what is free on the node.", "查看节点的空闲资源。"),
                )),
        );
    }
    let progress = case.pod.condition("PodResizeInProgress").filter(|condition| condition.reason == "Error" && reason.is_empty());
    if let Some(condition) = progress {
        let message = shown(condition.message);
        found.push(
            case.candidate(Cause::AdmissionNodeFull, Level::Container(0), 60, Medium)
                .fact(Case::fact(condition.pointer.clone(), format!("PodResizeInProgress Error: {}", condition.message)))
                .say(say!(
                    case,
                    "The node accepted the resize of the pod in place and cannot carry it out; the pod runs on with its old resources: {message}",
                    "节点接受了 Pod 的原地资源调整却无法完成；Pod 继续以旧资源运行：{message}"
                ))
                .step(case.read(
                    &["get", "pod", case.pod.name, "-o", "jsonpath={.spec.containers[*].resources} {.status.containerStatuses[*].resources}"],
                    say!(case, "Shows the resources that are asked for beside those that are in force.", "对照所要求的资源和实际生效的资源。"),
                )),
        );
    }
    let out_of = reason.strip_prefix("OutOf");
    if out_of.is_none() && reason != "UnexpectedAdmissionError" {
        return;
    }
    // Other words of this reason are faults of the kubelet's managers.
    let devices = case.pod_text(&["devices unavailable", "unregistered device", "no healthy devices", "allocate failed"]);
    let preempt = case.pod_text(&["preempt", "insufficient", "didn't have enough", "resources requested"]);
    let sure = out_of.is_some() || devices.is_some() || preempt.is_some();
    let node = node_name(case);
    let message = shown(case.pod.message);
    let mut candidate = case
        .candidate(Cause::AdmissionNodeFull, Level::Pod, if sure { 96 } else { 80 }, if sure { High } else { Medium })
        .fact(Case::fact("/status/reason", format!("{reason}: {message}")));
    let summary = match out_of {
        Some(resource) => {
            let resource = shown(resource);
            let left_over = left_over(case);
            say!(
                case,
                "When the pod arrived, the node{node} had no room left for its request of {resource}. Nothing was killed and no memory ran out: requests were full. {left_over}",
                "Pod 到达时，节点{node}已没有余量满足它对 {resource} 的请求。没有杀死任何进程，也不是内存耗尽：只是请求额度已满。{left_over}"
            )
        }
        None if devices.is_some() => say!(
            case,
            "When the pod arrived, the node{node} had no free device for it: all in use, or the device plugin was just restarting.",
            "Pod 到达时，节点{node}没有可用设备：已被占满，或设备插件正在重启。"
        ),
        None => say!(case, "The node{node} refused the pod on arrival: {message}", "Pod 到达时被节点{node}拒绝：{message}"),
    };
    if !case.pod.spec.text("nodeName").is_empty() && case.pod.condition("PodScheduled").is_none() {
        candidate = candidate.fact(Case::fact("/spec/nodeName", shown(case.pod.node)));
    }
    found.push(
        candidate
            .say(summary)
            .step(case.read_cluster(
                &["describe", "node", case.pod.node],
                say!(
                    case,
                    "\"Allocated resources\" shows what is taken, by static pods too.",
                    "“Allocated resources” 显示已占用的资源，包括静态 Pod。"
                ),
            ))
            .step(remove_left_over(case)),
    );
}
