//! The state machine over records.

mod kills;

use crate::Kill;
use crate::line::{Domain, Line, Reading, cpuset, read};
use crate::pieces::Piece;
use crate::rate_limit::RateLimit;
use crate::under_way::{UnderWay, bounded};
use kills::{OpenGroup, attributed};
use podsight_kmsg::{Place, Record, Replay};

/// A report whose lines are so far apart is none any more.
const MAX_STRANGE_LINES: u32 = 5000;
/// So many kills are remembered, to know what a reaped process is.
const RECENT: usize = 64;
/// So many processes that share a victim's memory are listed.
const MAX_SHARING: usize = 16;
/// A name is never as long as this.
const MAX_COMM_BYTES: usize = 64;

/// What the machine has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A kill. The same kill may come again with more known (its group, who shares its memory): its `seq`, `usec` and `pid` are its identity.
    Kill(Box<Kill>),
    /// A report that names a cgroup, or a process that was chosen, and whose kill line is missing from the log: most likely a kill, of an unknown
    /// process. `pid` is absent.
    Incomplete(Box<Kill>),
    /// The kernel looked for somebody to kill and killed nobody.
    NoKill(NoKill),
    /// So many reports were left out by the kernel's rate limit (`N callbacks suppressed`).
    Suppressed(u64),
    /// A look-alike record whose facility is not the kernel's.
    Rejected,
}

/// Why nobody was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKill {
    /// `Out of memory and no killable processes...`
    NoKillable,
    /// The victim was exiting already.
    AlreadyExiting,
    /// The machine went down instead.
    Panic,
}

/// Reads records in the order of the log.
#[derive(Debug)]
pub struct Machine {
    piece: Option<Piece>,
    report: Option<UnderWay>,
    group: Option<OpenGroup>,
    /// The last kill, while no other line of a report has come after it.
    last_kill: Option<Kill>,
    /// Whose memory was out, by an announcement without a report around it.
    announced: Option<(Option<Domain>, u32)>,
    incidents: u64,
    kill_lines: u64,
    rate_limit: RateLimit,
    last_seq: Option<u64>,
    /// The last pids that were killed, a ring.
    recent: [Option<u32>; RECENT],
    next_recent: usize,
    /// The text of the line before, while it may be the start of a name with a newline in it.
    before: Option<(u64, Vec<u8>)>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            piece: None,
            report: None,
            group: None,
            last_kill: None,
            announced: None,
            incidents: 0,
            kill_lines: 0,
            rate_limit: RateLimit::default(),
            last_seq: None,
            recent: [None; RECENT],
            next_recent: 0,
            before: None,
        }
    }
}

/// Reads a whole log in any form, and tells how many records are missing from it.
pub fn read_log(log: &[u8], machine: &mut Machine, events: &mut Vec<Event>) -> u64 {
    let log = podsight_kmsg::unfolded(log);
    let log = podsight_kmsg::oldest_first(&log);
    let mut replay = Replay::of_kept(&log);
    // The very first line tells from when on the log knows of everything.
    let mut first = true;
    while let Some(record) = replay.next(first || machine.wants_everything()) {
        first = false;
        machine.push(&record, events);
    }
    machine.finish(events);
    replay.lost()
}

impl Machine {
    /// Takes the next record.
    pub fn push(&mut self, record: &Record<'_>, events: &mut Vec<Event>) {
        let new_boot = record.seq.zip(self.last_seq).is_some_and(|(seq, last)| seq <= last);
        self.last_seq = record.seq.or(self.last_seq);
        self.rate_limit.record(record.usec, record.lost > 0 || new_boot);
        if record.lost > 0 || new_boot {
            self.flush_piece(events);
            self.close_report(None, events);
            self.group = None;
            self.last_kill = None;
            self.announced = None;
        }
        if record.is_foreign() {
            if is_look_alike(&record.text) {
                events.push(Event::Rejected);
            }
            return;
        }
        if let Some(mut piece) = self.piece.take() {
            if piece.join(record) {
                if piece.is_finished() {
                    let record = piece.into_record();
                    self.whole(&record, read(&record.text), events);
                } else {
                    self.piece = Some(piece);
                }
                return;
            }
            let record = piece.into_record();
            self.whole(&record, read(&record.text), events);
        }
        let reading = read(&record.text);
        self.piece = Piece::start(record, &reading);
        if self.piece.is_none() {
            self.whole(record, reading, events);
        }
    }

