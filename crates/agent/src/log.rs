//! The kernel log, read into the node and held against the kernel's own counter.

use crate::args::{Args, KernelLog};
use crate::clock;
use crate::counters::Vmstat;
use crate::metrics::AgentMetrics;
use crate::node::{Node, Reach};
use crate::processes::Processes;
use crate::read::{Found, Reader, SourceError};
use podsight_oom::{Attribution, Event, Kill};
use podsight_runtime::admin::Readiness;
use std::time::Duration;
use tokio::time::Instant;

/// The part that `/readyz` names.
const PART: &str = "kernel-log";
/// How long after a failure the log is opened again.
const RETRY: Duration = Duration::from_secs(30);
/// The account opens when the counter is the same before and after reading the log; in a storm it may take a few tries.
const OPENING_TRIES: u32 = 20;
/// How often the node's processes are looked at while nothing is killed. A node with 500 of them is looked at for 10 ms.
const SCAN: Duration = Duration::from_mins(1);
/// How often the kernel's counter is looked at while something is killed.
const TICK: Duration = Duration::from_millis(250);
/// And while nothing has been killed for [`QUIET`]: waking a processor costs more than reading the counter.
const QUIET_TICK: Duration = Duration::from_millis(750);
const QUIET: Duration = Duration::from_secs(10);
/// How long after the kernel has counted a kill the containers' counters are looked at, where no line can tell of it.
const LOOK: Duration = Duration::from_secs(2);

/// The log, how far it was read, and what is remembered to make more of its lines.
#[derive(Debug)]
pub struct Log {
    from: KernelLog,
    /// Absent while the log cannot be read.
    reader: Option<Reader>,
    retry_at: Instant,
    /// Why the log cannot be read, as it was logged last.
    failure: Option<String>,
    /// Absent for a recorded log: this machine's counter has nothing to do with it.
    vmstat: Option<Vmstat>,
    /// The counter when the log was last read to its end.
    counter: Option<u64>,
    /// The counter at the start, before anything was read.
    first: Option<u64>,
    /// The counter at the last tick, and when it moved last.
    looked_at: Option<u64>,
    moved_at: Option<Instant>,
    processes: Option<Processes>,
    scanned_at: Instant,
    reach: Reach,
    is_caught_up: bool,
    metrics: AgentMetrics,
    readiness: Readiness,
}

impl Log {
    /// The source that the command line names. It is opened at the first tick.
    pub fn new(args: &Args, metrics: AgentMetrics, readiness: Readiness) -> Self {
        readiness.not_ready(PART, "not read to its end yet");
        let is_live = !matches!(args.kernel_log, KernelLog::File(_));
        let mut vmstat = is_live.then(|| Vmstat::new(&args.proc));
        let first = vmstat.as_mut().and_then(Vmstat::oom_kill);
        Self {
            from: args.kernel_log.clone(),
            reader: None,
            retry_at: Instant::now(),
            failure: None,
            vmstat,
            counter: None,
            first,
            looked_at: first,
            moved_at: None,
            processes: Processes::open(&args.proc).filter(|_| is_live),
            scanned_at: Instant::now(),
            reach: Reach::Behind,
            is_caught_up: false,
            metrics,
            readiness,
        }
    }

    /// Reads what is new, if there may be something, and holds it against the counter. What cannot be opened or read is tried again after a while.
    pub fn tick(&mut self, node: &mut Node, now: Instant) {
        if self.reader.is_none() && now >= self.retry_at {
            self.open(node, now);
        }
        let counter = self.kernel_count();
        if std::mem::replace(&mut self.looked_at, counter) != counter {
            self.moved_at = Some(now);
        }
        let reach = if self.is_caught_up { self.read_up_to(counter, node, now) } else { self.catch_up(node, now) };
        self.tell(reach, counter, node);
        match (reach, self.counter) {
            (Reach::End, Some(counter)) => node.counter(counter, self.first),
            (Reach::Blind, _) if self.has_moved_within(LOOK, now) => node.want_counters(),
            _ => {}
        }
    }

