//! The annotation's schema and codec. Only this module knows the keys.

use crate::counted::Counted;
use crate::id::KillId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One sentence for people.
pub const OOM_KILLED: &str = "podsight.dev/oom-killed";
/// The evidence as JSON.
pub const OOM: &str = "podsight.dev/oom";
/// The label by which the few killed pods of a large cluster are found.
pub const LABEL: &str = "podsight.dev/oom-killed";
/// The label's value.
pub const LABEL_VALUE: &str = "true";
/// The largest size of the JSON, in bytes.
pub const MAX_BYTES: usize = 4096;
/// The version of the schema.
pub const VERSION: u32 = 1;
/// How many of the last kills of a container are kept in full.
pub const MAX_RECENT: usize = 8;

/// A longer text is not looked at: we never write one.
const MAX_BYTES_READ: usize = 8 * MAX_BYTES;
/// More containers with kills than this are not kept one by one; a pod rarely has ten.
const MAX_CONTAINERS: usize = 32;
/// The longest text in any field, in bytes. Names of containers are DNS labels (63), quantities and times are shorter.
const MAX_FIELD_BYTES: usize = 64;

/// The value of `podsight.dev/oom`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of the schema: 1.
    pub v: u32,
    /// By container name.
    #[serde(default)]
    pub containers: BTreeMap<String, ContainerEvidence>,
    /// Kills in this pod that no container could be named for.
    #[serde(default)]
    pub unattributed: u64,
    /// How many of the kills only the containers' own counters show: no record of the log tells of them any more.
    #[serde(default)]
    pub lost: u64,
    /// Kills of containers that were left out for want of space.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub omitted: u64,
    /// By the first digits of a container's id, or of the pod's UID: how many of the kills that its cgroup has counted are accounted for here.
    #[serde(default, skip_serializing_if = "Counted::is_empty")]
    pub counted: Counted,
    /// The last kill that is counted here, as `boot:sequence:microseconds:pid`. What a log shows up to there is not counted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { v: VERSION, containers: BTreeMap::new(), unattributed: 0, lost: 0, omitted: 0, counted: Counted::default(), through: None }
    }
}

impl Evidence {
    /// The high-water mark, where it is there and can be read.
    pub fn mark(&self) -> Option<KillId> {
        self.through.as_deref().and_then(|text| KillId::from_mark(text).ok())
    }

    /// How many kills of this cgroup, by a container's id or a pod's UID, are accounted for.
    pub fn counted(&self, key: &str) -> Option<u64> {
        self.counted.get(key)
    }

    /// Accounts for more kills of this cgroup. Where there are too many, the oldest goes that is not `is_current`.
    pub fn count(&mut self, key: &str, kills: u64, is_current: impl Fn(&str) -> bool) {
        self.counted.add(key, kills, is_current);
    }

    /// All kills that are counted here.
    pub fn kills(&self) -> u64 {
        let named = self.containers.values().fold(0_u64, |sum, container| sum.saturating_add(container.kills));
        named.saturating_add(self.unattributed).saturating_add(self.omitted)
    }
}

/// What is known of one container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerEvidence {
    /// Killed processes.
    pub kills: u64,
    /// Incidents; a group kill is one.
    pub incidents: u64,
    /// First kill, RFC 3339.
    pub first: String,
    /// Last kill, RFC 3339.
    pub last: String,
    /// The level of the limit: `container`, `pod`, `qos`, `node-allocatable`, `node` or `cgroup`; absent knowledge is null.
    pub scope: Option<String>,
    /// The limit that was reached, as a quantity.
    pub limit: Option<String>,
    /// The most memory that a victim or its cgroup was seen to hold, as a quantity.
    pub peak: Option<String>,
    /// Whether the API ever showed the container as terminated by it.
    pub visible: bool,
    /// An id of the catalogue of causes.
    pub verdict: String,
    /// The last kills, newest last.
    pub recent: Vec<RecentKill>,
    /// Kills that are counted here and of which no line was read so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
}

/// Kills that only the container's own counter shows. A line of before that is read late tells of one of them, and of no other kill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alone {
    /// How many.
    pub kills: u64,
    /// All of them happened up to this moment, RFC 3339.
    pub until: String,
}

/// One kill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecentKill {
    /// First 8 hex digits of the boot id, and the sequence number; or `boot:usec:pid`.
    pub id: String,
    /// When, RFC 3339.
    pub at: String,
    /// The process id.
    pub pid: Option<u32>,
    /// The process name, escaped.
    pub comm: Option<String>,
    /// Anonymous memory as a quantity.
    pub anon: Option<String>,
    /// `kernel-line`, `kernel-group`, `pid`, `counter` or `none`.
    pub attribution: String,
}

