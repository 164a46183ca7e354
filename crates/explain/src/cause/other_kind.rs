//! What an object that is no pod says of itself: a node, a claim, a Job, or what makes pods.

use super::prelude::*;
use crate::pod::Condition;

/// What the object itself shows; nothing where only its pods can tell.
pub(super) fn find(case: &Case<'_>, kind: &str) -> Option<Candidate> {
    match kind {
        "Node" => node(case),
        "PersistentVolumeClaim" => claim(case),
        "Job" => job(case),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController" | "DaemonSet" => workload(case, kind),
        _ => None,
    }
}

fn truth<'c, 'a>(case: &'c Case<'a>, kind: &str, status: &str) -> Option<&'c Condition<'a>> {
    case.pod.condition(kind).filter(|condition| condition.status == status)
}

fn said(condition: &Condition<'_>) -> String {
    let words = [condition.kind, condition.status, condition.reason].into_iter().filter(|word| !word.is_empty());
    format!("{}: {}", words.collect::<Vec<_>>().join(" "), shown(condition.message))
}

fn answer(case: &Case<'_>, verdict: Cause, confidence: crate::Confidence, condition: &Condition<'_>, summary: String) -> Candidate {
    case.candidate(verdict, Level::Rest, 60, confidence).fact(Case::fact(condition.pointer.clone(), said(condition))).say(summary)
}

fn node(case: &Case<'_>) -> Option<Candidate> {
    let name = shown(case.pod.name);
    let steps = |candidate: Candidate| {
        candidate.step(case.read_cluster(
            &["get", "pods", "-A", "-o", "wide", "--field-selector", &format!("spec.nodeName={}", case.pod.name)],
            say!(case, "Shows the pods of the node.", "列出该节点上的 Pod。"),
        ))
    };
    if let Some(condition) = truth(case, "Ready", "Unknown") {
        let summary = say!(
            case,
            "The control plane hears nothing of the node {name} any more: it is down, cut off, or its kubelet has stopped. Its pods are evicted after a while (300s by default).",
            "控制平面已收不到节点 {name} 的消息：节点宕机、断网，或 kubelet 已停止。一段时间后（默认 300 秒）其上的 Pod 会被驱逐。"
        );
        return Some(steps(answer(case, Cause::NodeUnreachable, High, condition, summary)));
    }
    if let Some(condition) = truth(case, "Ready", "False") {
        let words = shown(condition.message);
        let lower = condition.message.to_lowercase();
        let network = ["networkpluginnotready", "network not ready", "cni"].iter().any(|needle| lower.contains(needle));
        let summary = if network {
            say!(
                case,
                "The node {name} is not ready because its network plugin is missing or not ready: {words}",
                "节点 {name} 未就绪，因为网络插件缺失或未就绪：{words}"
            )
        } else {
            say!(case, "The node {name} is not ready; its kubelet says: {words}", "节点 {name} 未就绪；kubelet 的说明：{words}")
        };
        let verdict = if network { Cause::SandboxFailed } else { Cause::RuntimeFailing };
        return Some(steps(answer(case, verdict, if network { High } else { Medium }, condition, summary)));
    }
    let pressed = ["MemoryPressure", "DiskPressure", "PIDPressure"].into_iter().find_map(|kind| truth(case, kind, "True"));
    if let Some(condition) = pressed {
        let what = condition.kind;
        let summary = say!(
            case,
            "The node {name} is short of something ({what}): it evicts pods and takes no new ones until that is over.",
            "节点 {name} 资源紧张（{what}）：在解除之前，它会驱逐 Pod 且不再接受新的 Pod。"
        );
        return Some(steps(answer(case, Cause::NodePressure, High, condition, summary)));
    }
    let ready = truth(case, "Ready", "True")?;
    let cordoned = case.pod.spec.is_true("unschedulable");
    let summary = if cordoned {
        say!(
            case,
            "The node {name} is ready and cordoned: it takes no new pods until kubectl uncordon.",
            "节点 {name} 已就绪但被 cordon：在 kubectl uncordon 之前不接受新的 Pod。"
        )
    } else {
        say!(case, "The node {name} is ready, and nothing in its status shows a failure.", "节点 {name} 已就绪，状态中没有任何失败迹象。")
    };
    let verdict = if cordoned { Cause::UnschedulableTaint } else { Cause::Healthy };
    Some(steps(answer(case, verdict, High, ready, summary)))
}

