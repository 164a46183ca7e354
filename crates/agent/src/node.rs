//! What the agent knows of its node: pods, kills on their way, evidence, the account. No I/O and no clock.

mod reach;
mod settle;
mod silent;
mod storm;
#[cfg(test)]
mod tests;
mod written;

use crate::metrics::AgentMetrics;
use crate::publish::Write;
use crate::queue::Queue;
use crate::record::PodRecord;
use jiff::Timestamp;
use podsight_evidence::checkpoint::{Account, Checkpoint};
use podsight_evidence::id::{BootId, KillId};
use podsight_evidence::ledger::{Balance, Ledger};
use podsight_evidence::pods::{Pod, Pods};
use podsight_oom::Kill;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

pub use reach::Reach;

/// Kills whose pod or container is not known yet. When it is full the log is not read on: the ring keeps what comes.
pub const MAX_WAITING: usize = 1024;
/// At the start so many more kill lines without a cgroup are held: only all of them together can be as many as the counters show.
const MAX_BARE_HISTORY: usize = 4096;

/// The node.
#[derive(Debug)]
pub struct Node {
    boot: BootId,
    metrics: AgentMetrics,
    pods: Pods,
    /// The pods of a listing that is under way.
    listing: Option<BTreeSet<String>>,
    /// Since when all pods are known.
    synced: Option<Instant>,
    waiting: VecDeque<Waiting>,
    /// Kill lines without a cgroup, while the containers' counters may still tell whose they are.
    bare: VecDeque<Waiting>,
    counters: Counters,
    ends: silent::Ends,
    log: reach::Known,
    records: BTreeMap<String, PodRecord>,
    queue: Queue,
    ledger: Ledger,
    /// Up to here everything was written before this run.
    resume: Option<KillId>,
    /// What was written beyond that, by this run and those before.
    written: written::Beyond,
    /// Up to here lines were counted in the account before this run.
    account_resume: Option<Account>,
    ordinal: u64,
    /// The last kill that was read, and its incident.
    latest: Option<(KillId, u64)>,
    /// Where the last kill that was put down was counted.
    counted: Option<settle::Counted>,
    /// The incident of the last kill that was written before this run.
    resumed_incident: Option<u64>,
    account: Option<Account>,
}

/// How far the containers' own counters are of use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// They cannot be read.
    #[default]
    Absent,
    /// They were not compared with the log since the start.
    Uncompared,
    /// What they show from now on is new.
    Compared,
}

/// What is known of the containers' own counters.
#[derive(Debug, Default)]
struct Counters {
    stage: Stage,
    /// Whether a pod's counter holds those of its containers (cgroup v2).
    count_pods: bool,
    /// Counts from before everything that the log and the pods tell.
    written_off: BTreeMap<String, u64>,
    /// Whether the kernel has counted kills whose lines are lost: some container's counter may tell.
    are_wanted: bool,
    /// Since when there are counts without a line.
    excess_since: Option<Instant>,
}

/// A kill whose place is looked for.
#[derive(Debug)]
struct Waiting {
    ordinal: u64,
    /// The kill read before it.
    before: Option<KillId>,
    id: KillId,
    kill: Kill,
    at: Timestamp,
    since: Instant,
    /// Kill lines that tell of it.
    lines: u64,
    /// How often the counters were asked whose it is.
    looks: u32,
    /// It was read among lines from before this run, or from while the log could not be read.
    is_history: bool,
}

impl Node {
    /// A node of which nothing is known but what a checkpoint of this boot says.
    pub fn new(boot: BootId, checkpoint: Option<Checkpoint>, metrics: AgentMetrics, now: Instant) -> Self {
        let checkpoint = checkpoint.filter(|checkpoint| checkpoint.boot == boot);
        let account_resume = checkpoint.as_ref().and_then(|checkpoint| checkpoint.account);
        Self {
            boot,
            metrics,
            pods: checkpoint.as_ref().map_or_else(Pods::default, |checkpoint| Pods::with_past_ids(&checkpoint.past_ids)),
            listing: None,
            synced: None,
            waiting: VecDeque::new(),
            bare: VecDeque::new(),
            counters: Counters::default(),
            ends: silent::Ends::default(),
            log: reach::Known::new(checkpoint.is_some()),
            records: BTreeMap::new(),
            queue: Queue::new(now),
            ledger: account_resume.map_or_else(Ledger::default, |account| Ledger::open(account.counter)),
            written: checkpoint.as_ref().map_or_else(written::Beyond::default, |checkpoint| written::Beyond::new(&checkpoint.written)),
            resume: checkpoint.and_then(|checkpoint| checkpoint.through),
            account_resume,
            ordinal: 0,
            latest: None,
            counted: None,
            resumed_incident: None,
            account: None,
        }
    }

