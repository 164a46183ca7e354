//! What an explanation consists of.

use crate::status::Columns;
use jiff::Timestamp;
use podsight_cause::Cause;
use serde::{Serialize, Serializer};

/// Why one pod is as it is.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The kind of the object: `Pod`, or what it was instead.
    pub kind: String,
    /// The pod's namespace, where the input says it.
    pub namespace: Option<String>,
    /// The pod's name, where the input says it.
    pub name: Option<String>,
    /// The columns of `kubectl get pods`.
    pub columns: Columns,
    /// Whether the pod has ended for good, well or not.
    pub over: bool,
    /// What may be the cause, best first; at least one.
    pub causes: Vec<Explained>,
    /// The last lines of the log of the first cause's container, where they were given.
    pub log: Vec<String>,
    /// What happened when, oldest first.
    pub timeline: Vec<Moment>,
}

/// One cause that may hold.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The cause.
    #[serde(serialize_with = "id")]
    pub cause: Cause,
    /// How sure it is.
    pub confidence: Confidence,
    /// The container it is about.
    pub container: Option<String>,
    /// The exit code that the status shows.
    pub exit_code: Option<i64>,
    /// Who ended the container, where something else than the container did.
    #[serde(serialize_with = "optional_id")]
    pub killer: Option<Cause>,
    /// What happened, for people.
    pub summary: String,
    /// What speaks for it.
    pub evidence: Vec<Evidence>,
    /// What speaks against it, or is not known.
    pub against: Vec<String>,
    /// What to do.
    pub next: Vec<Step>,
    /// The rules of `podsight check` that find this in the pod's own spec.
    pub warned_by: Vec<&'static str>,
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The input says so in words that only this cause produces.
    High,
    /// It fits best, and something else could look the same.
    Medium,
    /// A possibility.
    Low,
}

/// Where a piece of evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The pod's status or metadata.
    Pod,
    /// An event.
    Event,
    /// The kernel's log.
    Kernel,
    /// The annotation of podsight's agent.
    Annotation,
    /// The pod's spec.
    Spec,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Where it comes from.
    pub source: Source,
    /// The place in its source: a JSON pointer, or a record's number.
    pub pointer: String,
    /// What it says, bounded in length.
    pub text: String,
}

/// Something to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// A command with real names, quoted for a shell.
    pub command: String,
    /// Whether it changes anything.
    pub changes_something: bool,
    /// What it shows or does.
    pub why: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When.
    #[serde(serialize_with = "rfc3339")]
    pub at: Timestamp,
    /// The container it is about.
    pub container: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// Whether something went wrong.
    pub bad: bool,
    /// What.
    pub text: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn id<S: Serializer>(cause: &Cause, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.id())
}

#[expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "the signature is serde's")]
fn optional_id<S: Serializer>(cause: &Option<Cause>, serializer: S) -> Result<S::Ok, S::Error> {
    match cause {
        Some(cause) => serializer.serialize_str(cause.id()),
        None => serializer.serialize_none(),
    }
}

fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
