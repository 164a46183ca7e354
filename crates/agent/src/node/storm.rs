//! Storms: kill lines without a cgroup, put down by the containers' own counters.

use super::settle::{foreign_scope, is_worth_an_event, log_kill, trusted_evidence};
use super::{Node, Reach, Stage, Waiting};
use crate::bare::{Excess, share};
use crate::cgroups::Reading;
use crate::metrics::Victim;
use crate::publish::Announcement;
use crate::record::PodRecord;
use jiff::Timestamp;
use podsight_cause::Cause;
use podsight_evidence::merge::ConfirmedKill;
use podsight_evidence::pods::Pod;
use podsight_oom::Attribution;
use std::time::Duration;
use tokio::time::Instant;

/// How long a kill line waits for a counter that moves, and a counter that has moved for its line.
const BARE_PATIENCE: Duration = Duration::from_secs(5);
/// How often the counters have to be asked at least: the agent may have been kept from running for longer than that.
const MIN_LOOKS: u32 = 8;
/// How long counts wait for lines that are not there yet.
const LINE_PATIENCE: Duration = Duration::from_secs(1);

impl Waiting {
    fn may_be_in(&self, uids: &[String]) -> bool {
        let path = self.kill.victim_cgroup.as_deref().unwrap_or_default();
        podsight_cgroup::parse(path).pod_uids.iter().any(|uid| uids.contains(uid))
    }
}

impl Node {
    /// Says that the containers' own counters can be read.
    pub fn has_counters(&mut self) {
        self.counters.stage = Stage::Uncompared;
    }

    /// Whether the counters should be read: kill lines wait for them, or they were never compared with the log.
    pub fn wants_counters(&self) -> bool {
        let is_needed = match self.counters.stage {
            Stage::Absent => false,
            Stage::Uncompared => true,
            Stage::Compared => !self.bare.is_empty() || self.counters.are_wanted || self.counters.excess_since.is_some(),
        };
        is_needed && self.synced.is_some()
    }

    /// Takes all counters, read before the log was read to its end.
    pub fn counters(&mut self, readings: &[Reading], wall: Timestamp, now: Instant) {
        // Lines that were not read yet may tell of what the counters show. They are read as long as there is room for them.
        if self.log.reach == Reach::Behind && !self.is_full() {
            return;
        }
        self.counters.count_pods = readings.iter().any(|reading| reading.is_pod);
        let excesses = self.excesses(readings);
        let must = self.counters.stage == Stage::Compared
            && self.counters.excess_since.is_some_and(|since| now.saturating_duration_since(since) >= LINE_PATIENCE);
        let shares = share(self.bare.len(), &excesses, must);
        tracing::debug!(
            counters = readings.len(),
            moved = excesses.len(),
            lines = self.bare.len(),
            shared_out = shares.len(),
            "Compared counters."
        );
        let mut bare: Vec<Option<Waiting>> = std::mem::take(&mut self.bare).into_iter().map(Some).collect();
        for share in shares {
            let excess = excesses.get(share.of).cloned();
            if let Some((waiting, excess)) = bare.get_mut(share.index).and_then(Option::take).zip(excess) {
                self.record_counted(&waiting, &excess, share.is_certain, now);
            }
        }
        self.bare = bare.into_iter().flatten().collect();
        self.count_alone(readings, wall, now);
        self.give_up(now);
    }

    /// Gives up the kill lines that no counter has told of.
    fn give_up(&mut self, now: Instant) {
        for waiting in std::mem::take(&mut self.bare) {
            if waiting.looks < MIN_LOOKS || now.saturating_duration_since(waiting.since) < BARE_PATIENCE {
                self.bare.push_back(Waiting { looks: waiting.looks.saturating_add(1), ..waiting });
                continue;
            }
            self.note_unowned(waiting.at);
            self.settle_line(&waiting.id, false);
            self.metrics.kill(Victim::unknown, foreign_scope(&waiting.kill), Attribution::None);
            log_kill(&waiting, None, None, None);
        }
    }

    fn excesses(&self, readings: &[Reading]) -> Vec<Excess> {
        readings.iter().filter_map(|reading| self.excess(reading)).collect()
    }