    /// Takes a kill that was read. `at` is when it happened.
    pub fn kill(&mut self, kill: Kill, at: Timestamp, now: Instant) {
        let id = KillId { boot: self.boot, seq: kill.seq, usec: kill.usec, pid: kill.pid };
        self.log.is_repetition = self.log.repeats(&id);
        if self.log.is_repetition {
            self.resumed_incident = Some(kill.incident);
            return;
        }
        if self.log.cannot_tell(&id) {
            self.log.is_repetition = true;
            self.log.untold += 1;
            return;
        }
        if self.latest.is_some_and(|(latest, _)| latest == id) {
            // Told again with more known: the cgroup of a group kill stands in the line after the kill.
            self.latest = Some((id, kill.incident));
            if let Some(waiting) = self.waiting.back_mut().filter(|waiting| waiting.id == id) {
                waiting.kill = kill;
            }
            return;
        }
        if !self.is_accounted(&id) {
            self.ledger.line();
        }
        let before = self.latest.replace((id, kill.incident)).map(|(id, _)| id);
        if self.resume.is_some_and(|resume| resume.covers(&id)) {
            self.resumed_incident = Some(kill.incident);
            self.settle_line(&id, true);
            return;
        }
        self.ordinal += 1;
        let is_history = self.log.is_history();
        self.waiting.push_back(Waiting { ordinal: self.ordinal, before, id, kill, at, since: now, lines: 1, looks: 0, is_history });
    }

    /// Takes a kill line that tells of the last kill once more. The kernel has counted it once more, too.
    pub fn second_line(&mut self, now: Instant) {
        let Some((latest, _)) = self.latest.filter(|_| !self.log.is_repetition) else { return };
        if !self.is_accounted(&latest) {
            self.ledger.line();
            self.ledger.attributed();
        }
        if let Some(waiting) = self.waiting.back_mut().filter(|waiting| waiting.id == latest) {
            waiting.lines += 1;
        } else {
            self.count_once_more(&latest, now);
        }
    }

    /// Whether no more kills should be read for the moment.
    pub fn is_full(&self) -> bool {
        let room = if self.log.is_history() { MAX_BARE_HISTORY } else { 0 };
        self.waiting.len() + self.bare.len().saturating_sub(room) >= MAX_WAITING
    }

    /// The listing of all pods begins.
    pub fn list_begins(&mut self) {
        self.listing = Some(BTreeSet::new());
    }

    /// A pod as it is now.
    pub fn pod(&mut self, pod: Pod, now: Instant) {
        if let Some(listing) = &mut self.listing {
            listing.insert(pod.uid.clone());
        }
        // A pod with evidence from before this run: what came of the last kill may not be written yet.
        if pod.evidence.as_ref().is_some_and(|evidence| evidence.kills() > 0) && !self.records.contains_key(&pod.uid) {
            self.records.insert(pod.uid.clone(), PodRecord::new(settle::trusted_evidence(&pod, self.latest)));
        }
        if let Some(record) = self.records.get_mut(&pod.uid) {
            record.keep_in_review(now);
        }
        self.note_ends(&pod, now);
        self.pods.apply(pod);
        self.metrics.pods.set(i64::try_from(self.pods.len()).unwrap_or(i64::MAX));
    }

    /// A pod was deleted.
    pub fn pod_deleted(&mut self, uid: &str, now: Instant) {
        self.judge_last_ends(uid, now);
        if self.records.get(uid).is_some_and(|record| !record.is_pending()) {
            self.records.remove(uid);
        }
        self.pods.remove(uid);
        self.metrics.pods.set(i64::try_from(self.pods.len()).unwrap_or(i64::MAX));
    }

    /// The listing of all pods is complete.
    pub fn list_ends(&mut self, now: Instant) {
        if let Some(listing) = self.listing.take() {
            let gone: Vec<String> = self.pods.iter().map(|pod| pod.uid.clone()).filter(|uid| !listing.contains(uid)).collect();
            for uid in gone {
                self.pod_deleted(&uid, now);
            }
        }
        self.synced.get_or_insert(now);
    }

    /// The API server answers again: nobody has to wait for his pause any more.
    pub fn server_is_back(&mut self, now: Instant) {
        self.queue.retry_now(now);
    }

    /// Looks at containers with kills again: what the API shows after a while says whether it was the main process.
    pub fn review(&mut self, wall: Timestamp, now: Instant) {
        for (uid, record) in self.records.iter_mut().filter(|(_, record)| record.is_in_review(now)) {
            let Some(pod) = self.pods.get(uid) else { continue };
            if record.review(pod, wall) {
                self.queue.add(uid, now);
            }
        }
        self.records.retain(|uid, record| self.pods.get(uid).is_some() || record.is_pending());
    }

