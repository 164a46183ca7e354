//! `healthy`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let mains = || case.pod.containers.iter().filter(|container| matches!(container.role, Role::Main | Role::Sidecar));
    let runs = mains().next().is_some() && mains().all(|container| container.running && container.ready);
    let gated = case.pod.condition("Ready").is_some_and(|condition| condition.status == "False");
    if !runs || gated || case.pod.deleting || !matches!(case.pod.phase, "Running" | "") {
        return;
    }
    let restarts: i64 = mains().map(|container| container.restarts.max(0)).fold(0, i64::saturating_add);
    let mut candidate = case.candidate(Cause::Healthy, Level::Rest, 50, High).fact(Case::fact("/status/phase", "Running"));
    let summary = if restarts > 0 {
        candidate = candidate.against(say!(case, "There were {restarts} restarts.", "曾经重启 {restarts} 次。"));
        say!(case, "All containers run and are ready now.", "所有容器现在都在运行且已就绪。")
    } else {
        say!(case, "All containers run and are ready, and nothing here shows a failure.", "所有容器都在运行且已就绪，没有任何失败迹象。")
    };
    let redefined = mains().find_map(|container| Some((container, crate::killer::redefined(case, container, container.end()?)?)));
    let Some((container, event)) = redefined else {
        found.push(candidate.say(summary));
        return;
    };
    let name = named(case, container);
    found.push(candidate.of(container).quote(&event_quote(event)).say(say!(
        case,
        "All containers run and are ready. The kubelet restarted {name} because its definition in the spec was changed, such as its image: that is no failure.",
        "所有容器都在运行且已就绪。kubelet 重启 {name} 是因为规约中的定义（例如镜像）被修改，并非故障。"
    )));
}
