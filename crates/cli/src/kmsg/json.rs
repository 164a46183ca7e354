//! The JSON of `podsight kmsg`, `podsight.dev/kmsg/v1`.

use super::analysis::Analysis;
use podsight_oom::{Kill, Report, Usage};
use serde::Serialize;

/// The whole output.
#[derive(Serialize)]
pub(super) struct Output {
    schema: &'static str,
    summary: Summary,
    kills: Vec<JsonKill>,
    /// Reports whose kill line is not in the log.
    incomplete: Vec<JsonKill>,
}

#[derive(Serialize)]
struct Summary {
    kills: u64,
    incidents: u64,
    suppressed: u64,
    rejected: u64,
    lost: u64,
}

#[derive(Serialize)]
struct JsonKill {
    incident: Option<u64>,
    seq: Option<u64>,
    usec: Option<u64>,
    time: Option<String>,
    pid: Option<u32>,
    comm: Option<String>,
    uid: Option<u32>,
    total_vm_kb: Option<u64>,
    anon_rss_kb: Option<u64>,
    file_rss_kb: Option<u64>,
    shmem_rss_kb: Option<u64>,
    pgtables_kb: Option<u64>,
    oom_score_adj: Option<i32>,
    constraint: Option<&'static str>,
    scope: Option<&'static str>,
    group_kill: bool,
    group_cgroup: Option<String>,
    trigger: Option<JsonTrigger>,
    limit_cgroup: Option<String>,
    victim_cgroup: Option<String>,
    pod_uid: Option<String>,
    container_id: Option<String>,
    runtime: Option<&'static str>,
    attribution: &'static str,
    kill_line: bool,
    sysrq: bool,
    chosen_pid: Option<u32>,
    memory: Option<JsonMemory>,
}

#[derive(Serialize)]
struct JsonTrigger {
    comm: Option<String>,
    pid: Option<u32>,
    cgroup: Option<String>,
}

/// The counters of the cgroup whose limit was reached; sizes by kind are bytes.
#[derive(Serialize)]
struct JsonMemory {
    memory: Option<JsonUsage>,
    memory_and_swap: Option<JsonUsage>,
    swap: Option<JsonUsage>,
    kernel: Option<JsonUsage>,
    anon: Option<u64>,
    file: Option<u64>,
    shmem: Option<u64>,
    kernel_bytes: Option<u64>,
    tasks: u64,
}

#[derive(Serialize)]
struct JsonUsage {
    usage_kb: u64,
    limit_kb: Option<u64>,
    failcnt: u64,
}

impl Output {
    pub(super) fn new(analysis: &Analysis) -> Self {
        Self {
            schema: "podsight.dev/kmsg/v1",
            summary: Summary {
                kills: analysis.kills.len() as u64,
                incidents: analysis.incidents(),
                suppressed: analysis.suppressed,
                rejected: analysis.rejected,
                lost: analysis.lost,
            },
            kills: analysis.kills.iter().map(|kill| JsonKill::new(kill, true)).collect(),
            incomplete: analysis.incomplete.iter().map(|kill| JsonKill::new(kill, false)).collect(),
        }
    }
}

impl JsonKill {
    fn new(kill: &Kill, counted: bool) -> Self {
        let place = super::analysis::Place::of(kill);
        let (container_id, runtime) = place.victim.named_container();
        Self {
            incident: counted.then_some(kill.incident),
            seq: kill.seq,
            usec: kill.usec,
            time: kill.time.clone(),
            pid: kill.pid,
            comm: text(kill.comm.as_deref()),
            uid: kill.uid,
            total_vm_kb: kill.total_vm_kb,
            anon_rss_kb: kill.anon_rss_kb,
            file_rss_kb: kill.file_rss_kb,
            shmem_rss_kb: kill.shmem_rss_kb,
            pgtables_kb: kill.pgtables_kb,
            oom_score_adj: kill.oom_score_adj,
            constraint: kill.constraint.map(podsight_oom::Constraint::name),
            scope: place.scope.map(podsight_cgroup::Scope::name),
            group_kill: kill.group_kill,
            group_cgroup: text(kill.group_cgroup.as_deref()),
            trigger: kill.trigger.as_ref().map(|trigger| JsonTrigger {
                comm: text(trigger.comm.as_deref()),
                pid: trigger.pid,
                cgroup: text(place.trigger_cgroup.as_deref()),
            }),
            limit_cgroup: text(kill.limit_cgroup.as_deref()),
            victim_cgroup: text(kill.victim_cgroup.as_deref()),
            pod_uid: place.victim.pod_uids.first().cloned(),
            container_id: container_id.map(str::to_owned),
            runtime: runtime.map(podsight_cgroup::Runtime::name),
            attribution: kill.attribution.name(),
            kill_line: kill.kill_line,
            sysrq: kill.sysrq,
            chosen_pid: kill.chosen_pid,
            memory: kill.report.as_deref().map(JsonMemory::new),
        }
    }
}

impl JsonMemory {
    fn new(report: &Report) -> Self {
        let usage = |usage: Option<Usage>| {
            usage.map(|usage| JsonUsage { usage_kb: usage.usage_kb, limit_kb: usage.limit_kb, failcnt: usage.failcnt })
        };
        Self {
            memory: usage(report.memory),
            memory_and_swap: usage(report.memory_and_swap),
            swap: usage(report.swap),
            kernel: usage(report.kernel),
            anon: report.stats.anon,
            file: report.stats.file,
            shmem: report.stats.shmem,
            kernel_bytes: report.stats.kernel,
            tasks: report.task_count,
        }
    }
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