    /// Reads on, if there may be more.
    pub fn read_on(&mut self, node: &mut Node, now: Instant) {
        if self.is_caught_up {
            let counter = self.kernel_count();
            let reach = self.read_up_to(counter, node, now);
            self.tell(reach, counter, node);
        }
    }

    /// Looks at the node's processes: now and then, and while something is being killed, so that the next victims are known.
    pub fn scan_processes(&mut self, now: Instant) {
        let has_moved = self.has_moved_within(Duration::ZERO, now);
        let Some(processes) = &mut self.processes else { return };
        if has_moved || now.saturating_duration_since(self.scanned_at) >= SCAN {
            processes.scan();
            self.scanned_at = now;
        }
    }

    /// How long the next tick can wait.
    pub fn pause(&self, now: Instant) -> Duration {
        if self.is_caught_up && !self.has_moved_within(QUIET, now) { QUIET_TICK } else { TICK }
    }

    fn open(&mut self, node: &mut Node, now: Instant) {
        match Reader::open(&self.from) {
            Ok(reader) => {
                tracing::info!(source = reader.name(), "Reading the kernel log.");
                node.rereads();
                self.reader = Some(reader);
            }
            Err(error) => self.fail(&error, now),
        }
    }

    /// The log cannot be read for the time being. It is logged once for each reason.
    fn fail(&mut self, error: &SourceError, now: Instant) {
        let why = error.to_string();
        if self.failure.as_ref() != Some(&why) {
            tracing::error!(
                error = error as &dyn std::error::Error,
                retry_seconds = RETRY.as_secs(),
                "The kernel log cannot be read: kills are known by the counters alone. Trying again."
            );
            self.failure = Some(why.clone());
        }
        self.readiness.not_ready(PART, why);
        self.metrics.log_failures.inc();
        self.reader = None;
        self.retry_at = now + RETRY;
        self.is_caught_up = false;
    }

    /// Tells the node how far the log was read, and `/readyz` when it was read to its end.
    fn tell(&mut self, reach: Reach, counter: Option<u64>, node: &mut Node) {
        self.reach = reach;
        if reach == Reach::End {
            self.readiness.ready(PART);
            if self.failure.take().is_some() {
                tracing::info!("The kernel log was read to its end again.");
            }
        }
        let since = self.counter.or(self.first);
        let unseen = counter.zip(since).map(|(counter, since)| counter.saturating_sub(since));
        node.log_reaches(reach, unseen);
    }

    /// What the kernel has counted since boot.
    fn kernel_count(&mut self) -> Option<u64> {
        self.vmstat.as_mut()?.oom_kill()
    }

    fn has_moved_within(&self, time: Duration, now: Instant) -> bool {
        self.moved_at.is_some_and(|at| now.saturating_duration_since(at) <= time)
    }

    /// Reads all that the ring holds, until the counter is the same before and after.
    fn catch_up(&mut self, node: &mut Node, now: Instant) -> Reach {
        for _ in 0..OPENING_TRIES {
            let before = self.kernel_count();
            let reach = self.read(node, now);
            if reach != Reach::End {
                return reach;
            }
            if before == self.kernel_count() {
                self.counter = before;
                self.is_caught_up = true;
                return Reach::End;
            }
        }
        Reach::Behind
    }

    /// Reads the log, if it can tell more than when it was read last: `counter` was read just now.
    fn read_up_to(&mut self, counter: Option<u64>, node: &mut Node, now: Instant) -> Reach {
        let Some(reader) = &self.reader else { return Reach::Blind };
        let has_moved = counter.is_some() && self.counter != counter;
        if self.reach == Reach::End && !reader.is_due(has_moved, now) {
            return Reach::End;
        }
        let reach = self.read(node, now);
        if reach == Reach::End {
            // What moves the counter after this is read the next time.
            self.counter = counter;
        }
        reach
    }

