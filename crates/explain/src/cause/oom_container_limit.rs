//! `oom-container-limit`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::OomContainerLimit) {
        let (container, verdict) = (killed.container, &killed.verdict);
        let name = named(case, container);
        let proven = verdict.evidence.iter().any(|evidence| matches!(evidence.source, Source::Annotation | Source::Kernel));
        let limit = limit_of(case, container);
        let restarts = container.restarts;
        let times = if restarts > 1 { say!(case, " ({restarts} restarts)", "（已重启 {restarts} 次）") } else { String::new() };
        let mut candidate = candidate.say(say!(
            case,
            "The kernel killed {name} because it used more memory than its own limit{limit}{times}.",
            "{name} 使用的内存超过了自己的上限{limit}，被内核杀死{times}。"
        ));
        if !proven {
            candidate = candidate.against(say!(
                case,
                "Only the runtime's flag says so; the kernel's record would tell the container's limit from the pod's and the node's.",
                "只有运行时的标记为证；内核记录才能区分是容器、Pod 还是节点的上限。"
            ));
        } else if verdict.confidence != High {
            candidate = candidate.against(say!(
                case,
                "The kernel's lines about it are lost: that it was this limit and not the pod's or the node's is only likely.",
                "相关的内核日志行已丢失：只能说很可能是这个上限，而不是 Pod 或节点的上限。"
            ));
        }
        candidate = candidate
            .step(case.read(
                &["top", "pod", case.pod.name, "--containers"],
                say!(
                    case,
                    "Shows the memory in use now, to choose a limit by (needs metrics-server).",
                    "显示当前内存用量，据此选择上限（需要 metrics-server）。"
                ),
            ))
            .step(case.logs(container, say!(case, "Shows what it was doing when it grew.", "查看内存增长时它在做什么。")));
        found.push(candidate.step(raise(case, container)));
    }
}

fn limit_of(case: &Case<'_>, container: &Container<'_>) -> String {
    let proven = case.proofs.iter().find(|proof| proof.container == container.name).and_then(|proof| proof.limit.clone());
    let limit = container.memory_limit().map(shown).or(proven);
    limit.map_or_else(String::new, |limit| say!(case, " of {limit}", " {limit}"))
}

/// Doubles the limit of what made the pod.
fn raise(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    let owner = case
        .owner()
        .filter(|owner| ["deployment/", "statefulset/", "daemonset/", "replicaset/"].iter().any(|kind| owner.starts_with(kind)))?;
    let double = doubled(container.memory_limit()?)?;
    case.change(
        &["set", "resources", &owner, "-c", container.name, &format!("--limits=memory={double}")],
        say!(
            case,
            "Doubles the limit. Right only if the program needs that much; a leak will reach any limit.",
            "把上限加倍。只有程序确实需要这么多内存时才对；内存泄漏会用尽任何上限。"
        ),
    )
}

/// Twice a quantity such as `100Mi`, in its own unit.
fn doubled(limit: &str) -> Option<String> {
    let digits = limit.find(|c: char| !c.is_ascii_digit()).unwrap_or(limit.len());
    let (number, unit) = limit.split_at_checked(digits)?;
    let known = ["", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"].contains(&unit);
    let double = number.parse::<u64>().ok()?.checked_mul(2)?;
    known.then(|| format!("{double}{unit}"))
}
