//! `memory-limit-below-start`

use super::prelude::*;

/// Below this the runtime's own processes may not fit, in bytes.
const TINY: i64 = 12 << 20;

/// Below this a Secret may not fit into a volume of that size, in bytes.
const SECRET: i64 = 1 << 20;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    setting_up(case, found);
    for (rank, container) in case.starting() {
        let limit = container.memory_limit();
        let size = limit.and_then(bytes);
        let certain = case.text(
            container,
            &[
                "container init was oom-killed",
                "minimum memory limit allowed",
                "memory limit too low",
                "set memory limit",
                "unable to set memory limit",
            ],
        );
        let likely = case.text(
            container,
            &[
                "write init-p: broken pipe",
                "container init exited prematurely",
                "cannot allocate memory",
                "read init-p: connection reset",
                "signal: killed",
                "reading from parent failed",
                "setting cgroup config for prochooks",
                "memory.limit_in_bytes",
                "memory.max",
            ],
        );
        // The same process writes the other values of the cgroup.
        let likely = likely.filter(|quote| !quote.has(&["invalid argument"]) || quote.has(&["/memory."]));
        let oom = container.end().is_some_and(End::oom_killed);
        let tiny = size.is_some_and(|size| size < TINY);
        let (weight, confidence) = match (certain.is_some(), likely.is_some() || oom, tiny) {
            (true, _, _) | (_, true, true) => (93, High),
            (_, true, false) if size.is_none_or(|size| size < 64 << 20) => (85, Medium),
            (_, false, true) => (70, Medium),
            _ => continue,
        };
        let mut candidate = case.candidate(Cause::MemoryLimitBelowStart, Level::Container(rank), weight, confidence).of(container).killer();
        if let Some(quote) = certain.or(likely) {
            candidate = candidate.quote(quote);
        }
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        if let Some(limit) = limit {
            candidate = candidate.fact(Case::fact(format!("{}/resources/limits/memory", container.spec_pointer), limit));
        }
        found.push(explain(case, candidate, container, limit));
    }
}

/// The sandbox lives within the pod's cgroup, whose limit is the sum of the containers' limits. The kubelet gives the file systems in memory
/// that it makes for tokens and Secrets the same size.
fn setting_up(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let mains = || case.pod.containers.iter().filter(|container| container.role == Role::Main);
    let sum = mains().map(|container| bytes(container.memory_limit()?)).try_fold(0_i64, |sum, size| Some(sum.saturating_add(size?)));
    if !case.setting_up() || sum.is_none_or(|sum| sum >= TINY) {
        return;
    }
    let sandbox = case.pod_text(&["failed to create pod sandbox", "failed to start sandbox"]).filter(|quote| {
        quote.has(&[
            "cannot allocate memory",
            "memory.limit_in_bytes",
            "memory.max",
            "oom",
            "broken pipe",
            "connection reset",
            "signal: killed",
        ])
    });
    let volume = || {
        let quote = case.pod_text(&["mountvolume.setup failed"]).filter(|quote| quote.has(&["no space left on device"]));
        quote.filter(|_| sum.is_some_and(|sum| sum < SECRET))
    };
    let quote = sandbox.or_else(volume);
    let (Some(quote), Some(container)) = (quote, mains().min_by_key(|container| container.memory_limit().and_then(bytes))) else { return };
    let limit = container.memory_limit();
    let mut candidate = case.candidate(Cause::MemoryLimitBelowStart, Level::Container(0), 96, High).of(container).killer().quote(quote);
    if let Some(limit) = limit {
        candidate = candidate.fact(Case::fact(format!("{}/resources/limits/memory", container.spec_pointer), limit));
    }
    found.push(explain(case, candidate, container, limit));
}

fn explain(case: &Case<'_>, candidate: Candidate, container: &Container<'_>, limit: Option<&str>) -> Candidate {
    let name = named(case, container);
    let limit_text = limit.map_or_else(String::new, |limit| format!(" {}", shown(limit)));
    candidate
        .say(say!(case, "The memory limit{limit_text} of {name} is too small even for the runtime to start it (12Mi and more are needed): a unit that was forgotten or mistyped?", "{name} 的内存上限{limit_text} 太小，连运行时启动它都不够（至少需要 12Mi）：是不是漏写或写错了单位？"))
        .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={range .spec.containers[*]}{.name} {.resources.limits.memory}{\"\\n\"}{end}"], say!(case, "Shows the limits as the API took them: 128m is 0.128 bytes, 128 is 128 bytes.", "显示 API 实际采用的上限：128m 是 0.128 字节，128 是 128 字节。")))
}
