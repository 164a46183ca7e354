//! Kill lines, alone and in groups: which report they belong to.

use super::{Event, MAX_COMM_BYTES, Machine, RECENT};
use crate::line::{Domain, Killed, Reaped};
use crate::under_way::{NEAR_USEC, UnderWay, bounded};
use crate::{Attribution, Constraint, Kill};
use podsight_kmsg::Record;

/// Kills that are printed so close to each other are one loop over a group. The next kill has to take the lock and to choose a victim first.
const NEIGHBOUR_USEC: u64 = 100;

/// A `memory.oom.group` kill whose members are being printed.
#[derive(Debug)]
pub(super) struct OpenGroup {
    /// What the members have in common.
    kill: Kill,
    /// The process that was chosen; it is printed a second time.
    chosen: Option<u32>,
    /// When its line was printed.
    usec: Option<u64>,
    /// When the last member was.
    last_usec: Option<u64>,
    /// The same as the log writes it.
    last_time: Option<String>,
}

impl Machine {
    pub(super) fn killed(&mut self, record: &Record<'_>, line: &Killed<'_>, events: &mut Vec<Event>) {
        self.kill_lines += 1;
        if let Some(recent) = self.recent.get_mut(self.next_recent) {
            *recent = Some(line.pid);
        }
        self.next_recent = (self.next_recent + 1) % RECENT;
        let announced = self.announced.take();
        let domain = line.domain.or_else(|| announced.and_then(|(domain, _)| domain));
        let mut kill = Kill {
            seq: record.seq,
            usec: record.usec,
            time: record.time.as_deref().map(str::to_owned),
            pid: Some(line.pid),
            comm: line.comm.map(|comm| bounded(comm, MAX_COMM_BYTES)),
            uid: line.uid,
            total_vm_kb: line.total_vm_kb,
            anon_rss_kb: line.anon_rss_kb,
            file_rss_kb: line.file_rss_kb,
            shmem_rss_kb: line.shmem_rss_kb,
            pgtables_kb: line.pgtables_kb,
            oom_score_adj: line.oom_score_adj,
            constraint: (domain == Some(Domain::Memcg)).then_some(Constraint::Memcg),
            global: domain.map(|domain| domain == Domain::Machine),
            kill_line: true,
            chosen_pid: announced.map(|(_, pid)| pid).filter(|pid| *pid != line.pid),
            ..Kill::default()
        };
        let exhausted = self.rate_limit.may_be_exhausted(record.usec);
        if let Some(report) = self.report.as_mut().filter(|report| !report.killed && !report.no_victim)
            && belongs(report, line, domain, record.usec, exhausted)
        {
            report.killed = true;
            let of = &report.kill;
            kill.constraint = of.constraint.or(kill.constraint);
            kill.global = of.global.or(kill.global);
            kill.trigger.clone_from(&of.trigger);
            kill.limit_cgroup.clone_from(&of.limit_cgroup);
            kill.sysrq = of.sysrq;
            let chosen = report.constraint.as_ref();
            kill.victim_cgroup = chosen.and_then(|chosen| chosen.victim_cgroup(line.comm)).or_else(|| of.victim_cgroup.clone());
            if line.comm.is_none() {
                kill.comm = report.kill_of_chosen().and_then(|chosen| chosen.comm);
            }
            kill.uid = kill.uid.or_else(|| report.kill_of_chosen().and_then(|chosen| chosen.uid));
            kill.report = report.report();
            kill.attribution = attributed(&kill);
            self.incidents += 1;
            kill.incident = self.incidents;
            self.group = None;
        } else if let Some(group) = self.group.as_mut().filter(|group| is_member(group, record, line.pid, exhausted)) {
            group.last_usec = record.usec;
            group.last_time = record.time.as_deref().map(str::to_owned);
            if group.chosen == Some(line.pid) {
                // The victim that was chosen is printed once more as a member.
                group.chosen = None;
                return;
            }
            let of = &group.kill;
            kill.incident = of.incident;
            kill.constraint = of.constraint.or(kill.constraint);
            kill.global = of.global.or(kill.global);
            kill.group_kill = true;
            kill.group_cgroup.clone_from(&of.group_cgroup);
            kill.victim_cgroup.clone_from(&of.group_cgroup);
            kill.limit_cgroup.clone_from(&of.limit_cgroup);
            kill.trigger.clone_from(&of.trigger);
            kill.report.clone_from(&of.report);
            kill.attribution = Attribution::KernelGroup;
        } else {
            self.close_report(Some(record), events);
            self.group = None;
            self.incidents += 1;
            kill.incident = self.incidents;
        }
        self.last_kill = Some(kill.clone());
        events.push(Event::Kill(Box::new(kill)));
    }