    /// The next write, if one is due. Give its outcome to [`Node::written`].
    pub fn next_write(&mut self, now: Instant) -> Option<Write> {
        loop {
            let uid = self.queue.take(now)?;
            let pod = self.pods.get(&uid).or_else(|| self.pods.gone(&uid)).or_else(|| self.pods.never_shown(&uid));
            let is_gone = self.pods.get(&uid).is_none();
            let Some((record, pod)) = self.records.get_mut(&uid).zip(pod) else {
                self.queue.done(&uid, now);
                if self.records.remove(&uid).is_some() {
                    // So many pods have gone since that not even its name is known.
                    self.metrics.gone_pod("dropped");
                }
                continue;
            };
            if is_gone {
                record.announce_unwritten();
            }
            if is_gone && !record.has_announcement() {
                self.queue.done(&uid, now);
                self.records.remove(&uid);
                continue;
            }
            return Some(record.begin_write(pod, is_gone));
        }
    }

    /// What came of a write.
    pub fn written(&mut self, uid: &str, outcome: Outcome, wall: Timestamp, now: Instant) {
        self.metrics.writes.get_or_create(&crate::metrics::WriteLabels { outcome: outcome.label() }).inc();
        let Some(record) = self.records.get_mut(uid) else {
            self.queue.done(uid, now);
            return;
        };
        match outcome {
            Outcome::Written => {
                self.queue.done(uid, now);
                if record.tells_of_gone() {
                    self.metrics.gone_pod("told");
                }
                let mark = record.mark_in_flight().filter(|mark| mark.boot == self.boot);
                if let Some(oldest) = record.end_write() {
                    #[expect(clippy::cast_precision_loss, reason = "seconds, for a histogram")]
                    self.metrics.delay.observe((wall.as_millisecond() - oldest.as_millisecond()).max(0) as f64 / 1000.0);
                }
                if record.is_dirty() {
                    self.queue.add(uid, now);
                } else if self.pods.get(uid).is_none() {
                    self.records.remove(uid);
                }
                if let Some(mark) = mark {
                    self.written.note(uid, mark);
                }
            }
            Outcome::Gone => {
                record.undo_write();
                self.pods.remove(uid);
                self.queue.done(uid, now);
                self.queue.add(uid, now);
            }
            Outcome::Failed => {
                record.undo_write();
                // A pod that is no more is told of as well, however long the API server is away: only so many of them are remembered.
                self.queue.failed(uid, now);
            }
        }
    }

    /// When [`Node::next_write`] is worth a call.
    pub fn next_write_at(&self, now: Instant) -> Option<Instant> {
        self.queue.next_at(now)
    }

    /// The kernel's counter, read just before the log was read to its end. `first` is what it was at the start of the run: a kill since then is in
    /// the account, also if its line is not in the log any more.
    pub fn counter(&mut self, counter: u64, first: Option<u64>) {
        if !self.ledger.is_open() {
            self.ledger.open_before_lines(counter, first.unwrap_or(counter));
        }
        let lost = self.ledger.reading(counter);
        if lost > 0 {
            self.counters.are_wanted = true;
            tracing::error!(lost, "The kernel has counted kills that its log does not show.");
        }
        if let Some(counter) = self.ledger.balanced_counter() {
            self.account = Some(Account { counter, through: self.latest.map(|(id, _)| id) });
        }
        self.metrics.balance(&self.balance());
        self.metrics.queue.set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
    }

    /// What the account stands at.
    pub fn balance(&self) -> Balance {
        self.ledger.balance()
    }

    /// Up to where everything is written, for a restart.
    pub fn checkpoint(&self) -> Checkpoint {
        let through = self.written_through();
        let past_ids = Arc::clone(self.pods.past_ids());
        Checkpoint {
            boot: self.boot,
            through,
            account: self.account.or(self.account_resume),
            past_ids,
            written: self.written.beyond(through).collect(),
        }
    }

    /// The last kill of which everything was written, and of all before it.
    fn written_through(&self) -> Option<KillId> {
        let waiting = [self.waiting.front(), self.bare.front()].into_iter().flatten().map(|waiting| (waiting.ordinal, waiting.before));
        let unwritten = self.records.values().filter_map(PodRecord::oldest_unwritten);
        let oldest = unwritten.chain(waiting).min_by_key(|(ordinal, _)| *ordinal);
        let through = match oldest {
            Some((_, before)) => before,
            None => self.latest.map(|(id, _)| id),
        };
        // A log that could not be read on may have shown only a part of what was written before.
        match (through, self.resume) {
            (Some(through), Some(resume)) if !resume.covers(&through) => Some(through),
            (through, None) => through,
            (_, resume) => resume,
        }
    }
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Written,
    /// There is no such pod any more.
    Gone,
    /// It is worth another try.
    Failed,
}

impl Outcome {
    const fn label(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }
}
