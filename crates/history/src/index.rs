//! The index: workload, container, kills.

use crate::judge::PastKills;
use crate::owner::WorkloadKey;
use crate::pod::KilledPod;
use crate::record::{self, KillRecord};
use serde_json::Value;
use std::collections::BTreeMap;

/// So many workloads are remembered; of those killed last.
pub const MAX_WORKLOADS: usize = 2_000;

/// How long a kill is remembered, in seconds: 90 days.
pub const MAX_AGE_SECONDS: i64 = 90 * 24 * 60 * 60;

/// A kill further in the future than this was not written by an agent with a clock, in seconds.
const MAX_AHEAD_SECONDS: i64 = 24 * 60 * 60;

/// Containers of one workload.
const MAX_CONTAINERS: usize = 32;

/// The kills of a workload, by container.
pub(crate) type Containers = BTreeMap<String, Vec<KillRecord>>;

/// What was killed before. Two histories that saw the same pods and were merged with each other are equal, in whatever order they saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub(crate) workloads: BTreeMap<WorkloadKey, Containers>,
}

impl History {
    /// Whether nothing was killed.
    pub fn is_empty(&self) -> bool {
        self.workloads.is_empty()
    }

    /// How many workloads are known.
    pub fn len(&self) -> usize {
        self.workloads.len()
    }

    /// Adds what a pod's evidence says, for the workload that the pod belongs to. Tells whether it was news.
    pub fn observe(&mut self, key: &WorkloadKey, pod: &KilledPod) -> bool {
        let mut news = false;
        for (container, record) in pod.records() {
            news |= self.add(key, container, &record);
        }
        self.bound();
        news
    }

    /// Adds what an object says, if it is a pod with evidence and its names tell whose it is.
    pub fn observe_object(&mut self, object: &Value) {
        if let Some(pod) = KilledPod::of(object)
            && let Some(key) = pod.owner_by_name()
        {
            self.observe(&key, &pod);
        }
    }

