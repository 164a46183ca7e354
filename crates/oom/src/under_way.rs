//! A report that is being read.

use crate::line::{Columns, ConstraintLine, Counter, Domain, KillAnnounced, StatsHeader, TaskIn, UsageLine, row, stat};
use crate::{Constraint, Kill, Report, Task, Trigger, Usage};
use podsight_kmsg::Record;
use std::sync::Arc;

/// So many tasks of the table are kept, the largest.
const MAX_TASKS: usize = 10;
/// A path is no longer than this (`PATH_MAX`).
const MAX_PATH_BYTES: usize = 4096;
/// A name is never as long as this.
const MAX_COMM_BYTES: usize = 64;
/// From this size on a limit is none: v1 has 2^63 bytes rounded to pages, v2 the same.
const NO_LIMIT_KB: u64 = 1 << 52;

/// What has been read of a report, from its first line to its kill line and what follows it.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    /// What a kill of this report has in common with it.
    pub(crate) kill: Kill,
    /// `oom-kill:` has been read, with the victim's pid unless it broke off.
    pub(crate) constraint: Option<Chosen>,
    /// `Kill process …` has been read.
    pub(crate) announced: Option<u32>,
    /// Whose victim has been killed.
    pub(crate) killed: bool,
    /// There is no victim: nothing could be killed, or it was exiting.
    pub(crate) no_victim: bool,
    /// Lines in a row that are no part of a report.
    pub(crate) strange_lines: u32,
    report: Report,
    columns: Option<Columns>,
    in_stats: bool,
    /// The last line that belongs to it had this number.
    pub(crate) last_seq: Option<u64>,
    /// And this time.
    pub(crate) last_usec: Option<u64>,
}

/// The kill line follows its report at once; what comes so much later is another's.
pub(crate) const NEAR_USEC: u64 = 1_000_000;

/// The victim by the `oom-kill:` line.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) pid: Option<u32>,
    uid: Option<u32>,
    comm: Option<Vec<u8>>,
    victim_and_task: Option<Vec<u8>>,
}

impl Chosen {
    /// The victim's cgroup now that its name is known from the kill line.
    pub(crate) fn victim_cgroup(&self, comm: Option<&[u8]>) -> Option<Vec<u8>> {
        let line = ConstraintLine { victim_and_task: self.victim_and_task.as_deref(), ..ConstraintLine::default() };
        line.victim_of(comm?).map(<[u8]>::to_vec)
    }

    pub(crate) fn is_like(&self, uid: Option<u32>, comm: Option<&[u8]>) -> bool {
        self.uid.is_some() && self.uid == uid && self.comm.as_deref() == comm
    }
}

impl UnderWay {
    /// A report whose first line is `record`.
    pub(crate) fn new(record: &Record<'_>) -> Self {
        let kill = Kill { seq: record.seq, usec: record.usec, time: record.time.as_deref().map(str::to_owned), ..Kill::default() };
        Self { kill, last_seq: record.seq, last_usec: record.usec, ..Self::default() }
    }

    pub(crate) fn trigger(&mut self) -> &mut Trigger {
        self.kill.trigger.get_or_insert_default()
    }

    pub(crate) fn usage(&mut self, line: UsageLine) {
        let usage =
            Usage { usage_kb: line.usage_kb, limit_kb: (line.limit_kb < NO_LIMIT_KB).then_some(line.limit_kb), failcnt: line.failcnt };
        let counter = match line.counter {
            Counter::Memory => &mut self.report.memory,
            Counter::MemoryAndSwap => &mut self.report.memory_and_swap,
            Counter::Swap => &mut self.report.swap,
            Counter::Kernel => &mut self.report.kernel,
        };
        *counter = Some(usage);
    }

    pub(crate) fn stats(&mut self, line: &StatsHeader<'_>) {
        self.in_stats = line.inline.is_empty();
        for (name, bytes) in line.values() {
            self.report.stats.take(name, bytes);
        }
    }

    pub(crate) fn table(&mut self, columns: Columns) {
        self.in_stats = false;
        self.columns = Some(columns);
        self.report.tasks.clear();
        self.report.task_count = 0;
    }

