//! Changes to a workload that its namespace asked for: an object in, a JSON Patch out.
//!
//! What is changed is what a user applies, never what a controller made of it: a controller that finds its own object changed makes it
//! again. Applied twice, a plan changes nothing the second time. What is not understood is left as it is.

mod change;
mod container;
mod eligible;
mod environment;
mod memory;
mod record;
#[cfg(test)]
mod tests;

pub use change::{Change, RULES};
pub use eligible::is_eligible;

use crate::container::Target;
use podsight_history::PastKills;
use podsight_spec::{Workload, workloads};
use serde_json::{Value, json};

/// What has been changed in an object: a JSON list of `{path, from, to, rule}`.
pub const MUTATED_ANNOTATION: &str = "podsight.dev/mutated";

/// Which language's runtime the containers hold: `main=go,worker=java`, or one word for all of them.
pub const RUNTIME_ANNOTATION: &str = "podsight.dev/runtime";

/// Whose memory limits may be raised to what the history suggests: names of containers with commas between them, or `all`.
pub const LIMIT_ANNOTATION: &str = "podsight.dev/limit-from-history";

/// The annotation's longest text, in bytes. All annotations of an object may have 256 KiB together.
const MAX_RECORD_BYTES: usize = 64 * 1024;

/// What a plan asks.
pub trait Knowledge {
    /// The kills of this container of the workload in the past.
    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills>;

    /// Whether this rule is off, for this object or altogether.
    fn is_off(&self, workload: &Workload<'_>, rule: &str) -> bool;
}

/// Changes of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What is changed, in the order of the containers.
    pub changes: Vec<Change>,
    /// The same as a JSON Patch (RFC 6902), with the annotation.
    pub patch: Value,
}

/// What is to be changed in an object that is created, or updated from `old`. `None` where nothing is.
pub fn plan(object: &Value, old: Option<&Value>, knowledge: &dyn Knowledge) -> Option<Plan> {
    let found = workloads(object);
    let [workload] = found.as_slice() else { return None };
    if !is_eligible(workload, old) {
        return None;
    }
    let metadata = object.get("metadata")?.as_object()?;
    let annotations = match metadata.get("annotations") {
        None | Some(Value::Null) => None,
        Some(annotations) => Some(annotations.as_object()?),
    };
    let recorded = annotations.and_then(|annotations| annotations.get(MUTATED_ANNOTATION)).and_then(Value::as_str).unwrap_or_default();
    let recorded = record::read(recorded);
    let mut changes = Vec::new();
    let mut operations = Vec::new();
    for container in workload.containers() {
        let Some(target) = Target::of(workload, &container, &recorded, knowledge) else { continue };
        target.plan(&mut changes, &mut operations);
    }
    if changes.is_empty() {
        return None;
    }
    let text = record::write(&recorded, object, &changes);
    if text.len() > MAX_RECORD_BYTES {
        return None;
    }
    if annotations.is_none() {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    operations.push(json!({"op": "add", "path": "/metadata/annotations/podsight.dev~1mutated", "value": text}));
    Some(Plan { changes, patch: Value::Array(operations) })
}
