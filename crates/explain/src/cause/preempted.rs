//! `preempted`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let target = case.pod.condition("DisruptionTarget").filter(|condition| {
        condition.status != "False"
            && (condition.reason == "PreemptionByScheduler"
                || condition.reason == "PreemptionByKubeScheduler"
                || condition.message.to_lowercase().contains("preempt"))
    });
    let refused = matches!(case.pod.reason.as_str(), "Preempting" | "Preempted");
    let event = case.event(&["Preempted", "Preempting"], None);
    if target.is_none() && !refused && event.is_none() {
        return;
    }
    let mut candidate = case.candidate(Cause::Preempted, Level::Pod, 94, High).ended(case);
    if refused {
        candidate = candidate.fact(Case::fact("/status/reason", format!("{}: {}", case.pod.reason, case.pod.message)));
    }
    if let Some(condition) = target {
        candidate =
            candidate.fact(Case::fact(condition.pointer.clone(), format!("DisruptionTarget {}: {}", condition.reason, condition.message)));
    }
    if let Some(event) = event {
        candidate = candidate.quote(&event_quote(event));
    }
    let summary = if refused {
        say!(
            case,
            "The kubelet removed the pod to make room for a critical pod (a static or system pod) on its node.",
            "kubelet 移除了该 Pod，以便为节点上的关键 Pod（静态或系统 Pod）腾出位置。"
        )
    } else {
        say!(
            case,
            "The scheduler removed the pod to make room for one of higher priority.",
            "调度器移除了该 Pod，以便为优先级更高的 Pod 腾出位置。"
        )
    };
    found.push(candidate.say(summary).step(case.read_cluster(
        &["get", "priorityclasses"],
        say!(
            case,
            "Shows which priorities there are; this pod's is in spec.priority.",
            "查看有哪些优先级；该 Pod 的优先级在 spec.priority 中。"
        ),
    )));
}
