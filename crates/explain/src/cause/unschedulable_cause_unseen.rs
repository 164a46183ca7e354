//! `unschedulable-cause-unseen`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if !case.unscheduled() {
        return;
    }
    let condition = case.pod.condition("PodScheduled");
    let failing = condition.is_some_and(|condition| condition.reason == "SchedulerError");
    let mut candidate = case.candidate(Cause::UnschedulableCauseUnseen, Level::Pod, 30, Medium);
    if let Some(condition) = condition {
        candidate = candidate.fact(Case::fact(
            condition.pointer.clone(),
            format!("PodScheduled {} {}: {}", condition.status, condition.reason, condition.message),
        ));
    } else {
        candidate = candidate.fact(Case::fact(
            "/status/conditions",
            say!(
                case,
                "no PodScheduled condition: no scheduler has looked at the pod yet",
                "没有 PodScheduled 条件：还没有调度器处理过该 Pod"
            ),
        ));
    }
    let scheduler = case.pod.spec.text("schedulerName");
    if !scheduler.is_empty() && scheduler != "default-scheduler" {
        candidate = candidate.fact(Case::fact("/spec/schedulerName", shown(scheduler)));
    }
    let other = Some(shown(scheduler)).filter(|name| condition.is_none() && !matches!(name.as_str(), "" | "default-scheduler"));
    let summary = if let Some(name) = other {
        say!(
            case,
            "The pod asks for the scheduler `{name}`, and none of that name has looked at it: it does not run, or the name is wrong.",
            "Pod 指定了调度器“{name}”，但没有这个名字的调度器处理过它：它没有运行，或名字写错了。"
        )
    } else if failing {
        say!(
            case,
            "The scheduler failed inside while it placed this pod; it tries again by itself.",
            "调度器在调度该 Pod 时内部出错，会自行重试。"
        )
    } else {
        say!(
            case,
            "The pod has not been given a node, and this input does not show why. The scheduler's event says it.",
            "Pod 还没有分配到节点，输入看不出原因。调度器的事件会说明。"
        )
    };
    let selector = format!("involvedObject.name={},reason=FailedScheduling", case.pod.name);
    found.push(
        candidate
            .say(summary)
            .step(
                case.read(
                    &["get", "events", "--field-selector", &selector],
                    say!(
                        case,
                        "Shows what the scheduler says of each node. No event at all: no scheduler of that name runs.",
                        "显示调度器对各节点的说明。若没有任何事件：没有运行该名字的调度器。"
                    ),
                )
                .filter(|_| !case.pod.name.is_empty()),
            )
            .step(case.read_cluster(
                &["get", "pods", "-n", "kube-system", "-l", "component=kube-scheduler"],
                say!(case, "Shows whether the scheduler runs.", "查看调度器是否在运行。"),
            )),
    );
}