    /// Reads to the end, or until the node has enough for the moment.
    fn read(&mut self, node: &mut Node, now: Instant) -> Reach {
        loop {
            if node.is_full() {
                return Reach::Behind;
            }
            let Some(reader) = &mut self.reader else { return Reach::Blind };
            let result = reader.read(now);
            self.take(node);
            match result {
                Ok(true) => return Reach::End,
                Ok(false) => {}
                Err(error) => self.fail(&error, now),
            }
        }
    }

    /// Hands on what was found.
    fn take(&mut self, node: &mut Node) {
        let Some(reader) = &mut self.reader else { return };
        let now = clock::now();
        for found in reader.take_found() {
            match found {
                Found::Event(Event::Kill(mut kill)) => {
                    if let Some(processes) = self.processes.as_ref().filter(|_| self.is_caught_up) {
                        remember(processes, &mut kill);
                    }
                    let at = if self.is_caught_up { clock::at_live(kill.usec, now) } else { clock::at(kill.usec, now) };
                    node.kill(*kill, at, Instant::now());
                }
                Found::SecondLine => node.second_line(Instant::now()),
                Found::Event(Event::Incomplete(_)) => drop(self.metrics.incomplete.inc()),
                Found::Event(Event::NoKill(_)) => {}
                Found::Event(Event::Suppressed(reports)) => drop(self.metrics.suppressed.inc_by(reports)),
                Found::Event(Event::Rejected) => drop(self.metrics.rejected.inc()),
            }
        }
        let lost = reader.take_lost();
        if lost > 0 {
            self.metrics.lost_records.inc_by(lost);
            tracing::warn!(lost, "Records of the kernel log were overwritten before they were read.");
        }
    }
}