/// An annotation that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Longer than we ever write.
    #[error("the annotation {OOM} has {0} bytes, more than {MAX_BYTES_READ}")]
    TooLong(usize),
    /// No JSON of this shape.
    #[error("failed to read the annotation {OOM} as JSON")]
    Json(#[source] serde_json::Error),
    /// Written by a later release.
    #[error("the annotation {OOM} has version {0}; this release reads version {VERSION}")]
    Version(u32),
}

/// Reads the annotation's value.
///
/// Anyone who may patch the pod can have written it: unknown keys are passed over, absent ones have their empty value, every
/// text is cut to 64 bytes of what a terminal can show, and lists to the size that [`write`] keeps to.
pub fn read(text: &str) -> Result<Evidence, ReadError> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    if text.len() > MAX_BYTES_READ {
        return Err(ReadError::TooLong(text.len()));
    }
    let Version { v } = serde_json::from_str(text).map_err(ReadError::Json)?;
    if v != VERSION {
        return Err(ReadError::Version(v));
    }
    let mut evidence: Evidence = serde_json::from_str(text).map_err(ReadError::Json)?;
    evidence.containers = std::mem::take(&mut evidence.containers)
        .into_iter()
        .filter(|(name, _)| is_container_name(name))
        .take(MAX_CONTAINERS)
        .map(|(name, container)| (name, bounded(container)))
        .collect();
    evidence.counted.bound(is_container_name);
    evidence.through = evidence.mark().map(|mark| mark.mark());
    Ok(evidence)
}

/// Writes the annotation's value: at most [`MAX_BYTES`], the oldest kills summarised first.
///
/// A kill that leaves `recent` stays in the counts. Where even that is too long, the container whose last kill is the oldest goes to `omitted`.
pub fn write(evidence: &Evidence) -> String {
    let mut evidence = evidence.clone();
    loop {
        // A map with string keys and no float always serialises.
        let text = serde_json::to_string(&evidence).unwrap_or_default();
        if text.len() <= MAX_BYTES {
            return text;
        }
        if !drop_oldest_kill(&mut evidence) && !drop_oldest_container(&mut evidence) {
            return text;
        }
    }
}

/// Takes out the kill that happened first among those kept in full. `false` if there is none.
fn drop_oldest_kill(evidence: &mut Evidence) -> bool {
    let oldest = evidence
        .containers
        .values_mut()
        .filter(|container| !container.recent.is_empty())
        .min_by(|a, b| a.recent.first().map(|kill| &kill.at).cmp(&b.recent.first().map(|kill| &kill.at)));
    match oldest {
        Some(container) => {
            container.recent.remove(0);
            true
        }
        None => false,
    }
}

fn drop_oldest_container(evidence: &mut Evidence) -> bool {
    let oldest = evidence.containers.iter().min_by(|a, b| a.1.last.cmp(&b.1.last)).map(|(name, _)| name.clone());
    match oldest.and_then(|name| evidence.containers.remove(&name)) {
        Some(container) => {
            evidence.omitted = evidence.omitted.saturating_add(container.kills);
            true
        }
        None => false,
    }
}

fn bounded(mut container: ContainerEvidence) -> ContainerEvidence {
    for text in [&mut container.first, &mut container.last, &mut container.verdict] {
        bound(text);
    }
    for text in [&mut container.scope, &mut container.limit, &mut container.peak].into_iter().flatten() {
        bound(text);
    }
    if let Some(alone) = &mut container.alone {
        bound(&mut alone.until);
    }
    let surplus = container.recent.len().saturating_sub(MAX_RECENT);
    container.recent.drain(..surplus);
    for kill in &mut container.recent {
        for text in [&mut kill.id, &mut kill.at, &mut kill.attribution] {
            bound(text);
        }
        for text in [&mut kill.comm, &mut kill.anon].into_iter().flatten() {
            bound(text);
        }
    }
    container
}

/// Makes a text of ours from a text of anybody's. What is already printable ASCII stays as it is, so our own escapes survive.
fn bound(text: &mut String) {
    let is_fine = text.len() <= MAX_FIELD_BYTES && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if !is_fine {
        *text = crate::escape::printable(text.as_bytes(), MAX_FIELD_BYTES);
    }
}

