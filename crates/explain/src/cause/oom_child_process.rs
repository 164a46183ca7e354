//! `oom-child-process`

use super::prelude::*;

/// The counter of cgroup v2, or else v1.
const COUNTER: &str = "cat /sys/fs/cgroup/memory.events || cat /sys/fs/cgroup/memory/memory.oom_control";

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::OomChildProcess) {
        let name = named(case, killed.container);
        let code = killed.end.code.map_or_else(|| "?".to_owned(), |code| code.to_string());
        let mut candidate = candidate.say(say!(
            case,
            "The kernel killed a child process in {name} for memory; the main process was not killed and ended by itself with {code}.",
            "内核因内存不足杀死了 {name} 中的一个子进程；主进程没有被杀，随后自行以 {code} 结束。"
        ));
        if let Some(limit) = killed.container.memory_limit() {
            candidate = candidate.fact(Case::fact(format!("{}/resources/limits/memory", killed.container.spec_pointer), limit));
        }
        if killed.verdict.confidence != High {
            candidate = candidate.against(say!(
                case,
                "Told from the flag OOMKilled with a code that is not 137; the flag can also be left from an earlier kill.",
                "这是由 OOMKilled 加非 137 的退出码推断的；该标记也可能来自更早的一次杀死。"
            ));
        }
        found.push(
            candidate
                .step(case.logs(
                    killed.container,
                    say!(case, "The main process often reports how its child ended.", "主进程常会报告子进程是怎么结束的。"),
                ))
                .step(agent_evidence(case)),
        );
    }
    living(case, found);
}

/// Kills under a main process that runs on: nothing else in Kubernetes shows them.
fn living(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for proof in &case.proofs {
        let container = case.pod.containers.iter().find(|container| container.name == proof.container);
        let Some(container) = container.filter(|container| container.running && (container.last.is_none() || proof.visible == Some(false)))
        else {
            continue;
        };
        let verdict = crate::killer::cause_of(proof, None);
        let name = named(case, container);
        let kills = proof.kills;
        let limit = proof
            .limit
            .as_deref()
            .or_else(|| container.memory_limit())
            .map(shown)
            .map_or_else(String::new, |limit| say!(case, " of {limit}", " {limit}"));
        let (processes, children) = match kills {
            1 => ("a process".to_owned(), "a child process".to_owned()),
            _ => (format!("{kills} processes"), format!("{kills} child processes")),
        };
        let rank = case.troubled().find(|(_, other)| other.status_pointer == container.status_pointer).map_or(usize::MAX, |(rank, _)| rank);
        let summary = match verdict {
            Cause::OomNode => say!(
                case,
                "The node ran out of memory, and the kernel killed {processes} inside {name} while the container ran on: READY and RESTARTS show nothing of it.",
                "节点内存耗尽，内核在 {name} 中杀死了 {kills} 个进程，而容器仍在运行：READY 和 RESTARTS 完全看不出来。"
            ),
            Cause::OomPodLimit => say!(
                case,
                "The pod reached its memory limit{limit}, and the kernel killed {processes} inside {name} while the container ran on: READY and RESTARTS show nothing of it.",
                "Pod 达到内存上限{limit}，内核在 {name} 中杀死了 {kills} 个进程，而容器仍在运行：READY 和 RESTARTS 完全看不出来。"
            ),
            // The whole container at once (`memory.oom.group`), or the status is late.
            Cause::OomContainerLimit => say!(
                case,
                "The kernel killed {processes} inside {name} at its memory limit{limit}; the status does not show it, or not yet.",
                "{name} 达到内存上限{limit}，内核杀死了其中 {kills} 个进程；状态没有（或尚未）反映出来。"
            ),
            _ => say!(
                case,
                "The kernel killed {children} inside {name} at its memory limit{limit} while the main process ran on: READY and RESTARTS show nothing of it.",
                "{name} 达到内存上限{limit}，内核杀死了其中 {kills} 个子进程，而主进程仍在运行：READY 和 RESTARTS 完全看不出来。"
            ),
        };
        found.push(
            case.candidate(verdict, Level::Container(rank), 97, High)
                .of(container)
                .killer()
                .facts(proof.evidence.clone())
                .say(summary)
                .step(case.read(
                    &["logs", case.pod.name, "-c", container.name, "--tail=50"],
                    say!(case, "Shows how the program took the loss of its child.", "查看程序如何应对子进程被杀。"),
                ))
                .step(case.read(
                    &["exec", case.pod.name, "-c", container.name, "--", "sh", "-c", COUNTER],
                    say!(
                        case,
                        "Shows the kernel's own count of kills in the container: oom_kill.",
                        "显示内核对该容器的杀死计数：oom_kill。"
                    ),
                )),
        );
    }
}