    /// `Tasks in P are going to be killed`: P is the cgroup of the kill before it and of those after it.
    pub(super) fn group(&mut self, record: &Record<'_>, path: &[u8], events: &mut Vec<Event>) {
        let path = bounded(path, 4096);
        let chosen = self.last_kill.take();
        let pid = chosen.as_ref().and_then(|kill| kill.pid);
        let mut kill = if let Some(mut kill) = chosen {
            if kill.group_kill {
                // It was taken for a member of the group before, but it is the chosen one of a new group.
                self.incidents += 1;
                let own = Kill { incident: self.incidents, group_kill: false, attribution: Attribution::None, ..kill };
                kill = Kill { limit_cgroup: None, victim_cgroup: None, trigger: None, report: None, ..own };
            }
            if kill.victim_cgroup.is_none() {
                kill.victim_cgroup = Some(path.clone());
                kill.attribution = Attribution::KernelGroup;
                if kill.global == Some(false) {
                    kill.constraint.get_or_insert(Constraint::Memcg);
                }
            }
            kill.group_cgroup = Some(path.clone());
            events.push(Event::Kill(Box::new(kill.clone())));
            kill
        } else {
            // The chosen one was exiting by itself.
            let report = self.report.take().filter(|report| !report.killed);
            self.incidents += 1;
            let kill = report.map(|report| Kill { report: report.report(), ..report.kill }).unwrap_or_default();
            Kill { incident: self.incidents, ..kill }
        };
        if let Some(report) = &mut self.report {
            report.killed = true;
        }
        kill.group_cgroup = Some(path);
        let last_time = record.time.as_deref().map(str::to_owned);
        self.group = Some(OpenGroup { kill, chosen: pid, usec: record.usec, last_usec: record.usec, last_time });
    }

    /// A report whose kill line is missing is confirmed where its victim is reaped.
    pub(super) fn reaped(&mut self, line: &Reaped<'_>, events: &mut Vec<Event>) {
        let Some(report) = self.report.as_mut().filter(|report| !report.killed && !report.no_victim) else { return };
        let chosen = report.constraint.as_ref().and_then(|chosen| chosen.pid).or(report.announced);
        let same = match chosen {
            Some(pid) => pid == line.pid,
            // The reaper comes late: it may be about a kill before this report.
            None => report.kill.victim_cgroup.is_some() && (report.has_task(line.pid) || !self.recent.contains(&Some(line.pid))),
        };
        if !same {
            return;
        }
        report.killed = true;
        self.incidents += 1;
        let kill = report.kill_of_chosen().unwrap_or_else(|| Kill { report: report.report(), ..report.kill.clone() });
        let attribution = attributed(&kill);
        let comm = Some(bounded(line.comm, MAX_COMM_BYTES));
        events.push(Event::Kill(Box::new(Kill { incident: self.incidents, pid: Some(line.pid), comm, attribution, ..kill })));
    }
}

/// Whether a kill line belongs to the report before it.
fn belongs(report: &UnderWay, line: &Killed<'_>, domain: Option<Domain>, usec: Option<u64>, exhausted: bool) -> bool {
    if report.contradicts(domain) {
        return false;
    }
    // The kernel prints the kill line after its report without letting go of its lock.
    let follows = usec.zip(report.last_usec).map(|(now, last)| now.saturating_sub(last) <= NEAR_USEC);
    let Some(chosen) = &report.constraint else {
        // Before 5.0 the report does not name the pid.
        return report.announced.is_some()
            || report.has_task(line.pid)
            || follows.unwrap_or_else(|| !exhausted || report.kill.victim_cgroup.is_some());
    };
    match chosen.pid {
        Some(pid) if pid == line.pid => true,
        // A child of the chosen one (5.0).
        Some(pid) if report.announced == Some(pid) => true,
        // Another thread of the chosen process, whose first thread is gone (`find_lock_task_mm`).
        Some(pid) => {
            follows.unwrap_or(true) && (report.has_task_like(pid, line.total_vm_kb) || !exhausted && chosen.is_like(line.uid, line.comm))
        }
        None => follows.unwrap_or(!exhausted),
    }
}

/// Whether a kill line without a report of its own is a further process of the group.
///
/// While reports are left out it may be anybody's. The kernel holds its lock from the line of the group to the last member: so the members are known
/// where the report lists them, up to the second line of the process that was chosen, and where lines follow each other without a pause.
fn is_member(group: &OpenGroup, record: &Record<'_>, pid: u32, exhausted: bool) -> bool {
    let since = |before: Option<u64>| record.usec.zip(before).map(|(now, before)| now.saturating_sub(before));
    let Some(pause) = since(group.last_usec) else {
        return !exhausted && record.time.as_deref() == group.last_time.as_deref() || group.chosen == Some(pid);
    };
    let kill = &group.kill;
    // The table is that of the limit's cgroup: of the group, if they are one.
    let listed = || {
        kill.limit_cgroup.is_some()
            && kill.limit_cgroup == kill.group_cgroup
            && kill.report.as_ref().is_some_and(|report| report.tasks.iter().any(|task| task.pid == pid))
    };
    !exhausted || pause <= NEIGHBOUR_USEC || group.chosen.is_some() && since(group.usec).is_some_and(|usec| usec <= NEAR_USEC) || listed()
}

pub(super) fn attributed(kill: &Kill) -> Attribution {
    if kill.victim_cgroup.is_some() { Attribution::KernelLine } else { Attribution::None }
}