    /// A line that only means something inside a report: a row of the table, a counter of `memory.stat`. False if it is none.
    pub(crate) fn inner(&mut self, text: &[u8]) -> bool {
        if let Some(row) = self.columns.as_ref().and_then(|columns| row(text, columns)) {
            self.report.task_count += 1;
            let rss_pages = row.rss_pages.unwrap_or(0);
            let place = self.report.tasks.partition_point(|task| task.rss_pages >= rss_pages);
            if place < MAX_TASKS {
                let task = Task {
                    pid: row.pid,
                    comm: bounded(row.comm, MAX_COMM_BYTES),
                    rss_pages,
                    total_vm_pages: row.total_vm_pages.unwrap_or(0),
                    oom_score_adj: row.oom_score_adj,
                };
                self.report.tasks.insert(place, task);
                self.report.tasks.truncate(MAX_TASKS);
            }
            return true;
        }
        if self.in_stats {
            // Before 6.4 all of it is one record with newlines, and cut off where a record ends.
            let mut any = false;
            for (name, value) in text.split(|byte| *byte == b'\n').filter_map(stat) {
                self.report.stats.take(name, value);
                any = true;
            }
            return any;
        }
        false
    }

    pub(crate) fn task_in(&mut self, line: &TaskIn<'_>) {
        self.kill.victim_cgroup = Some(bounded(line.victim, MAX_PATH_BYTES));
        self.kill.limit_cgroup = Some(bounded(line.limit, MAX_PATH_BYTES));
        self.kill.constraint = Some(Constraint::Memcg);
        self.kill.global = Some(false);
    }

    pub(crate) fn constraint(&mut self, line: &ConstraintLine<'_>) {
        self.columns = None;
        self.in_stats = false;
        self.kill.constraint = line.constraint;
        self.kill.global = Some(line.global);
        self.kill.limit_cgroup = line.limit.map(|path| bounded(path, MAX_PATH_BYTES));
        self.kill.victim_cgroup = line.victim.map(|path| bounded(path, MAX_PATH_BYTES));
        if let Some(cpuset) = line.cpuset {
            self.trigger().cgroup = Some(bounded(cpuset, MAX_PATH_BYTES));
        }
        self.constraint = Some(Chosen {
            pid: line.pid,
            uid: line.uid,
            comm: line.comm.map(|comm| bounded(comm, MAX_COMM_BYTES)),
            victim_and_task: line.victim_and_task.map(|text| bounded(text, 2 * MAX_PATH_BYTES)),
        });
    }

    pub(crate) fn announced(&mut self, line: &KillAnnounced<'_>) {
        self.columns = None;
        self.in_stats = false;
        self.announced = Some(line.pid);
    }

    /// Whether a line about this memory cannot be of this report.
    pub(crate) fn contradicts(&self, domain: Option<Domain>) -> bool {
        match domain {
            Some(Domain::Machine) => self.kill.limit_cgroup.is_some(),
            Some(Domain::Memcg) => self.kill.global == Some(true),
            None => false,
        }
    }

    /// Whether the table has this process with this virtual size: the same memory, whichever of its threads the kernel names.
    pub(crate) fn has_task_like(&self, pid: u32, total_vm_kb: Option<u64>) -> bool {
        self.report
            .tasks
            .iter()
            .any(|task| task.pid == pid && task.total_vm_pages > 0 && total_vm_kb.is_some_and(|kb| kb == task.total_vm_pages * 4))
    }

    pub(crate) fn has_task(&self, pid: u32) -> bool {
        self.report.tasks.iter().any(|task| task.pid == pid)
    }

    /// What the report says about the memory, if anything.
    pub(crate) fn report(&self) -> Option<Arc<Report>> {
        (self.report != Report::default()).then(|| Arc::new(self.report.clone()))
    }

    /// The kill of the chosen victim by the report's own lines.
    pub(crate) fn kill_of_chosen(&self) -> Option<Kill> {
        let chosen = self.constraint.as_ref()?;
        let pid = chosen.pid?;
        Some(Kill { pid: Some(pid), comm: chosen.comm.clone(), uid: chosen.uid, report: self.report(), ..self.kill.clone() })
    }
}

pub(crate) fn bounded(bytes: &[u8], most: usize) -> Vec<u8> {
    bytes.get(..bytes.len().min(most)).unwrap_or_default().to_vec()
}
