//! `restart-all-rule`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let mut done = false;
    for (killed, candidate) in killed(case, Cause::RestartAllRule) {
        done = true;
        found.push(explain(case, candidate, &named(case, killed.container)));
    }
    for (rank, container) in case.troubled().filter(|(_, container)| !done && container.waiting == "RestartingAllContainers") {
        let candidate = case
            .candidate(Cause::RestartAllRule, Level::Container(rank), 95, High)
            .of(container)
            .killer()
            .fact(Case::fact(format!("{}/state/waiting/reason", container.status_pointer), "RestartingAllContainers"));
        found.push(explain(case, candidate, &named(case, container)));
    }
}

fn explain(case: &Case<'_>, mut candidate: Candidate, name: &str) -> Candidate {
    let trigger = case
        .pod
        .containers
        .iter()
        .find(|container| container.end().is_some_and(|end| end.reason != "RestartingAllContainers" && !end.clean()));
    if let Some((container, end)) = trigger.and_then(|container| Some((container, container.end()?))) {
        candidate = candidate
            .fact(Case::fact(end.pointer.clone(), format!("{}: {}", shown(container.name), crate::candidate::describe(end, case.lang))));
    }
    candidate
        .say(say!(case, "A restart rule of the pod restarted all containers in place, {name} among them, after one had ended. 137 is the kubelet's mark: nothing was killed for memory.", "Pod 的重启规则在某个容器结束后原地重启了全部容器，包括 {name}。137 是 kubelet 写的标记：没有因内存被杀。"))
        .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={.spec.containers[*].restartPolicyRules}"], say!(case, "Shows the rules and the exit codes that they act on.", "显示这些规则以及触发它们的退出码。")))
}
