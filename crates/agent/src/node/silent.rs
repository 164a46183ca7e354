//! Ends of containers that look like a kill: was it the kernel?

use super::Node;
use super::settle::trusted_evidence;
use crate::metrics::VerdictLabels;
use crate::record::PodRecord;
use jiff::Timestamp;
use podsight_cause::Cause;
use podsight_evidence::pods::{Ended, Pod};
use podsight_evidence::verdict::{asks_for_verdict, is_by, is_by_kill_of, without_kill};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// How long after an end is shown the kernel's side of it is waited for: longer than any kill waits for its place.
const HEARING: Duration = Duration::from_secs(10);
/// Kills without an owner whose times are remembered.
const MAX_UNOWNED: usize = 64;
/// How long a kill that was counted and never seen may have been any end: it is given up some time after it happened, and an end is judged
/// some time after it is shown.
const LOST_MEMORY: Duration = Duration::from_mins(1);

/// The ends that are or were judged.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Ends before this are not judged: the log does not reach back to them. Absent if none is.
    since: Option<Timestamp>,
    pending: BTreeMap<(String, String), End>,
    judged: BTreeMap<(String, String), Timestamp>,
    /// When kills happened that could not be put down to anybody.
    unowned: VecDeque<Timestamp>,
    lost: Lost,
}

/// Kills that were counted and never seen.
#[derive(Debug, Default)]
struct Lost {
    /// All of them, ever.
    total: u64,
    /// Those of late.
    late: u64,
    /// When the last of them was given up.
    at: Option<Instant>,
}

impl Lost {
    /// Those that may have been an end that is judged now. `total` is all that were lost, ever.
    fn of_late(&mut self, total: u64, now: Instant) -> u64 {
        if self.at.is_some_and(|at| now.saturating_duration_since(at) > LOST_MEMORY) {
            self.late = 0;
        }
        let new = total.saturating_sub(self.total);
        if new > 0 {
            self.late = self.late.saturating_add(new);
            self.at = Some(now);
        }
        self.total = total;
        self.late
    }
}

impl Ends {
    /// How many ends are known.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.pending.len() + self.judged.len()
    }
}

#[derive(Debug)]
struct End {
    ended: Ended,
    since: Instant,
}

impl Node {
    /// Judges ends from this moment on.
    pub fn judges_ends_since(&mut self, since: Timestamp) {
        self.ends.since = Some(since);
        // What was lost before was none of the ends from now on.
        self.ends.lost = Lost { total: self.ledger.balance().lost, ..Lost::default() };
    }

    /// Looks for ends in a pod's status.
    pub(super) fn note_ends(&mut self, pod: &Pod, now: Instant) {
        let Some(since) = self.ends.since else { return };
        for container in &pod.containers {
            let Some(ended) = container.ended.iter().rev().find(|ended| asks_for_verdict(ended) && ended.at >= since) else { continue };
            let key = (pod.uid.clone(), container.name.clone());
            if self.ends.judged.get(&key) == Some(&ended.at) || self.ends.pending.get(&key).is_some_and(|end| end.ended.at == ended.at) {
                continue;
            }
            self.ends.pending.insert(key, End { ended: ended.clone(), since: now });
        }
    }

    /// Judges the ends of a pod that goes, by what is known by now, and forgets them.
    pub(super) fn judge_last_ends(&mut self, uid: &str, now: Instant) {
        let (last, pending) = std::mem::take(&mut self.ends.pending).into_iter().partition(|((of, _), _)| of == uid);
        self.ends.pending = pending;
        let last: BTreeMap<(String, String), End> = last;
        for ((uid, name), end) in last {
            self.judge(&uid, &name, &end.ended, now);
        }
        self.ends.judged.retain(|(of, _), _| of != uid);
    }

    /// Notes when a kill happened that nobody could be named for.
    pub(super) fn note_unowned(&mut self, at: Timestamp) {
        if self.ends.unowned.len() >= MAX_UNOWNED {
            self.ends.unowned.pop_front();
        }
        self.ends.unowned.push_back(at);
    }

