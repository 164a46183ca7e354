//! `post-start-hook-failed`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let mut named = Vec::new();
    for (killed, candidate) in killed(case, Cause::PostStartHookFailed) {
        named.push(killed.container.status_pointer.clone());
        found.push(explain(case, candidate, killed.container));
    }
    for (rank, container) in case.troubled() {
        if !container.waiting.starts_with("PostStartHookError") || named.contains(&container.status_pointer) {
            continue;
        }
        let mut candidate =
            case.candidate(Cause::PostStartHookFailed, Level::Container(rank), 97, High).of(container).killer().fact(Case::fact(
                format!("{}/state/waiting", container.status_pointer),
                format!("{}: {}", shown(container.waiting), shown(container.waiting_message)),
            ));
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        found.push(explain(case, candidate, container));
    }
}

fn explain(case: &Case<'_>, mut candidate: Candidate, container: &Container<'_>) -> Candidate {
    let name = named(case, container);
    let hook = container.spec.get_or_null("lifecycle").get_or_null("postStart");
    if hook.is_object() {
        candidate = candidate.fact(Case::fact(format!("{}/lifecycle/postStart", container.spec_pointer), shown(&hook.to_string())));
    }
    candidate
        .say(say!(case, "The postStart hook of {name} failed, so the kubelet killed the container; its exit code (often 137) says nothing and memory has no part in it. The hook runs beside the main process and may not count on it being ready.", "{name} 的 postStart 钩子失败，kubelet 因此杀死了容器；退出码（常为 137）不说明任何问题，也与内存无关。钩子与主进程同时运行，不能假定主进程已就绪。"))
        .step(case.pod_events(say!(case, "FailedPostStartHook says how the hook ended.", "FailedPostStartHook 会说明钩子是怎么结束的。")))
}
