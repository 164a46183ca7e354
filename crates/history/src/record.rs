//! What one pod's evidence says of one of its containers.

use jiff::Timestamp;
use podsight_evidence::annotation::ContainerEvidence;
use podsight_evidence::quantity;
use std::cmp::Reverse;

/// Of so many pods of a workload the kills of a container are kept, the last ones first.
pub const MAX_PODS: usize = 8;

/// The longest image that is kept, in bytes: a longer one never matches. Names have at most 255, tags 128, digests 135.
pub(crate) const MAX_IMAGE_BYTES: usize = 520;

/// Whose limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The container's own.
    Container,
    /// The pod's.
    Pod,
    /// A group's of pods, the node's memory, or unknown: it says nothing about the limits in the spec.
    Beyond,
}

impl Level {
    /// The name in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Pod => "pod",
            Self::Beyond => "beyond",
        }
    }

    pub(crate) fn of(scope: Option<&str>) -> Self {
        match scope {
            Some("container") => Self::Container,
            Some("pod") => Self::Pod,
            _ => Self::Beyond,
        }
    }
}

/// The kills of one container of one pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KillRecord {
    /// The last kill, in seconds since 1970. It stands first, so that of two records of one pod the later one is the greater.
    pub last: i64,
    /// Killed processes.
    pub kills: u64,
    /// The first kill, in seconds since 1970.
    pub first: i64,
    /// Incidents; a group kill is one.
    pub incidents: u64,
    /// Whose limit was reached.
    pub level: Level,
    /// The limit that was reached, in bytes.
    pub limit: Option<u64>,
    /// The most memory that a victim or its cgroup was seen to hold, in bytes.
    pub peak: Option<u64>,
    /// The image as the pod's spec names it.
    pub image: String,
    /// The pod's UID.
    pub pod: String,
}

impl KillRecord {
    /// The record of a container. `None` where nothing was killed, or the evidence does not say when.
    pub(crate) fn of(pod: &str, image: &str, evidence: &ContainerEvidence) -> Option<Self> {
        let last = seconds(&evidence.last)?;
        if evidence.kills == 0 || image.is_empty() || image.len() > MAX_IMAGE_BYTES {
            return None;
        }
        Some(Self {
            kills: evidence.kills,
            last,
            first: seconds(&evidence.first).map_or(last, |first| first.min(last)),
            incidents: evidence.incidents.clamp(1, evidence.kills),
            level: Level::of(evidence.scope.as_deref()),
            limit: evidence.limit.as_deref().and_then(quantity::bytes).filter(|bytes| *bytes > 0),
            peak: evidence.peak.as_deref().and_then(quantity::bytes).filter(|bytes| *bytes > 0),
            image: image.to_owned(),
            pod: pod.to_owned(),
        })
    }
}

/// Adds a record: evidence on a pod only ever grows, so of two records of one pod the later one holds the other. Of all pods the
/// last [`MAX_PODS`] are kept. In whatever order and however often records are added, the outcome is the same. Tells whether it changed anything.
pub(crate) fn add(records: &mut Vec<KillRecord>, record: &KillRecord) -> bool {
    let known = records.iter().position(|known| known.pod == record.pod);
    match known.and_then(|place| records.get_mut(place)) {
        Some(known) if *known >= *record => return false,
        Some(known) => known.clone_from(record),
        None => records.push(record.clone()),
    }
    records.sort_by_key(|record| Reverse((record.last, record.pod.clone())));
    let is_kept = known.is_some() || records.iter().take(MAX_PODS).any(|kept| kept.pod == record.pod);
    records.truncate(MAX_PODS);
    is_kept
}

/// RFC 3339 as seconds since 1970.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Seconds since 1970 as RFC 3339.
pub(crate) fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}
