//! The annotation: what was changed, now and before.

use crate::change::Change;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A longer text was not written by us, in bytes.
const MAX_BYTES_READ: usize = 128 * 1024;
/// So many changes of the past are kept.
const MAX_ENTRIES: usize = 512;

/// An entry of the annotation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) from: Value,
    pub(crate) to: Value,
    pub(crate) rule: String,
}

/// Reads the annotation. Anybody can have written it; what cannot be read counts as nothing.
pub(crate) fn read(text: &str) -> Vec<Entry> {
    if text.is_empty() || text.len() > MAX_BYTES_READ {
        return Vec::new();
    }
    let mut entries: Vec<Entry> = serde_json::from_str(text).unwrap_or_default();
    entries.truncate(MAX_ENTRIES);
    entries
}

/// Writes the annotation: what was recorded and still stands there in the object, and the changes.
pub(crate) fn write(recorded: &[Entry], object: &Value, changes: &[Change]) -> String {
    // A change of the same value, or of a part of it.
    let is_changed = |entry: &Entry| {
        changes.iter().any(|change| change.path.strip_prefix(&entry.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let still = |entry: &&Entry| object.pointer(&entry.path) == Some(&entry.to) && !is_changed(entry);
    let mut entries: Vec<Entry> = recorded.iter().filter(still).cloned().collect();
    entries.extend(changes.iter().map(|change| Entry {
        path: change.path.clone(),
        from: change.from.clone(),
        to: change.to.clone(),
        rule: change.rule.to_owned(),
    }));
    // Values of JSON always serialise.
    serde_json::to_string(&entries).unwrap_or_default()
}
