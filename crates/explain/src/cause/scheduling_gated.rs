//! `scheduling-gated`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let condition = case.pod.conditions.iter().find(|condition| condition.kind == "PodScheduled" && condition.reason == "SchedulingGated");
    let gates: Vec<&str> =
        case.pod.spec.list("schedulingGates").iter().map(|gate| gate.text("name")).filter(|name| !name.is_empty()).collect();
    if condition.is_none() && (gates.is_empty() || !case.unscheduled()) {
        return;
    }
    let names = shown(&gates.join(", "));
    let mut candidate = case.candidate(Cause::SchedulingGated, Level::Pod, 97, High);
    if let Some(condition) = condition {
        candidate = candidate.fact(Case::fact(condition.pointer.clone(), format!("SchedulingGated: {}", condition.message)));
    }
    if !gates.is_empty() {
        candidate = candidate.fact(Case::fact("/spec/schedulingGates", names.clone()));
    }
    found.push(
        candidate
            .say(say!(case, "The scheduler does not look at this pod until its gates are removed: {names}. Whoever set a gate (Kueue and the like) removes it.", "在门控被移除之前，调度器不会处理该 Pod：{names}。设置门控的组件（如 Kueue）会移除它。"))
            .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={.spec.schedulingGates} {.metadata.managedFields[*].manager}"], say!(case, "Shows the gates and who has written to the pod.", "显示门控以及写过该 Pod 的组件。"))),
    );
}