    /// Adds all that another history knows. Tells whether it was news.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut news = false;
        for (key, containers) in &other.workloads {
            for (container, records) in containers {
                for record in records {
                    news |= self.add(key, container, record);
                }
            }
        }
        self.bound();
        news
    }

    /// Forgets what is long past at `now`, in seconds since 1970, and what has not happened yet.
    pub fn forget(&mut self, now: i64) {
        let remembered = now.saturating_sub(MAX_AGE_SECONDS)..=now.saturating_add(MAX_AHEAD_SECONDS);
        for containers in self.workloads.values_mut() {
            for records in containers.values_mut() {
                records.retain(|record| remembered.contains(&record.last));
            }
            containers.retain(|_, records| !records.is_empty());
        }
        self.workloads.retain(|_, containers| !containers.is_empty());
    }

    /// The kills of a container of this workload.
    pub fn past_kills(&self, key: &WorkloadKey, container: &str) -> Option<PastKills> {
        let records = self.workloads.get(key)?.get(container)?;
        Some(PastKills { records: records.clone(), largest_node: None })
    }

    /// The kills of a container of a workload whose namespace is not said: of the only one of that name.
    pub fn past_kills_anywhere(&self, key: &WorkloadKey, container: &str) -> Option<PastKills> {
        let is_same = |known: &&WorkloadKey| (&known.group, &known.kind, &known.name) == (&key.group, &key.kind, &key.name);
        let mut same = self.workloads.keys().filter(is_same);
        match (same.next(), same.next()) {
            (Some(one), None) => self.past_kills(one, container),
            _ => None,
        }
    }

    pub(crate) fn add(&mut self, key: &WorkloadKey, container: &str, record: &KillRecord) -> bool {
        let containers = self.workloads.entry(key.clone()).or_default();
        if containers.len() >= MAX_CONTAINERS && !containers.contains_key(container) {
            return false;
        }
        record::add(containers.entry(container.to_owned()).or_default(), record)
    }

    /// Forgets the workload whose last kill is the oldest. `false` if there is none.
    pub(crate) fn forget_oldest(&mut self) -> bool {
        let last = |containers: &Containers| containers.values().flatten().map(|record| record.last).max();
        let oldest = self.workloads.iter().min_by_key(|(_, containers)| last(containers)).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.workloads.remove(&key).is_some())
    }

    fn bound(&mut self) {
        while self.workloads.len() > MAX_WORKLOADS && self.forget_oldest() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Level, MAX_PODS};
    use proptest::prelude::*;
    use serde_json::json;

    fn key(name: &str) -> WorkloadKey {
        WorkloadKey::new("default", "apps/v1", "Deployment", name).unwrap()
    }

    /// A pod of `web` that was killed so often, at last at this minute.
    fn pod(uid: &str, kills: u64, minute: u64) -> KilledPod {
        let evidence = json!({"v": 1, "containers": {"main": {"kills": kills, "incidents": kills, "first": "2026-11-22T10:00:00Z",
            "last": format!("2026-11-22T10:{minute:02}:00Z"), "scope": "container", "limit": "32Mi", "peak": "31Mi"}}});
        KilledPod::of(&json!({"kind": "Pod", "metadata": {"namespace": "default", "name": uid, "uid": uid,
            "annotations": {"podsight.dev/oom": evidence.to_string()}},
            "spec": {"containers": [{"name": "main", "image": "app:1"}]}}))
        .unwrap()
    }

    #[test]
    fn what_a_pod_says_twice_is_no_news() {
        let mut history = History::default();
        assert!(history.observe(&key("web"), &pod("a", 1, 1)));
        assert!(!history.observe(&key("web"), &pod("a", 1, 1)));
        assert!(history.observe(&key("web"), &pod("a", 2, 2)));
        // An older state of the same pod, as a stored history may have it.
        assert!(!history.observe(&key("web"), &pod("a", 1, 1)));
        let past = history.past_kills(&key("web"), "main").unwrap();
        let want = KillRecord {
            kills: 2,
            last: 1_795_341_720,
            first: 1_795_341_600,
            incidents: 2,
            level: Level::Container,
            limit: Some(32 << 20),
            peak: Some(31 << 20),
            image: "app:1".to_owned(),
            pod: "a".to_owned(),
        };
        assert_eq!(past.records, [want]);
        assert_eq!(history.past_kills(&key("web"), "other"), None);
        assert_eq!(history.past_kills(&key("api"), "main"), None);
    }

    #[test]
    fn forgets_the_oldest_first() {
        let mut history = History::default();
        for number in 0..20 {
            history.observe(&key("web"), &pod(&format!("p{number:02}"), 1, number));
        }
        let past = history.past_kills(&key("web"), "main").unwrap();
        assert_eq!(
            past.records.iter().map(|record| record.pod.as_str()).collect::<Vec<_>>(),
            ["p19", "p18", "p17", "p16", "p15", "p14", "p13", "p12"]
        );
        assert_eq!(past.records.len(), MAX_PODS);
        for number in 0..MAX_WORKLOADS {
            history.observe(&key(&format!("w{number}")), &pod("a", 1, 30));
        }
        assert_eq!(history.len(), MAX_WORKLOADS);
        assert_eq!(history.past_kills(&key("web"), "main"), None);
        history.forget(1_795_341_600 + 30 * 60 + MAX_AGE_SECONDS);
        assert_eq!(history.len(), MAX_WORKLOADS);
        history.forget(1_795_341_601 + 30 * 60 + MAX_AGE_SECONDS);
        assert!(history.is_empty());
        history.observe(&key("web"), &pod("a", 1, 1));
        history.forget(0);
        assert!(history.is_empty(), "what was written with a wrong clock stays for ever");
    }

    proptest! {
        #[test]
        fn replicas_agree(seen in proptest::collection::vec((0_u8..12, 1_u64..4, 0_u64..60), 0..40), split in 0_usize..40) {
            let split = split.min(seen.len());
            let of = |part: &[(u8, u64, u64)]| {
                let mut history = History::default();
                for (uid, kills, minute) in part {
                    history.observe(&key("web"), &pod(&format!("p{uid}"), *kills, *minute));
                }
                history
            };
            let (mut left, mut right) = (of(&seen[..split]), of(&seen[split..]));
            let before = left.clone();
            left.merge(&right);
            right.merge(&before);
            prop_assert_eq!(&left, &right);
            let again = left.clone();
            prop_assert!(!left.merge(&again));
        }
    }
}
