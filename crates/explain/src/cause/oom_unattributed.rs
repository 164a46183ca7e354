//! `oom-unattributed`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::OomUnattributed) {
        let name = named(case, killed.container);
        found.push(
            candidate
                .say(say!(case, "{name} was killed for want of memory, but nothing here shows whether its own limit, the pod's or the node's was reached. Do not raise a limit before that is known.", "{name} 因内存不足被杀，但看不出达到的是它自己的、Pod 的还是节点的上限。弄清之前不要调大上限。"))
                .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={.spec.resources} {.spec.containers[*].resources}"], say!(case, "Shows which limits there are at all.", "查看到底设置了哪些上限。")))
                .step(agent_evidence(case)),
        );
    }
    // A proof about the pod that no container could be named for.
    let told = case.verdicts().iter().any(|(_, verdict)| verdict.cause.group() == podsight_cause::Group::Memory);
    for proof in case.proofs.iter().filter(|proof| proof.container.is_empty() && !told) {
        let verdict = crate::killer::cause_of(proof, Some(137));
        if proof.container_id.is_some() && runs_known(case) {
            // A run that the status shows no more: it did not end those that it shows.
            found.push(
                case.candidate(verdict, Level::Rest, 60, Medium)
                    .facts(proof.evidence.clone())
                    .say(say!(
                        case,
                        "The kernel killed a process of an earlier run for memory. The last end is not of that run.",
                        "内核曾因内存不足杀死更早一次运行中的进程，与最近一次结束无关。"
                    ))
                    .step(agent_evidence(case)),
            );
            continue;
        }
        found.push(
            case.candidate(verdict, Level::Container(0), 60, Medium)
                .killer()
                .facts(proof.evidence.clone())
                .say(say!(
                    case,
                    "The kernel killed a process of this pod for memory; the container is no longer known.",
                    "内核因内存不足杀死了该 Pod 的一个进程；已无法得知是哪个容器。"
                ))
                .step(agent_evidence(case)),
        );
    }
}

/// Whether the status gives the ids of all runs that it shows.
fn runs_known(case: &Case<'_>) -> bool {
    let mut ran = case.pod.containers.iter().filter(|container| container.running || container.end().is_some()).peekable();
    ran.peek().is_some()
        && ran.all(|container| {
            let known = |end: &Option<End<'_>>| end.as_ref().is_none_or(|end| !end.container_id.is_empty());
            known(&container.ended) && known(&container.last) && (!container.running || !container.status.text("containerID").is_empty())
        })
}