/// Adds what is remembered of the victim to a kill of which the kernel names no cgroup.
fn remember(processes: &Processes, kill: &mut Kill) {
    let (None, Some(pid), Some(comm)) = (&kill.victim_cgroup, kill.pid, &kill.comm) else { return };
    if let Some(cgroup) = processes.cgroup(pid, comm) {
        kill.victim_cgroup = Some(cgroup.to_vec());
        kill.attribution = Attribution::Pid;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cgroups::Reading;
    use crate::node::Outcome;
    use clap::Parser;
    use podsight_evidence::annotation::{self, Evidence};
    use podsight_evidence::pods::{Container, Ended, Pod};
    use std::fs;
    use std::io;
    use std::path::Path;

    const UID: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";

    /// A node with one pod, whose counters can be read, and its log.
    struct Bed {
        folder: tempfile::TempDir,
        node: Node,
        log: Log,
        readiness: Readiness,
        metrics: AgentMetrics,
        now: Instant,
    }

    fn id() -> String {
        "5".repeat(64)
    }

    fn pod() -> Pod {
        let main = Container { name: "main".to_owned(), id: Some(id()), memory_limit: Some("32Mi".to_owned()), ..Container::default() };
        Pod { uid: UID.to_owned(), namespace: "default".to_owned(), name: "a".to_owned(), containers: vec![main], ..Pod::default() }
    }

    /// The records of a kill; the last one is its kill line. The numbers grow with `kill`.
    fn records(kill: u32) -> Vec<String> {
        let cgroup = format!("/kubepods/burstable/pod{UID}/{}", id());
        let (seq, usec) = (kill * 10, kill * 1_000_000);
        vec![
            format!("4,{seq},{usec},-;work invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=969"),
            format!(
                "6,{},{},-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={cgroup},task_memcg={cgroup},task=work,pid={kill},uid=0",
                seq + 1,
                usec + 1
            ),
            format!(
                "3,{},{},-;Memory cgroup out of memory: Killed process {kill} (work) total-vm:103392kB, anon-rss:32560kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:544kB oom_score_adj:969",
                seq + 2,
                usec + 2
            ),
        ]
    }

    fn log_of(kills: impl IntoIterator<Item = u32>) -> String {
        kills.into_iter().flat_map(records).map(|record| record + "\n").collect()
    }

    impl Bed {
        /// The log is at `folder/log`, and not there yet. The kernel has counted `counter` kills so far.
        fn new(counter: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let args = ["podsight-agent".as_ref(), "--node-name=n".as_ref(), "--kernel-log".as_ref(), path.as_os_str()];
            let args = Args::try_parse_from(args).unwrap();
            let readiness = Readiness::default();
            let metrics = AgentMetrics::unregistered();
            let mut node = Node::new("4f1d2c3b".parse().unwrap(), None, metrics.clone(), Instant::now());
            node.has_counters();
            node.judges_ends_since(clock::now());
            let mut log = Log::new(&args, metrics.clone(), readiness.clone());
            // A recorded log has no counter of its own.
            set_counter(folder.path(), counter);
            log.vmstat = Some(Vmstat::new(folder.path()));
            (log.first, log.looked_at) = (Some(counter), Some(counter));
            Self { folder, node, log, readiness, metrics, now: Instant::now() }
        }

        fn list(&mut self) {
            self.node.list_begins();
            self.node.pod(pod(), self.now);
            self.node.list_ends(self.now);
        }

        fn counts(&self, counter: u64) {
            set_counter(self.folder.path(), counter);
        }

        fn holds(&self, kills: impl IntoIterator<Item = u32>) {
            fs::write(self.folder.path().join("log"), log_of(kills)).unwrap();
        }

        /// So much later: everything that is done at a tick. The pod's own counter stands at `kills`.
        fn tick_after(&mut self, time: Duration, kills: u64) {
            self.now += time;
            self.log.tick(&mut self.node, self.now);
            if self.node.wants_counters() {
                let reading = Reading { key: UID.to_owned(), uids: vec![UID.to_owned()], is_pod: true, kills };
                self.log.read_on(&mut self.node, self.now);
                self.node.settle(self.now);
                self.node.counters(&[reading], clock::now(), self.now);
            }
            self.node.settle(self.now);
            self.node.judge_ends(self.now);
        }

        fn ticks(&mut self, count: u32, kills: u64) {
            for _ in 0..count {
                self.tick_after(TICK, kills);
            }
        }

        /// Writes what there is to write, and gives back what is on the pod then.
        fn evidence(&mut self) -> Option<Evidence> {
            let mut last = None;
            while let Some(write) = self.node.next_write(self.now) {
                last = Some(annotation::read(&write.evidence).unwrap());
                self.node.written(&write.uid, Outcome::Written, clock::now(), self.now);
            }
            last
        }
    }

    fn set_counter(folder: &Path, counter: u64) {
        fs::write(folder.join("vmstat"), format!("nr_free_pages 1\noom_kill {counter}\n")).unwrap();
    }

    #[test]
    fn the_counter_is_looked_at_more_often_while_something_is_killed() {
        let mut bed = Bed::new(7);
        bed.list();
        assert_eq!(bed.log.pause(bed.now), TICK, "the log is not read yet");
        fs::write(bed.folder.path().join("log"), "").unwrap();
        bed.tick_after(Duration::ZERO, 0);
        assert_eq!(bed.log.pause(bed.now), QUIET_TICK);
        bed.counts(8);
        bed.tick_after(QUIET_TICK, 0);
        assert_eq!(bed.log.pause(bed.now), TICK);
        assert_eq!(bed.log.pause(bed.now + QUIET + TICK), QUIET_TICK);
    }

    #[test]
    fn without_the_log_the_counters_go_on_and_its_lines_count_no_kill_again() {
        let mut bed = Bed::new(7);
        bed.list();
        bed.tick_after(Duration::ZERO, 0);
        assert!(!bed.readiness.is_ready());
        assert_eq!(bed.metrics.log_failures.get(), 1);
        bed.counts(9);
        bed.ticks(8, 2);
        let evidence = bed.evidence().unwrap();
        let main = &evidence.containers["main"];
        assert_eq!((main.kills, evidence.lost, main.recent.len()), (2, 2, 0));
        assert_eq!(bed.node.balance().counted, None, "the account waits for the log");
        assert_eq!(bed.metrics.log_failures.get(), 1, "it is not tried at each tick");

        bed.holds([1, 2]);
        bed.tick_after(RETRY, 2);
        assert!(bed.readiness.is_ready());
        bed.ticks(30, 2);
        let evidence = bed.evidence().unwrap();
        let main = &evidence.containers["main"];
        assert_eq!((main.kills, evidence.lost, main.recent.len(), main.scope.as_deref()), (2, 0, 2, Some("container")));
        let balance = bed.node.balance();
        assert_eq!((balance.counted, balance.attributed, balance.lost, balance.gap), (Some(2), 2, 0, 0));
    }

    #[test]
    fn a_log_that_fails_is_read_again_and_what_it_no_longer_holds_is_lost() {
        for (holds, lost) in [(vec![1, 2, 3, 4], 0), (vec![4], 1)] {
            let mut bed = Bed::new(0);
            bed.counts(2);
            bed.log.looked_at = Some(2);
            let failure = Err(io::Error::other("the device is gone"));
            bed.log.reader = Some(Reader::of_records([1, 2].into_iter().flat_map(records).map(Ok)));
            bed.log.tick(&mut bed.node, bed.now);
            assert!(bed.readiness.is_ready());
            bed.list();
            bed.ticks(4, 2);
            bed.log.reader = Some(Reader::of_records([failure]));
            bed.tick_after(TICK, 2);
            assert!(!bed.readiness.is_ready());

            bed.counts(4);
            bed.ticks(8, 4);
            assert_eq!(bed.evidence().unwrap().containers["main"].kills, 4, "by the counter");
            let before = bed.node.balance();
            assert_eq!((before.counted, before.lost, before.gap), (Some(2), 0, 0), "nothing is given up while the log is away");

            bed.holds(holds);
            bed.tick_after(RETRY, 4);
            assert!(bed.readiness.is_ready());
            bed.ticks(40, 4);
            let evidence = bed.evidence().unwrap();
            assert_eq!((evidence.containers["main"].kills, evidence.lost), (4, lost));
            let balance = bed.node.balance();
            assert_eq!((balance.counted, balance.attributed, balance.lost, balance.gap), (Some(4), 4 - lost, lost, 0));
        }
    }

    /// With and without their reports: the first ones are told by the lines, the others by the pod's counter.
    #[test]
    fn more_kills_at_the_start_than_the_node_takes_at_once() {
        const KILLS: u32 = 3_000;
        for bare in [false, true] {
            let lines = |kill| records(kill).into_iter().skip(if bare { 2 } else { 0 });
            let mut bed = Bed::new(3_005);
            bed.log.reader = Some(Reader::of_records((1..=KILLS).flat_map(lines).map(Ok)));
            bed.tick_after(Duration::ZERO, 3_000);
            bed.ticks(8, 3_000);
            assert!(!bed.readiness.is_ready(), "no pod is known yet, and there are more lines than can wait for one");
            assert_eq!(bed.node.balance().counted, None);
            bed.list();
            bed.ticks(40, 3_000);
            assert!(bed.readiness.is_ready());
            let balance = bed.node.balance();
            assert_eq!((balance.counted, balance.attributed, balance.unattributed), (Some(3_000), 3_000, 0), "bare: {bare}");
            assert_eq!((balance.pending, balance.lost, balance.gap), (0, 0, 0));
            let evidence = bed.evidence().unwrap();
            assert_eq!((evidence.containers["main"].kills, evidence.lost), (3_000, 0));
        }
    }

    #[test]
    fn an_end_is_no_false_claim_while_a_kill_may_have_gone_unseen() {
        for (counter, verdict) in [(7, "oom-flag-false"), (8, "oom-unattributed")] {
            let mut bed = Bed::new(7);
            bed.list();
            bed.tick_after(Duration::ZERO, 0);
            bed.counts(counter);
            let mut ended = pod();
            ended.containers[0].ended = vec![Ended { id: None, at: clock::now(), exit_code: 137, reason: "OOMKilled".to_owned() }];
            ended.containers[0].ended[0].at += jiff::SignedDuration::from_secs(1);
            bed.node.pod(ended, bed.now);
            // Its own counter went with it.
            bed.ticks(50, 0);
            assert_eq!(bed.evidence().unwrap().containers["main"].verdict, verdict);
        }
    }
}