    /// Counts beyond those that are accounted for. A pod's counter serves where there is one container, because it outlives the container's; in others the
    /// containers' own do.
    fn excess(&self, reading: &Reading) -> Option<Excess> {
        let pod = reading.uids.iter().find_map(|uid| self.pods.by_cgroup_uid(uid))?;
        // A kill of this pod whose container is not known yet is in the counter already.
        if self.waiting.iter().any(|waiting| waiting.may_be_in(&reading.uids)) {
            return None;
        }
        let has_one = pod.containers.len() == 1;
        let container = if reading.is_pod {
            pod.containers.first().filter(|_| has_one)?.name.as_str()
        } else if has_one && self.counters.count_pods {
            return None;
        } else {
            self.pods.container_name(pod, &reading.key)?
        };
        let key = if reading.is_pod { pod.uid.as_str() } else { reading.key.as_str() };
        let known = self.known(pod, key).unwrap_or(0).saturating_add(self.counters.written_off.get(key).copied().unwrap_or(0));
        let kills = reading.kills.checked_sub(known).filter(|kills| *kills > 0)?;
        Some(Excess { uid: pod.uid.clone(), container: container.to_owned(), key: key.to_owned(), kills })
    }

    /// How many kills of this cgroup are accounted for, by this run or by what stands on the pod.
    fn known(&self, pod: &Pod, key: &str) -> Option<u64> {
        match self.records.get(&pod.uid) {
            Some(record) => record.counted(key),
            None => pod.evidence.as_ref().and_then(|evidence| evidence.counted(key)),
        }
    }

    fn record_counted(&mut self, waiting: &Waiting, excess: &Excess, is_certain: bool, now: Instant) {
        self.settle_line(&waiting.id, true);
        let Some(pod) = self.pods.get(&excess.uid) else { return };
        let record = self.records.entry(excess.uid.clone()).or_insert_with(|| PodRecord::new(trusted_evidence(pod, self.latest)));
        let known = record.container(&excess.container);
        let verdict = known.and_then(|known| Cause::from_id(&known.verdict)).unwrap_or(Cause::OomUnattributed);
        let kill = &waiting.kill;
        let mut confirmed = ConfirmedKill {
            id: waiting.id,
            at: waiting.at,
            container: Some(excess.container.clone()),
            starts_incident: true,
            comm: kill.comm.clone(),
            anon_kib: kill.anon_rss_kb,
            resident_kib: None,
            scope: None,
            limit: None,
            verdict,
            attribution: Attribution::Counter,
            is_history: waiting.is_history,
        };
        if !is_certain {
            confirmed = ConfirmedKill { comm: None, anon_kib: None, ..confirmed };
        }
        record.keep_in_review(now);
        let merged = record.merge_counted(&confirmed, is_certain, (waiting.ordinal, waiting.before));
        let keys: Vec<&str> = if excess.key == pod.uid { vec![&excess.key] } else { vec![&excess.key, &pod.uid] };
        record.count(&keys, 1, pod);
        let announcement = Announcement::new(&confirmed, pod.kind(Some(&excess.container)), None);
        if is_worth_an_event(merged, true) {
            record.announce(announcement);
        } else {
            record.keep_unannounced(announcement);
        }
        self.metrics.incidents.inc();
        self.metrics.kill(Victim::container, None, Attribution::Counter);
        log_kill(waiting, Some(pod), Some(&excess.container), Some(verdict.id()));
        self.queue.add(&excess.uid, now);
    }

