//! `completed`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let mains: Vec<_> = case.pod.containers.iter().filter(|container| container.role == Role::Main).collect();
    let done = !mains.is_empty()
        && mains.iter().all(|container| container.ended.as_ref().is_some_and(End::clean))
        && case.pod.restart_policy != "Always";
    if case.pod.phase != "Succeeded" && !done {
        serves_on(case, &mains, found);
        return;
    }
    let mut candidate = case.candidate(Cause::Completed, Level::Rest, 60, High).fact(Case::fact("/status/phase", case.pod.phase));
    if let Some(end) = mains.first().and_then(|container| container.ended.as_ref()) {
        candidate = candidate.end(end);
    }
    found.push(candidate.of_some(case.only_container()).say(say!(
        case,
        "The pod did its work and ended with code 0, as its restart policy expects.",
        "Pod 完成了工作并以退出码 0 结束，符合其重启策略的预期。"
    )));
}

/// The work is done, but a helper beside it runs on and keeps the pod.
fn serves_on(case: &Case<'_>, mains: &[&Container<'_>], found: &mut Vec<Candidate>) {
    let done = |container: &Container<'_>| container.ended.as_ref().is_some_and(End::clean);
    let whole = mains.iter().all(|container| done(container) || container.running);
    let (Some(worker), Some(helper)) = (mains.iter().find(|container| done(container)), mains.iter().find(|container| container.running))
    else {
        return;
    };
    if !whole || case.pod.restart_policy == "Always" || case.pod.deleting {
        return;
    }
    let (work, help) = (shown(worker.name), shown(helper.name));
    let mut candidate = case.candidate(Cause::Completed, Level::Rest, 55, Medium).of(worker);
    if let Some(end) = &worker.ended {
        candidate = candidate.end(end);
    }
    found.push(candidate.fact(Case::fact(format!("{}/state/running", helper.status_pointer), "running")).say(say!(
        case,
        "{work} did its work and ended with code 0; {help} runs on, so the pod is not over. A helper that is a sidecar (an init container with restartPolicy Always) is stopped when the work is done.",
        "{work} 已完成工作并以退出码 0 结束；{help} 仍在运行，所以 Pod 没有结束。写成 sidecar（restartPolicy 为 Always 的 init 容器）的辅助容器会在工作完成后被停止。"
    )));
}