fn claim(case: &Case<'_>) -> Option<Candidate> {
    let name = shown(case.pod.name);
    let class = case.pod.spec.text("storageClassName");
    let (verdict, summary) = match case.pod.phase {
        "Pending" => {
            let of = if class.is_empty() {
                String::new()
            } else {
                let class = shown(class);
                say!(case, " of class {class}", "（存储类 {class}）")
            };
            (
                Cause::PvcUnbound,
                say!(
                    case,
                    "The claim {name}{of} has no volume yet: its class is missing or waits for the first pod (WaitForFirstConsumer), no volume fits, or the provisioner does not work. Its events say which.",
                    "声明 {name}{of} 还没有绑定到卷：存储类不存在，或在等待第一个 Pod（WaitForFirstConsumer）；没有合适的卷；或 provisioner 没有工作。它的事件会说明是哪一种。"
                ),
            )
        }
        "Lost" => (
            Cause::PvcUnbound,
            say!(
                case,
                "The volume that the claim {name} was bound to is gone, and its data with it.",
                "声明 {name} 所绑定的卷已不存在，数据也随之丢失。"
            ),
        ),
        "Bound" => (Cause::Healthy, say!(case, "The claim {name} is bound to a volume.", "声明 {name} 已绑定到卷。")),
        _ => return None,
    };
    let mut candidate = case.candidate(verdict, Level::Rest, 60, High).fact(Case::fact("/status/phase", case.pod.phase));
    if !class.is_empty() {
        candidate = candidate.fact(Case::fact("/spec/storageClassName", shown(class)));
    }
    if let Some(event) = case.event(&["ProvisioningFailed", "FailedBinding", "WaitForFirstConsumer", "ExternalProvisioning"], None) {
        candidate = candidate.quote(&event_quote(event));
    }
    Some(candidate.say(summary).step(case.read(
        &["describe", "pvc", case.pod.name],
        say!(case, "Its events say why no volume was made.", "它的事件会说明为什么没有创建卷。"),
    )))
}

fn job(case: &Case<'_>) -> Option<Candidate> {
    let name = shown(case.pod.name);
    if let Some(condition) = truth(case, "Complete", "True").or_else(|| truth(case, "SuccessCriteriaMet", "True")) {
        return Some(answer(
            case,
            Cause::Completed,
            High,
            condition,
            say!(case, "The Job {name} has done its work.", "Job {name} 已完成。"),
        ));
    }
    let condition = truth(case, "Failed", "True").or_else(|| truth(case, "FailureTarget", "True"))?;
    let (verdict, summary) = match condition.reason {
        "DeadlineExceeded" => (
            Cause::DeadlineExceeded,
            say!(
                case,
                "The Job {name} ran longer than its activeDeadlineSeconds, so its pods were deleted.",
                "Job {name} 的运行时间超过了 activeDeadlineSeconds，其 Pod 已被删除。"
            ),
        ),
        "BackoffLimitExceeded" | "FailedIndexes" | "MaxFailedIndexesExceeded" => (
            Cause::Unknown,
            say!(
                case,
                "The pods of the Job {name} failed more often than its backoffLimit allows, so it gave up: the cause is in the status of its pods, as long as they are kept.",
                "Job {name} 的 Pod 失败次数超过了 backoffLimit，因此已放弃：原因在它的 Pod 的状态里（前提是 Pod 还保留着）。"
            ),
        ),
        _ => {
            let words = shown(condition.message);
            (Cause::Unknown, say!(case, "The Job {name} has failed: {words}", "Job {name} 已失败：{words}"))
        }
    };
    let confidence = if verdict == Cause::Unknown { Low } else { High };
    Some(answer(case, verdict, confidence, condition, summary))
}

/// What makes pods and keeps them is well where as many are available as were asked for.
fn workload(case: &Case<'_>, kind: &str) -> Option<Candidate> {
    let status = case.pod.status;
    let (wanted, available) = if kind == "DaemonSet" {
        (status.integer("desiredNumberScheduled")?, status.integer("numberAvailable").unwrap_or_default())
    } else {
        (
            case.pod.spec.integer("replicas")?,
            status.integer("availableReplicas").or_else(|| status.integer("readyReplicas")).unwrap_or_default(),
        )
    };
    let name = shown(case.pod.name);
    let refused = truth(case, "ReplicaFailure", "True").is_some() || case.event(&["FailedCreate"], None).is_some();
    if refused || status.as_object().is_none_or(serde_json::Map::is_empty) {
        return None;
    }
    let stuck = truth(case, "Progressing", "False");
    let (verdict, confidence, summary) = if let Some(condition) = stuck {
        let words = shown(condition.message);
        (
            Cause::Unknown,
            Low,
            say!(
                case,
                "The rollout of {kind} {name} is stuck with {available} of {wanted} pods available ({words}): the cause is in the status of its newest pods.",
                "{kind} {name} 的发布停滞，{wanted} 个 Pod 中有 {available} 个可用（{words}）：原因在它最新的 Pod 的状态里。"
            ),
        )
    } else if available >= wanted {
        (
            Cause::Healthy,
            High,
            say!(case, "{kind} {name} has all of its {wanted} pods available.", "{kind} {name} 的 {wanted} 个 Pod 全部可用。"),
        )
    } else {
        (
            Cause::Unknown,
            Low,
            say!(
                case,
                "{kind} {name} has {available} of {wanted} pods available: the cause is in the status of the others.",
                "{kind} {name} 的 {wanted} 个 Pod 中有 {available} 个可用：原因在其余 Pod 的状态里。"
            ),
        )
    };
    let mut candidate = case
        .candidate(verdict, Level::Rest, 60, confidence)
        .fact(Case::fact("/status", say!(case, "{available} of {wanted} available", "{wanted} 个中 {available} 个可用")));
    if let Some(condition) = stuck {
        candidate = candidate.fact(Case::fact(condition.pointer.clone(), said(condition)));
    }
    Some(candidate.say(summary))
}
