//! `init-not-finished`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if case.pod.deleting || case.pod.over() {
        return;
    }
    let working = case.pod.containers.iter().find(|container| match container.role {
        Role::Init => {
            container.running
                || (container.is_waiting
                    && case.pod.containers.iter().any(|other| other.role == Role::Init && (other.running || other.ended.is_some())))
        }
        Role::Sidecar => container.running && !container.status.is_true("started"),
        Role::Main | Role::Ephemeral => false,
    });
    let Some(container) = working.filter(|container| container.last.is_none() || container.running) else { return };
    let name = named(case, container);
    let rank = case.troubled().find(|(_, other)| other.status_pointer == container.status_pointer).map_or(0, |(rank, _)| rank);
    let failed_before = container.last.as_ref().is_some_and(|end| !end.clean());
    found.push(
        case.candidate(Cause::InitNotFinished, Level::Container(rank), if failed_before { 30 } else { 76 }, if container.running { High } else { Medium })
            .of(container)
            .fact(Case::fact(format!("{}/state", container.status_pointer), if container.running { say!(case, "running", "运行中") } else { say!(case, "waiting", "等待中") }))
            .say(say!(case, "The init container {name} is still at work; the main containers wait for it. If it takes too long, it waits for something itself.", "init 容器 {name} 还在工作，主容器在等它。如果时间过长，说明它自己也在等待什么。"))
            .step(case.read(&["logs", case.pod.name, "-c", container.name, "--tail=50"], say!(case, "Shows what it waits for.", "查看它在等什么。"))),
    );
}