    /// Whether each and every line matters now, because a report is being read. Otherwise the lines that begin one are enough.
    pub fn wants_everything(&self) -> bool {
        self.piece.is_some()
            || self.report.as_ref().is_some_and(|report| !report.killed && !report.no_victim && report.strange_lines < MAX_STRANGE_LINES)
    }

    /// Gives out what waits for the rest of a line. Call it when a live log has nothing more to read.
    pub fn idle(&mut self, events: &mut Vec<Event>) {
        if self.piece.as_ref().is_some_and(Piece::is_whole) {
            self.flush_piece(events);
        }
    }

    /// Gives out all that was held back. Call it at the end of a log.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        self.flush_piece(events);
        self.close_report(None, events);
        self.group = None;
        self.last_kill = None;
        self.announced = None;
        self.last_seq = None;
        self.rate_limit = RateLimit::default();
    }

    /// How many kill lines have been read: the figure to hold against `/proc/vmstat oom_kill`, which counts them and not the processes.
    pub fn kill_lines(&self) -> u64 {
        self.kill_lines
    }

    fn flush_piece(&mut self, events: &mut Vec<Event>) {
        if let Some(piece) = self.piece.take() {
            let record = piece.into_record();
            self.whole(&record, read(&record.text), events);
        }
    }

    /// Takes a line to which nothing will be added.
    fn whole(&mut self, record: &Record<'_>, reading: Reading<'_>, events: &mut Vec<Event>) {
        let line = match reading {
            Reading::Whole(line) | Reading::Either(line) | Reading::Start(Some(line)) => line,
            Reading::Start(None) | Reading::No => return self.other(record, &record.text),
        };
        if let Some(report) = &mut self.report {
            report.strange_lines = 0;
            report.last_seq = record.seq;
            // A kill line is held against the line before it.
            if !matches!(line, Line::Killed(_)) {
                report.last_usec = record.usec.or(report.last_usec);
            }
        }
        match line {
            Line::Invoked(invoked) => {
                self.open_report(record, events);
                self.rate_limit.report(record.usec);
                let comm = self.whole_name(record, invoked.comm);
                let Some(report) = &mut self.report else { return };
                report.trigger().comm = Some(comm);
                report.kill.sysrq = invoked.order == Some(-1);
            }
            Line::TriggerPid(pid) => {
                if let Some(report) = &mut self.report {
                    report.trigger().pid.get_or_insert(pid);
                }
            }
            Line::TaskIn(line) => self.within(record, events).task_in(&line),
            Line::Usage(line) => self.within(record, events).usage(line),
            Line::StatsHeader(line) => self.within(record, events).stats(&line),
            Line::TableHeader(columns) => self.within(record, events).table(columns),
            Line::LimitReached(path) => self.within(record, events).kill.limit_cgroup = Some(bounded(path, 4096)),
            Line::Constraint(line) => {
                if self.report.as_ref().is_some_and(|report| report.constraint.is_some()) {
                    self.close_report(Some(record), events);
                }
                if self.report.is_none() {
                    self.rate_limit.report(record.usec);
                }
                self.group = None;
                self.last_kill = None;
                let report = self.within(record, events);
                report.constraint(&line);
                report.last_seq = record.seq;
                let kill = &mut report.kill;
                (kill.seq, kill.usec, kill.time) = (record.seq, record.usec, record.time.as_deref().map(str::to_owned));
            }
            Line::KillAnnounced(line) => {
                self.group = None;
                self.last_kill = None;
                self.announced = Some((line.domain, line.pid));
                if self.report.as_ref().is_some_and(|report| report.contradicts(line.domain)) {
                    self.close_report(Some(record), events);
                }
                if let Some(report) = self.report.as_mut().filter(|report| !report.killed) {
                    report.announced(&line);
                }
            }
            Line::Killed(line) => self.killed(record, &line, events),
            Line::Sharing(line) => {
                if let Some(kill) = self.last_kill.as_mut().filter(|kill| kill.sharing.len() < MAX_SHARING) {
                    kill.sharing.push((line.pid, bounded(line.comm, MAX_COMM_BYTES)));
                    events.push(Event::Kill(Box::new(kill.clone())));
                }
            }
            Line::Group(line) => self.group(record, line.path, events),
            Line::Reaped(line) => self.reaped(&line, events),
            Line::AlreadyExiting(line) => {
                events.push(Event::NoKill(NoKill::AlreadyExiting));
                self.last_kill = None;
                if let Some(report) =
                    self.report.as_mut().filter(|report| report.constraint.as_ref().is_none_or(|chosen| chosen.pid == Some(line.pid)))
                {
                    report.no_victim = true;
                }
            }
            Line::NoKillable => self.nobody(NoKill::NoKillable, events),
            Line::Panic => self.nobody(NoKill::Panic, events),
            Line::Suppressed(count) => {
                self.close_report(Some(record), events);
                self.group = None;
                self.last_kill = None;
                events.push(Event::Suppressed(count));
            }
        }
        self.before = None;
    }

    /// A line that is none of the kernel's own kinds: a row or a counter within a report, or something else.
    fn other(&mut self, record: &Record<'_>, text: &[u8]) {
        if let Some(report) = self.report.as_mut().filter(|report| !report.killed) {
            let comm = report.kill.trigger.as_ref().and_then(|trigger| trigger.comm.as_deref()).unwrap_or_default();
            if let Some(cpuset) = cpuset(text, comm).map(|cpuset| bounded(cpuset, 4096)) {
                report.trigger().cgroup = Some(cpuset);
                report.strange_lines = 0;
            } else if report.inner(text) {
                report.strange_lines = 0;
                report.last_usec = record.usec.or(report.last_usec);
            } else {
                report.strange_lines = report.strange_lines.saturating_add(1);
            }
        }
        // Only what shows a record line by line can tear a name.
        let piece = record.usec.filter(|_| record.seq.is_none() && text.len() < 16 && record.place != Place::Bare);
        self.before = piece.map(|usec| match self.before.take() {
            Some((before, mut name)) if before == usec && name.len() + text.len() < 16 => {
                name.push(b'\n');
                name.extend_from_slice(text);
                (usec, name)
            }
            _ => (usec, text.to_vec()),
        });
    }

    /// The name of a task whose record was torn at a newline in it.
    fn whole_name(&mut self, record: &Record<'_>, rest: &[u8]) -> Vec<u8> {
        match self.before.take() {
            Some((usec, mut name)) if record.usec == Some(usec) && name.len() + rest.len() < 15 => {
                name.push(b'\n');
                name.extend_from_slice(rest);
                name
            }
            _ => bounded(rest, MAX_COMM_BYTES),
        }
    }

    fn open_report(&mut self, record: &Record<'_>, events: &mut Vec<Event>) {
        self.close_report(Some(record), events);
        self.group = None;
        self.last_kill = None;
        self.announced = None;
        self.report = Some(UnderWay::new(record));
    }

    /// The report that a line belongs to: the one under way, or, where its beginning is missing, a new one.
    fn within(&mut self, record: &Record<'_>, events: &mut Vec<Event>) -> &mut UnderWay {
        if self.report.as_ref().is_some_and(|report| report.killed || report.no_victim) {
            self.close_report(Some(record), events);
        }
        self.report.get_or_insert_with(|| UnderWay::new(record))
    }

    /// Ends the report under way. `next` is the line that shows that it has ended, if one does.
    fn close_report(&mut self, next: Option<&Record<'_>>, events: &mut Vec<Event>) {
        let Some(report) = self.report.take() else { return };
        if report.killed || report.no_victim {
            return;
        }
        if let Some(kill) = report.kill_of_chosen() {
            // The numbers show that nothing is missing between the report and the next line: then there was no kill line. Before 5.9 the kernel
            // says nothing where the victim is exiting by itself.
            let complete = next.is_some_and(|next| next.lost == 0 && next.seq.is_some() && report.last_seq.is_some());
            if complete {
                events.push(Event::NoKill(NoKill::AlreadyExiting));
            } else {
                let attribution = attributed(&kill);
                self.incidents += 1;
                events.push(Event::Kill(Box::new(Kill { incident: self.incidents, attribution, ..kill })));
            }
        } else if report.kill.limit_cgroup.is_some() || report.announced.is_some() {
            let attribution = attributed(&report.kill);
            let chosen_pid = report.announced;
            events.push(Event::Incomplete(Box::new(Kill { report: report.report(), attribution, chosen_pid, ..report.kill })));
        }
    }

    fn nobody(&mut self, why: NoKill, events: &mut Vec<Event>) {
        self.report = None;
        self.group = None;
        self.last_kill = None;
        events.push(Event::NoKill(why));
    }
}

/// Whether a text that the kernel did not write looks like a line that would count.
fn is_look_alike(text: &[u8]) -> bool {
    match read(text) {
        Reading::Whole(line) | Reading::Either(line) => {
            !matches!(line, Line::Usage(_) | Line::TableHeader(_) | Line::TriggerPid(_) | Line::StatsHeader(_))
        }
        Reading::Start(_) | Reading::No => false,
    }
}
