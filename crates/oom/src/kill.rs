//! One killed process.

use crate::Report;
use std::sync::Arc;

/// One process that the kernel killed for want of memory (`mm/oom_kill.c: __oom_kill_process`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kill {
    /// The number of the incident in this log, from 1. All processes of one `memory.oom.group` kill share it.
    pub incident: u64,
    /// Sequence number of the kill line, where the source gives one.
    pub seq: Option<u64>,
    /// Microseconds since boot of the kill line.
    pub usec: Option<u64>,
    /// The wall clock as the log wrote it.
    pub time: Option<String>,
    /// The process id in the initial pid namespace. It may be a thread that leads no group.
    pub pid: Option<u32>,
    /// The process name, up to 15 bytes of anything.
    pub comm: Option<Vec<u8>>,
    /// The user id.
    pub uid: Option<u32>,
    /// Virtual size in KiB.
    pub total_vm_kb: Option<u64>,
    /// Anonymous resident memory in KiB.
    pub anon_rss_kb: Option<u64>,
    /// File-backed resident memory in KiB.
    pub file_rss_kb: Option<u64>,
    /// Shared resident memory (tmpfs too) in KiB.
    pub shmem_rss_kb: Option<u64>,
    /// Page tables in KiB.
    pub pgtables_kb: Option<u64>,
    /// `oom_score_adj` of the victim, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// What the allocation was constrained by.
    pub constraint: Option<Constraint>,
    /// Whether the machine's own memory was out (true) or a cgroup's limit was reached (false); absent where no line says it.
    pub global: Option<bool>,
    /// Whether the process was taken along because its cgroup is killed as a whole. The process that was chosen itself is not.
    pub group_kill: bool,
    /// The cgroup that was killed as a whole (`memory.oom.group`), on all processes of the incident.
    pub group_cgroup: Option<Vec<u8>>,
    /// The task whose allocation failed.
    pub trigger: Option<Trigger>,
    /// The cgroup whose limit was reached (`oom_memcg`); absent for the whole machine.
    pub limit_cgroup: Option<Vec<u8>>,
    /// The cgroup of the victim (`task_memcg`).
    pub victim_cgroup: Option<Vec<u8>>,
    /// How the victim's cgroup became known.
    pub attribution: Attribution,
    /// The kill line itself was read. Without it the kill is known by its report alone, or by the reaper: it is left out of
    /// [`crate::Machine::kill_lines`].
    pub kill_line: bool,
    /// Somebody asked for the kill by `SysRq` f; memory need not have been short.
    pub sysrq: bool,
    /// The kernel chose this process first and killed a child of it (before 5.1).
    pub chosen_pid: Option<u32>,
    /// Processes that were killed along with it because they share its memory: ids and names (before 4.6; later kernels do not tell).
    pub sharing: Vec<(u32, Vec<u8>)>,
    /// What the report says about the memory.
    pub report: Option<Arc<Report>>,
}

/// The task whose allocation failed. It need not be the victim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub comm: Option<Vec<u8>>,
    /// Its process id.
    pub pid: Option<u32>,
    /// Its cpuset cgroup: a whole path, or only the last component, as the kernel printed it.
    pub cgroup: Option<Vec<u8>>,
}

/// What an allocation was constrained by (`enum oom_constraint`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// The whole machine.
    None,
    /// A cpuset's nodes.
    Cpuset,
    /// A memory policy's nodes.
    MemoryPolicy,
    /// A memory cgroup's limit.
    Memcg,
}

impl Constraint {
    /// The constraint of the kernel's name for it.
    pub fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"CONSTRAINT_NONE" => Some(Self::None),
            b"CONSTRAINT_CPUSET" => Some(Self::Cpuset),
            b"CONSTRAINT_MEMORY_POLICY" => Some(Self::MemoryPolicy),
            b"CONSTRAINT_MEMCG" => Some(Self::Memcg),
            _ => None,
        }
    }

    /// The kernel's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "CONSTRAINT_NONE",
            Self::Cpuset => "CONSTRAINT_CPUSET",
            Self::MemoryPolicy => "CONSTRAINT_MEMORY_POLICY",
            Self::Memcg => "CONSTRAINT_MEMCG",
        }
    }
}

/// How a kill was put down to a cgroup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attribution {
    /// A line of the kernel names the victim's cgroup.
    KernelLine,
    /// The line of an open group kill names the cgroup.
    KernelGroup,
    /// The pid's cgroup was remembered from before.
    Pid,
    /// The one container whose own counter moved.
    Counter,
    /// Not attributed.
    #[default]
    None,
}

impl Attribution {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::KernelLine => "kernel-line",
            Self::KernelGroup => "kernel-group",
            Self::Pid => "pid",
            Self::Counter => "counter",
            Self::None => "none",
        }
    }
}