fn is_container_name(name: &str) -> bool {
    (1..=63).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CONTRACT: &str = r#"{"v": 1, "containers": {"main": {"kills": 3, "incidents": 3, "first": "2026-11-22T10:00:00Z", "last": "2026-11-22T10:05:00Z",
  "scope": "container", "limit": "32Mi", "peak": "31Mi", "visible": false, "verdict": "oom-child-process",
  "recent": [{"id": "4f1d2c3b:476", "at": "2026-11-22T10:05:00Z", "pid": 158, "comm": "work", "anon": "31Mi", "attribution": "kernel-line"}]}},
 "unattributed": 0, "lost": 0}"#;

    #[test]
    fn the_contracts_example_is_read_and_written_as_it_is() {
        let evidence = read(CONTRACT).unwrap();
        let written: serde_json::Value = serde_json::from_str(&write(&evidence)).unwrap();
        let expected: serde_json::Value = serde_json::from_str(CONTRACT).unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn unknown_keys_are_passed_over_and_absent_ones_are_empty() {
        let evidence = read(r#"{"v":1,"new":[1],"containers":{"main":{"kills":2,"future":{}}}}"#).unwrap();
        assert_eq!(evidence.containers["main"], ContainerEvidence { kills: 2, ..ContainerEvidence::default() });
    }

    #[test]
    fn what_we_cannot_use_says_why() {
        assert!(matches!(read(r#"{"v":2,"containers":7}"#), Err(ReadError::Version(2))));
        assert!(matches!(read("[]"), Err(ReadError::Json(_))));
        assert!(matches!(read(r#"{"v":1,"containers":{"main":{"kills":-1}}}"#), Err(ReadError::Json(_))));
        assert!(matches!(read(&" ".repeat(40_000)), Err(ReadError::TooLong(40_000))));
    }

    #[test]
    fn hostile_texts_are_cut_and_escaped() {
        let text = serde_json::json!({"v": 1, "through": "x", "containers": {
            "main": {"verdict": "\u{1b}[31m", "limit": "9".repeat(300), "recent": vec![serde_json::json!({"comm": "\u{202e}"}); 100]},
            "../../etc": {"kills": 1}, "": {"kills": 1}}});
        let evidence = read(&text.to_string()).unwrap();
        assert_eq!(evidence.containers.keys().collect::<Vec<_>>(), ["main"]);
        let main = &evidence.containers["main"];
        assert_eq!(main.verdict, "\\x1b[31m");
        assert_eq!(main.limit.as_ref().unwrap().len(), 64);
        assert_eq!(main.recent.len(), MAX_RECENT);
        assert_eq!(main.recent[0].comm.as_deref(), Some("\\xe2\\x80\\xae"));
        assert_eq!(evidence.through, None);
    }

    #[test]
    fn the_oldest_kills_are_summarised_first() {
        let kill = |minute: usize| RecentKill {
            id: format!("4f1d2c3b:{minute}"),
            at: format!("2026-11-22T10:{minute:02}:00Z"),
            comm: Some("x".repeat(60)),
            ..RecentKill::default()
        };
        let container = |shift: usize| ContainerEvidence {
            kills: 8,
            last: format!("2026-11-22T10:{:02}:00Z", shift + 7),
            recent: (0..8).map(|n| kill(n + shift)).collect(),
            ..ContainerEvidence::default()
        };
        let evidence = Evidence { containers: (0..4).map(|n| (format!("c{n}"), container(n * 8))).collect(), ..Evidence::default() };
        let text = write(&evidence);
        assert!(text.len() <= MAX_BYTES);
        let read = read(&text).unwrap();
        assert_eq!(read.kills(), 32);
        assert_eq!(read.containers["c3"].recent.len(), 8);
        assert!(read.containers["c0"].recent.is_empty());
    }

    fn any_text() -> impl Strategy<Value = String> {
        proptest::collection::vec(any::<char>(), 0..70).prop_map(|characters| characters.into_iter().collect())
    }

    prop_compose! {
        fn any_kill()(id in any_text(), at in any_text(), pid in any::<Option<u32>>(), comm in proptest::option::of(any_text()), anon in proptest::option::of(any_text())) -> RecentKill {
            RecentKill { id, at, pid, comm, anon, attribution: "kernel-line".to_owned() }
        }
    }

    prop_compose! {
        fn any_container()(kills in any::<u64>(), last in any_text(), verdict in any_text(), recent in proptest::collection::vec(any_kill(), 0..10)) -> ContainerEvidence {
            ContainerEvidence { kills, last, verdict, recent, ..ContainerEvidence::default() }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn never_longer_than_allowed_and_nothing_leaves_the_count(
            containers in proptest::collection::btree_map("[a-z0-9-]{1,63}", any_container(), 0..24), unattributed in any::<u32>()
        ) {
            let evidence = Evidence { containers, unattributed: u64::from(unattributed), ..Evidence::default() };
            let text = write(&evidence);
            prop_assert!(text.len() <= MAX_BYTES, "{} bytes", text.len());
            prop_assert_eq!(read(&text).unwrap().kills(), evidence.kills());
        }

        #[test]
        fn reading_what_we_wrote_is_stable(containers in proptest::collection::btree_map("[a-z0-9-]{1,63}", any_container(), 0..5)) {
            // Escaping what others wrote can make it longer, and so push out an old kill. From then on nothing changes.
            let foreign = read(&write(&Evidence { containers, ..Evidence::default() })).unwrap();
            let ours = read(&write(&foreign)).unwrap();
            prop_assert_eq!(&read(&write(&ours)).unwrap(), &ours);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any_text()) {
            drop(read(&text));
        }
    }
}
