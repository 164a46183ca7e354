//! `completed`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let mains: Vec<_> = case.pod.containers.iter().filter(|container| container.role == Role::Main).collect();
    let done = !mains.is_empty()
        && mains.iter().all(|container| container.ended.as_ref().is_some_and(End::clean))
        && case.pod.restart_policy != "Always";
    if case.pod.phase != "Succeeded" && !done {
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
