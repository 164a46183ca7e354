//! The history as text that is kept, and may be read by a later or an earlier release.

use crate::index::{Containers, History};
use crate::owner::WorkloadKey;
use crate::record::{KillRecord, Level, MAX_IMAGE_BYTES, seconds, time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The ConfigMap in podsight's own namespace that holds the text.
pub const CONFIG_MAP: &str = "podsight-history";
/// The key in it.
pub const CONFIG_MAP_KEY: &str = "history.json";
/// The version of the format.
pub const VERSION: u32 = 1;
/// The largest size of the text, in bytes: a ConfigMap holds a mebibyte, names and metadata included.
pub const MAX_BYTES: usize = 768 * 1024;

/// A longer text was not written by us.
const MAX_BYTES_READ: usize = 2 * MAX_BYTES;
/// The longest name of a container or UID of a pod, in bytes.
const MAX_NAME_BYTES: usize = 63;

/// A history that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Longer than we ever write.
    #[error("the history has {0} bytes, more than {MAX_BYTES_READ}")]
    TooLong(usize),
    /// No JSON of this shape.
    #[error("failed to read the history as JSON")]
    Json(#[source] serde_json::Error),
    /// Written by a later release.
    #[error("the history has version {0}; this release reads version {VERSION}")]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    #[serde(default)]
    workloads: BTreeMap<String, BTreeMap<String, Vec<StoredRecord>>>,
}

#[derive(Serialize, Deserialize)]
struct StoredRecord {
    pod: String,
    image: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    limit: Option<u64>,
    #[serde(default)]
    peak: Option<u64>,
    kills: u64,
    #[serde(default)]
    incidents: u64,
    #[serde(default)]
    first: String,
    last: String,
}

/// Writes a history: at most [`MAX_BYTES`], the workloads whose last kill is the oldest left out first.
pub fn write(history: &History) -> String {
    let mut history = history.clone();
    loop {
        let workloads = history.workloads.iter().map(|(key, containers)| {
            let containers = containers.iter().map(|(name, records)| (name.clone(), records.iter().map(stored).collect()));
            (key.to_string(), containers.collect())
        });
        // A map with string keys and no float always serialises.
        let text = serde_json::to_string(&Stored { v: VERSION, workloads: workloads.collect() }).unwrap_or_default();
        let Some(over) = text.len().checked_sub(MAX_BYTES).filter(|over| *over > 0) else { return text };
        // As many as are over by the average, so that it takes a few rounds and not thousands.
        let average = text.len() / history.len().max(1);
        for _ in 0..(over / average.max(1)).max(1) {
            if !history.forget_oldest() {
                return text;
            }
        }
    }
}

/// Reads what [`write`] wrote. Who may write the object can have written anything: what makes no sense is left out, and all is held to the
/// bounds of [`History`].
pub fn read(text: &str) -> Result<History, ReadError> {
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
    let stored: Stored = serde_json::from_str(text).map_err(ReadError::Json)?;
    let mut history = History::default();
    let is_name = |text: &str| !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    for (key, containers) in stored.workloads {
        let Some(key) = WorkloadKey::from_text(&key) else { continue };
        let mut one = History { workloads: BTreeMap::from([(key.clone(), Containers::new())]) };
        for (container, records) in containers.iter().filter(|(container, _)| is_name(container)) {
            for record in records.iter().filter(|record| is_name(&record.pod)).filter_map(record) {
                one.add(&key, container, &record);
            }
        }
        one.workloads.retain(|_, containers| !containers.is_empty());
        history.merge(&one);
    }
    Ok(history)
}

fn stored(record: &KillRecord) -> StoredRecord {
    StoredRecord {
        pod: record.pod.clone(),
        image: record.image.clone(),
        level: record.level.name().to_owned(),
        limit: record.limit,
        peak: record.peak,
        kills: record.kills,
        incidents: record.incidents,
        first: time(record.first),
        last: time(record.last),
    }
}

fn record(stored: &StoredRecord) -> Option<KillRecord> {
    let last = seconds(&stored.last)?;
    if stored.kills == 0 || stored.image.is_empty() || stored.image.len() > MAX_IMAGE_BYTES {
        return None;
    }
    Some(KillRecord {
        kills: stored.kills,
        last,
        first: seconds(&stored.first).map_or(last, |first| first.min(last)),
        incidents: stored.incidents.clamp(1, stored.kills),
        level: Level::of(Some(&stored.level)),
        limit: stored.limit.filter(|bytes| *bytes > 0),
        peak: stored.peak.filter(|bytes| *bytes > 0),
        image: stored.image.clone(),
        pod: stored.pod.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = r#"{"v":1,"workloads":{"default/apps/Deployment/web":{"main":[{"pod":"3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f","image":"app:1","level":"container","limit":268435456,"peak":267386880,"kills":3,"incidents":3,"first":"2026-11-22T10:00:00Z","last":"2026-11-22T10:05:00Z"}]}}}"#;

    #[test]
    fn is_read_and_written_as_it_is() {
        assert_eq!(write(&read(ONE).unwrap()), ONE);
        assert_eq!(write(&History::default()), r#"{"v":1,"workloads":{}}"#);
    }

    #[test]
    fn what_we_cannot_use_says_why() {
        assert!(matches!(read(r#"{"v":2,"workloads":7}"#), Err(ReadError::Version(2))));
        assert!(matches!(read("[]"), Err(ReadError::Json(_))));
        assert!(matches!(read(""), Err(ReadError::Json(_))));
        assert!(matches!(read(&" ".repeat(MAX_BYTES_READ + 1)), Err(ReadError::TooLong(_))));
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for (from, to) in [
            ("default/apps/", "default/"),
            ("default/apps/Deployment/web", "default/apps/Deployment/w\\u001b"),
            ("\"main\"", "\"\\n\""),
            ("\"kills\":3", "\"kills\":0"),
            ("2026-11-22T10:05:00Z", "yesterday"),
            ("app:1", ""),
            ("3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f", ""),
        ] {
            assert!(read(&ONE.replace(from, to)).unwrap().is_empty(), "{from} {to}");
        }
    }

    #[test]
    fn is_never_longer_than_a_config_map_holds() {
        let mut history = History::default();
        for number in 0..1_500 {
            let text = ONE
                .replace("/web", &format!("/web-{number}"))
                .replace("app:1", &"x".repeat(500))
                .replace("10:05", &format!("10:{:02}", 5 + number % 50));
            history.merge(&read(&text).unwrap());
        }
        let text = write(&history);
        assert!(text.len() <= MAX_BYTES && text.len() > MAX_BYTES * 9 / 10, "{}", text.len());
        let kept = read(&text).unwrap();
        assert!(kept.len() < 1_500);
        let last = |history: &History| history.workloads.values().flat_map(BTreeMap::values).flatten().map(|record| record.last).min();
        assert!(last(&kept) > last(&history), "the oldest went first");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            drop(read(&text));
        }

        #[test]
        fn any_record_is_read_or_left_out(key in "[a-z/]{0,20}", kills in any::<u64>(), incidents in any::<u64>(), limit in any::<Option<u64>>(), last in "[0-9TZ:-]{0,24}") {
            let text = serde_json::json!({"v": 1, "workloads": {key: {"main": [{"pod": "p", "image": "i", "kills": kills, "incidents": incidents, "limit": limit, "last": last}]}}}).to_string();
            let history = read(&text).unwrap();
            prop_assert_eq!(&read(&write(&history)).unwrap(), &history);
        }
    }
}