    /// What counters show and no line tells of, when no line waits any more: at the start it is older than the log; later the line was lost.
    fn count_alone(&mut self, readings: &[Reading], wall: Timestamp, now: Instant) {
        let excesses = self.excesses(readings);
        if excesses.is_empty() {
            self.counters.stage = Stage::Compared;
            self.counters.are_wanted = false;
            self.counters.excess_since = None;
            return;
        }
        let since = *self.counters.excess_since.get_or_insert(now);
        // Nobody waits for lines that cannot be read.
        let is_over = self.log.reach == Reach::Blind || now.saturating_duration_since(since) >= BARE_PATIENCE;
        if self.log.reach == Reach::Behind || !self.bare.is_empty() || !is_over {
            return;
        }
        for excess in excesses {
            let Some(pod) = self.pods.get(&excess.uid) else { continue };
            let was_known = self.known(pod, &excess.key).is_some();
            if self.counters.stage != Stage::Compared && !was_known {
                self.counters.written_off.insert(excess.key, excess.kills);
                continue;
            }
            let record = self.records.entry(excess.uid.clone()).or_insert_with(|| PodRecord::new(trusted_evidence(pod, self.latest)));
            record.keep_in_review(now);
            record.count_alone(&excess.container, excess.kills, wall);
            let keys: Vec<&str> = if excess.key == pod.uid { vec![&excess.key] } else { vec![&excess.key, &pod.uid] };
            record.count(&keys, excess.kills, pod);
            let (namespace, name, container, kills) = (&pod.namespace, &pod.name, &excess.container, excess.kills);
            tracing::warn!(namespace, pod = name, container, kills, "A container's counter shows kills that the log does not.");
            self.queue.add(&excess.uid, now);
        }
        self.counters.stage = Stage::Compared;
        self.counters.are_wanted = false;
        self.counters.excess_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::AgentMetrics;
    use crate::node::Outcome;
    use podsight_evidence::annotation::{self, Evidence};
    use podsight_evidence::pods::Container;
    use podsight_oom::Kill;
    use std::collections::BTreeMap;

    fn uid(pod: u64) -> String {
        format!("{pod:08}-9d1e-4b7a-8c55-0a1b2c3d4e5f")
    }

    fn id(pod: u64) -> String {
        format!("{pod:012x}{}", "0".repeat(52))
    }

    fn node(start: Instant, pods: u64, evidence: &BTreeMap<String, Evidence>) -> Node {
        let mut node = Node::new("4f1d2c3b".parse().unwrap(), None, AgentMetrics::unregistered(), start);
        node.log_reaches(Reach::End, None);
        node.has_counters();
        node.list_begins();
        for pod in 0..pods {
            let main =
                Container { name: "main".to_owned(), id: Some(id(pod)), memory_limit: Some("32Mi".to_owned()), ..Container::default() };
            let evidence = evidence.get(&uid(pod)).cloned();
            node.pod(
                Pod {
                    uid: uid(pod),
                    namespace: "default".to_owned(),
                    name: pod.to_string(),
                    containers: vec![main],
                    evidence,
                    ..Pod::default()
                },
                start,
            );
        }
        node.list_ends(start);
        node
    }

    fn readings(counts: &[u64]) -> Vec<Reading> {
        (0_u64..).zip(counts).map(|(pod, kills)| Reading { key: id(pod), uids: vec![uid(pod)], is_pod: false, kills: *kills }).collect()
    }

    fn bare(seq: u64) -> Kill {
        Kill {
            incident: seq,
            seq: Some(seq),
            usec: Some(seq * 1_000),
            pid: Some(u32::try_from(seq).unwrap()),
            comm: Some(b"work".to_vec()),
            global: Some(false),
            ..Kill::default()
        }
    }

    fn told(seq: u64, pod: u64) -> Kill {
        let cgroup = format!("/kubepods/burstable/pod{}/{}", uid(pod), id(pod)).into_bytes();
        Kill { victim_cgroup: Some(cgroup.clone()), limit_cgroup: Some(cgroup), attribution: Attribution::KernelLine, ..bare(seq) }
    }

    fn wall() -> Timestamp {
        Timestamp::from_second(1_763_805_600).unwrap()
    }

    /// Writes all that there is to write, and gives back what is on the pods.
    fn publish(node: &mut Node, mut now: Instant, on_pods: &mut BTreeMap<String, Evidence>) {
        for _ in 0..200 {
            now += Duration::from_millis(500);
            while let Some(write) = node.next_write(now) {
                on_pods.insert(write.uid.clone(), annotation::read(&write.evidence).unwrap());
                node.written(&write.uid, Outcome::Written, wall(), now);
            }
        }
    }

    fn kills(on_pods: &BTreeMap<String, Evidence>) -> Vec<u64> {
        on_pods.values().map(|evidence| evidence.containers["main"].kills).collect()
    }

    #[test]
    fn a_storm_of_which_the_kernel_tells_a_tenth() {
        let start = Instant::now();
        let mut node = node(start, 3, &BTreeMap::new());
        node.counters(&readings(&[0, 0, 0]), wall(), start);
        let mut seq = 0;
        for round in 0..20 {
            for pod in 0..3 {
                seq += 1;
                let kill = if round < 2 { told(seq, pod) } else { bare(seq) };
                node.kill(kill, wall(), start);
            }
            node.settle(start);
        }
        node.counters(&readings(&[20, 20, 20]), wall(), start);
        let mut on_pods = BTreeMap::new();
        publish(&mut node, start, &mut on_pods);
        assert_eq!(kills(&on_pods), [20, 20, 20]);
        assert!(node.bare.is_empty());
        let balance = node.ledger.balance();
        assert_eq!((balance.attributed, balance.unattributed, balance.pending), (60, 0, 0));
    }

    #[test]
    fn the_one_container_that_moved_is_named_with_its_process() {
        let start = Instant::now();
        let mut node = node(start, 2, &BTreeMap::new());
        node.counters(&readings(&[0, 0]), wall(), start);
        node.kill(bare(7), wall(), start);
        node.settle(start);
        node.counters(&readings(&[0, 1]), wall(), start);
        let mut on_pods = BTreeMap::new();
        publish(&mut node, start, &mut on_pods);
        let main = &on_pods[&uid(1)].containers["main"];
        assert_eq!((main.kills, main.recent[0].pid, main.recent[0].attribution.as_str()), (1, Some(7), "counter"));
        assert_eq!((main.scope.as_deref(), main.verdict.as_str()), (None, "oom-unattributed"), "at which limit the counter does not tell");
    }

    /// The agent is killed at any point of a storm and starts again without its checkpoint: every kill counts once.
    #[test]
    fn a_restart_in_the_middle_of_a_storm() {
        let start = Instant::now();
        let log: Vec<Kill> = (1..=60).map(|seq| if seq % 10 == 1 { told(seq, seq % 3) } else { bare(seq) }).collect();
        let truth = |upto: u64| -> Vec<u64> { (0..3).map(|pod| (1..=upto).filter(|seq| seq % 3 == pod).count() as u64).collect() };
        for stop in [1_u64, 7, 29, 30, 55, 60] {
            let mut on_pods = BTreeMap::new();
            for upto in [stop, 60] {
                let mut node = node(start, 3, &on_pods);
                for kill in log.iter().filter(|kill| kill.seq.unwrap() <= upto) {
                    node.kill(kill.clone(), wall(), start);
                }
                node.settle(start);
                node.counters(&readings(&truth(upto)), wall(), start);
                publish(&mut node, start, &mut on_pods);
            }
            assert_eq!(kills(&on_pods), [20, 20, 20], "stopped after {stop}");
        }
    }

    #[test]
    fn counts_without_a_line_are_lost_lines_later_and_history_at_the_start() {
        let start = Instant::now();
        let mut node = node(start, 2, &BTreeMap::new());
        let mut on_pods = BTreeMap::new();
        node.counters(&readings(&[5, 0]), wall(), start);
        let later = start + BARE_PATIENCE;
        node.counters(&readings(&[5, 0]), wall(), later);
        publish(&mut node, later, &mut on_pods);
        assert!(on_pods.is_empty(), "kills from before anything that can be known");

        node.counters(&readings(&[5, 3]), wall(), later);
        let much_later = later + BARE_PATIENCE;
        node.counters(&readings(&[5, 3]), wall(), much_later);
        publish(&mut node, much_later, &mut on_pods);
        assert_eq!(on_pods.keys().collect::<Vec<_>>(), [&uid(1)]);
        let evidence = &on_pods[&uid(1)];
        assert_eq!((evidence.containers["main"].kills, evidence.lost), (3, 3));
    }

    #[test]
    fn a_line_that_no_counter_tells_of_is_given_up() {
        let start = Instant::now();
        let mut node = node(start, 1, &BTreeMap::new());
        node.kill(bare(7), wall(), start);
        node.settle(start);
        for look in 0..=MIN_LOOKS {
            node.counters(&readings(&[0]), wall(), start + BARE_PATIENCE + Duration::from_millis(u64::from(look)));
        }
        assert!(node.bare.is_empty());
        assert_eq!(node.ledger.balance().unattributed, 1);
    }
}