    /// Gives a verdict on every end that has been waited for long enough. Not, while it cannot even be known whether there was a kill.
    pub fn judge_ends(&mut self, now: Instant) {
        let Some(lost) = self.lost() else { return };
        self.ends.lost.of_late(lost, now);
        let due: Vec<(String, String)> = self
            .ends
            .pending
            .iter()
            .filter(|(_, end)| now.saturating_duration_since(end.since) >= HEARING)
            .map(|(key, _)| key.clone())
            .collect();
        for key in due {
            let Some(end) = self.ends.pending.remove(&key) else { continue };
            self.judge(&key.0, &key.1, &end.ended, now);
            if self.pods.get(&key.0).is_some() {
                self.ends.judged.insert(key, end.ended.at);
            }
        }
    }

    /// All kills, ever, that no line tells of; absent while that cannot be known.
    fn lost(&self) -> Option<u64> {
        self.log.unseen().map(|unseen| unseen.saturating_add(self.ledger.balance().lost))
    }

    fn judge(&mut self, uid: &str, name: &str, ended: &Ended, now: Instant) {
        let Some(pod) = self.pods.get(uid) else { return };
        let evidence = match self.records.get(uid) {
            Some(record) => record.container(name),
            None => pod.evidence.as_ref().and_then(|evidence| evidence.containers.get(name)),
        };
        let was_killed = evidence.is_some_and(|evidence| {
            let times = evidence.recent.iter().map(|kill| &kill.at).chain([&evidence.last]);
            evidence.kills > 0 && times.filter_map(|at| at.parse().ok()).any(|at| is_by_kill_of(evidence, ended, at))
        });
        let verdict = if was_killed {
            evidence.and_then(|evidence| Cause::from_id(&evidence.verdict)).unwrap_or(Cause::OomUnattributed)
        } else {
            // A kill that has no owner, or that was counted and never seen, may have been this one.
            let unowned = self.ends.unowned.iter().filter(|at| is_by(ended, **at)).count();
            let Some(lost) = self.lost() else { return };
            let lost = self.ends.lost.of_late(lost, now);
            without_kill(pod, ended, u64::try_from(unowned).unwrap_or(u64::MAX).saturating_add(lost))
        };
        self.metrics.verdicts.get_or_create(&VerdictLabels { verdict: verdict.id() }).inc();
        if was_killed {
            return;
        }
        tracing::info!(
            namespace = pod.namespace,
            pod = pod.name,
            container = name,
            exit_code = ended.exit_code,
            reason = ended.reason,
            at = %ended.at,
            verdict = verdict.id(),
            "A container ended as if it was killed for memory, and the kernel tells of no such kill."
        );
        // A pod on its way out needs no evidence, and kills that were confirmed before weigh more than this.
        if pod.is_deleted || evidence.is_some_and(|evidence| evidence.kills > 0) {
            return;
        }
        let record = self.records.entry(uid.to_owned()).or_insert_with(|| PodRecord::new(trusted_evidence(pod, self.latest)));
        if record.deny(name, ended.at, pod.container(name).and_then(|container| container.memory_limit.clone()), verdict) {
            self.queue.add(uid, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::AgentMetrics;
    use crate::node::{Outcome, Reach};
    use podsight_evidence::pods::Container;

    fn ended_pod(reason: &str, exit_code: i32, at: i64) -> Pod {
        let ended = Ended { id: Some("aa".to_owned()), at: Timestamp::from_second(at).unwrap(), exit_code, reason: reason.to_owned() };
        Pod {
            uid: "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f".to_owned(),
            namespace: "default".to_owned(),
            name: "a".to_owned(),
            containers: vec![Container {
                name: "main".to_owned(),
                memory_limit: Some("32Mi".to_owned()),
                ended: vec![ended],
                ..Container::default()
            }],
            ..Pod::default()
        }
    }

    fn node(start: Instant) -> Node {
        let mut node = Node::new("4f1d2c3b".parse().unwrap(), None, AgentMetrics::unregistered(), start);
        node.log_reaches(Reach::End, None);
        node.judges_ends_since(Timestamp::from_second(1_000).unwrap());
        node.list_begins();
        node.list_ends(start);
        node
    }

    fn written(node: &mut Node, now: Instant) -> Option<String> {
        let write = node.next_write(now)?;
        node.written(&write.uid, Outcome::Written, Timestamp::from_second(2_000).unwrap(), now);
        assert_eq!(write.sentence, None, "nothing was killed by the kernel");
        Some(write.evidence)
    }

    #[test]
    fn a_claim_that_the_kernel_contradicts() {
        let start = Instant::now();
        let mut node = node(start);
        node.pod(ended_pod("OOMKilled", 137, 1_500), start);
        node.judge_ends(start + Duration::from_secs(9));
        assert_eq!(written(&mut node, start + Duration::from_secs(9)), None, "not before the kernel was heard");
        let later = start + Duration::from_secs(11);
        node.judge_ends(later);
        assert_eq!(
            written(&mut node, later).unwrap(),
            r#"{"v":1,"containers":{"main":{"kills":0,"incidents":0,"first":"1970-01-01T00:25:00Z","last":"1970-01-01T00:25:00Z","scope":null,"limit":"32Mi","peak":null,"visible":true,"verdict":"oom-flag-false","recent":[]}},"unattributed":0,"lost":0}"#
        );
        node.pod(ended_pod("OOMKilled", 137, 1_500), later);
        let much_later = later + Duration::from_mins(1);
        node.judge_ends(much_later);
        assert_eq!(written(&mut node, much_later), None, "once is enough");
    }

    #[test]
    fn a_kill_without_an_owner_may_have_been_it() {
        let start = Instant::now();
        let mut node = node(start);
        node.pod(ended_pod("OOMKilled", 137, 1_500), start);
        node.note_unowned(Timestamp::from_second(1_499).unwrap());
        let later = start + Duration::from_secs(11);
        node.judge_ends(later);
        assert!(written(&mut node, later).unwrap().contains("oom-unattributed"));
    }

    #[test]
    fn a_lost_kill_may_have_been_an_end_for_a_minute() {
        let start = Instant::now();
        let mut lost = Lost { total: 3, ..Lost::default() };
        assert_eq!(lost.of_late(3, start), 0, "lost before");
        assert_eq!(lost.of_late(5, start), 2);
        assert_eq!(lost.of_late(5, start + LOST_MEMORY), 2);
        assert_eq!(lost.of_late(5, start + Duration::from_secs(61)), 0);
        assert_eq!(lost.of_late(6, start + Duration::from_secs(62)), 1);
    }

    #[test]
    fn what_ended_before_the_log_begins_is_not_judged() {
        let start = Instant::now();
        let mut node = node(start);
        node.pod(ended_pod("OOMKilled", 137, 500), start);
        node.pod(ended_pod("Error", 1, 1_500), start);
        let later = start + Duration::from_secs(11);
        node.judge_ends(later);
        assert_eq!(written(&mut node, later), None);
    }

    #[test]
    fn an_end_of_a_pod_that_goes_is_judged_before_it_is_gone() {
        let start = Instant::now();
        let mut node = node(start);
        node.pod(Pod { is_deleted: true, ..ended_pod("Error", 137, 1_500) }, start);
        node.pod_deleted("3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f", start);
        let count = |verdict| node.metrics.verdicts.get_or_create(&VerdictLabels { verdict }).get();
        assert_eq!((count("stop-grace-exceeded"), count("killer-unknown")), (1, 0));
        node.judge_ends(start + Duration::from_mins(1));
        let count = |verdict| node.metrics.verdicts.get_or_create(&VerdictLabels { verdict }).get();
        assert_eq!(count("stop-grace-exceeded"), 1, "once is enough");
    }
}
