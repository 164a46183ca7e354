//! The JSON of `podsight explain`, `podsight.dev/explain/v1`: one entry of `pods`.

use crate::explanation::{Explained, Explanation, Moment};
use serde::Serialize;

/// The schema of the whole.
pub const SCHEMA: &str = "podsight.dev/explain/v1";

#[derive(Serialize)]
struct Pod<'a> {
    kind: &'a str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    status: &'a str,
    ready: &'a str,
    restarts: i64,
    last_restart: Option<String>,
    causes: &'a [Explained],
    log: &'a [String],
    timeline: &'a [Moment],
}

/// One pod of the report.
pub fn json(explanation: &Explanation) -> Result<String, serde_json::Error> {
    let columns = &explanation.columns;
    serde_json::to_string(&Pod {
        kind: &explanation.kind,
        namespace: explanation.namespace.as_deref(),
        name: explanation.name.as_deref(),
        status: &columns.status,
        ready: &columns.ready,
        restarts: columns.restarts,
        last_restart: columns.last_restart.map(|at| at.to_string()),
        causes: &explanation.causes,
        log: &explanation.log,
        timeline: &explanation.timeline,
    })
}
