//! Which pod is written next, and when: one entry a pod, however many kills it has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Writes that are under way at the same time: one slow answer must not hold up the other pods.
const MAX_IN_FLIGHT: usize = 4;
/// Writes that the whole node may make at once.
const NODE_BURST: u32 = 40;
/// After them, one each so often: ten a second.
const NODE_REFILL: Duration = Duration::from_millis(100);
/// Writes to one pod at once.
const POD_BURST: u32 = 60;
/// After them, one each so often. A shell that is killed every second for a week must not rewrite its pod every second.
const POD_REFILL: Duration = Duration::from_secs(5);
/// The first pause after a failure; it doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(500);
/// The longest pause after a failure.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The pods that wait to be written.
#[derive(Debug)]
pub struct Queue {
    entries: BTreeMap<String, Entry>,
    node: Bucket,
    pods: BTreeMap<String, Bucket>,
    in_flight: BTreeSet<String>,
}

#[derive(Debug)]
struct Entry {
    since: Instant,
    not_before: Instant,
    failures: u32,
}

impl Queue {
    /// An empty queue.
    pub fn new(now: Instant) -> Self {
        Self { entries: BTreeMap::new(), node: Bucket::full(now), pods: BTreeMap::new(), in_flight: BTreeSet::new() }
    }

    /// Notes that this pod has something to write. A pod that waits already keeps its place.
    pub fn add(&mut self, uid: &str, now: Instant) {
        if !self.entries.contains_key(uid) {
            self.entries.insert(uid.to_owned(), Entry { since: now, not_before: now, failures: 0 });
        }
    }

    /// Takes the pod that waits longest and may be written now. A pod is written by one write at a time.
    pub fn take(&mut self, now: Instant) -> Option<String> {
        if self.in_flight.len() >= MAX_IN_FLIGHT || self.node.available(now, NODE_BURST, NODE_REFILL) == 0 {
            return None;
        }
        let ready = self.entries.iter().filter(|(uid, entry)| {
            entry.not_before <= now
                && !self.in_flight.contains(*uid)
                && self.pods.get(*uid).is_none_or(|bucket| bucket.available(now, POD_BURST, POD_REFILL) > 0)
        });
        let (uid, _) = ready.min_by_key(|(_, entry)| entry.since)?;
        let uid = uid.clone();
        self.node.take(now, NODE_REFILL);
        self.pods.entry(uid.clone()).or_insert_with(|| Bucket::full(now)).take(now, POD_REFILL);
        self.in_flight.insert(uid.clone());
        Some(uid)
    }

    /// The write of the pod that was taken succeeded, or will never. What changed meanwhile is to be added again.
    pub fn done(&mut self, uid: &str, now: Instant) {
        self.in_flight.remove(uid);
        self.entries.remove(uid);
        self.pods.retain(|_, bucket| bucket.available(now, POD_BURST, POD_REFILL) < POD_BURST);
    }

    /// The write of the pod that was taken failed and is to be tried again.
    pub fn failed(&mut self, uid: &str, now: Instant) {
        self.in_flight.remove(uid);
        let Some(entry) = self.entries.get_mut(uid) else { return };
        let pause = MIN_BACKOFF.saturating_mul(2_u32.saturating_pow(entry.failures.min(16))).min(MAX_BACKOFF);
        entry.failures = entry.failures.saturating_add(1);
        entry.not_before = now + pause;
    }

    /// The API server answers again: nobody has to wait for his pause any more.
    pub fn retry_now(&mut self, now: Instant) {
        for entry in self.entries.values_mut() {
            entry.not_before = entry.not_before.min(now);
        }
    }

    /// When [`Queue::take`] is worth another try, if a pod waits.
    pub fn next_at(&self, now: Instant) -> Option<Instant> {
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            return None;
        }
        let pods = self.entries.iter().filter(|(uid, _)| !self.in_flight.contains(*uid)).map(|(uid, entry)| {
            let refilled = self.pods.get(uid).map_or(now, |bucket| bucket.next_at(now, POD_BURST, POD_REFILL));
            entry.not_before.max(refilled)
        });
        pods.min().map(|earliest| earliest.max(self.node.next_at(now, NODE_BURST, NODE_REFILL)))
    }

    /// How many pods wait.
    #[expect(clippy::len_without_is_empty, reason = "it is a figure for the metrics")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

/// A token bucket, kept as the moment at which it was or will be full.
#[derive(Debug)]
struct Bucket {
    full_at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { full_at: now }
    }

    fn available(&self, now: Instant, burst: u32, refill: Duration) -> u32 {
        let missing = self.full_at.saturating_duration_since(now).as_nanos().div_ceil(refill.as_nanos().max(1));
        burst.saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX))
    }

    fn take(&mut self, now: Instant, refill: Duration) {
        self.full_at = self.full_at.max(now) + refill;
    }

    fn next_at(&self, now: Instant, burst: u32, refill: Duration) -> Instant {
        if self.available(now, burst, refill) > 0 {
            return now;
        }
        self.full_at.checked_sub(refill.saturating_mul(burst.saturating_sub(1))).map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_waits_once_and_the_oldest_goes_first() {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        queue.add("b", start);
        queue.add("a", start + Duration::from_millis(1));
        queue.add("b", start + Duration::from_millis(2));
        assert_eq!(queue.len(), 2);
        let now = start + Duration::from_millis(3);
        assert_eq!(queue.take(now).as_deref(), Some("b"));
        assert_eq!(queue.take(now).as_deref(), Some("a"));
        queue.add("b", now);
        assert_eq!(queue.take(now), None, "one write at a time");
        queue.done("b", now);
        queue.add("b", now);
        assert_eq!(queue.take(now).as_deref(), Some("b"));
    }

    #[test]
    fn a_failure_waits_longer_each_time_and_never_too_long() {
        let mut now = Instant::now();
        let mut queue = Queue::new(now);
        queue.add("a", now);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            assert_eq!(queue.take(now).as_deref(), Some("a"));
            queue.failed("a", now);
            let next = queue.next_at(now).unwrap();
            pauses.push(next.duration_since(now).as_millis());
            assert_eq!(queue.take(now), None);
            now = next;
        }
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        queue.take(now);
        queue.failed("a", now);
        queue.retry_now(now);
        assert_eq!(queue.take(now).as_deref(), Some("a"));
    }

    #[test]
    fn neither_the_node_nor_a_pod_writes_without_end() {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        let mut now = start;
        let mut writes = 0;
        while now < start + Duration::from_mins(10) {
            queue.add("a", now);
            while let Some(uid) = queue.take(now) {
                queue.done(&uid, now);
                queue.add("a", now);
                writes += 1;
            }
            now += Duration::from_millis(250);
        }
        assert_eq!(writes, 60 + 119, "a burst, then one in five seconds");

        let mut queue = Queue::new(start);
        let mut first_second = 0;
        for uid in 0..200 {
            queue.add(&uid.to_string(), start);
        }
        for millis in 0..1_000 {
            let now = start + Duration::from_millis(millis);
            while let Some(uid) = queue.take(now) {
                queue.done(&uid, now);
                first_second += 1;
            }
        }
        assert!((49..=50).contains(&first_second), "{first_second}");
    }
}
