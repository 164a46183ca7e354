//! Memory limits and requests.

use crate::change::{Change, MEMORY_LIMIT_FROM_HISTORY, MEMORY_REQUEST};
use crate::container::Target;
use podsight_history::Shortfall;
use podsight_spec::Quantity;
use serde_json::{Value, json};

/// What is asked for is raised to at most so many times as much: a leak grows into any limit.
const MOST_TIMES: u64 = 4;

/// Plans the limit and the request, and gives the limit in bytes that the container will have.
pub(crate) fn plan(target: &Target<'_>, changes: &mut Vec<Change>, operations: &mut Vec<Value>) -> Option<u64> {
    let (limit, pointer) = target.workload.memory_limit(target.container)?;
    let limit = u64::try_from(limit.value()).ok().filter(|bytes| *bytes > 0)?;
    let own = target.container.at("/resources/limits/memory");
    if pointer != own {
        return Some(limit);
    }
    let raised = raise(target, limit);
    let shown = match &raised {
        Some((change, _)) => change.to.clone(),
        None => target.workload.object.pointer(&own).cloned().unwrap_or_default(),
    };
    let limit = raised.as_ref().map_or(limit, |(_, bytes)| *bytes);
    if let Some((change, _)) = raised {
        operations.push(json!({"op": "add", "path": change.path, "value": change.to}));
        changes.push(change);
    }
    request(target, &shown, changes, operations);
    Some(limit)
}

/// The limit that the history suggests, where the object asks for it.
fn raise(target: &Target<'_>, limit: u64) -> Option<(Change, u64)> {
    if !target.may_raise_limit() || !target.is_on(MEMORY_LIMIT_FROM_HISTORY) {
        return None;
    }
    let past = target.knowledge.past_kills(target.workload, target.name)?;
    let judgement = past.judge(target.container.image()?, limit, None)?;
    if judgement.shortfall == Shortfall::PodLimit {
        return None;
    }
    let bytes = judgement.suggestion?.min(limit.saturating_mul(MOST_TIMES));
    // Where not even that is more than what was not enough, a person has to look.
    if bytes <= judgement.needed {
        return None;
    }
    let from = target.workload.object.pointer(&target.container.at("/resources/limits/memory")).cloned().unwrap_or_default();
    let to = written(bytes);
    let needed = Quantity::from_units(i64::try_from(judgement.needed).unwrap_or(i64::MAX));
    let day = judgement.last_day();
    let change = target.change(
        "/resources/limits/memory",
        from,
        json!(to),
        MEMORY_LIMIT_FROM_HISTORY,
        format!("raised the memory limit to {to}: {needed} was too small, last {day}"),
        format!("已把内存限制提高到 {to}：{needed} 曾不够，最近 {day}"),
    );
    Some((change, bytes))
}

/// Writes down what the API server asks for in every pod of the template (`pkg/apis/core/v1/defaults.go: SetDefaults_Pod`): as much as the
/// limit. Nothing runs differently; but who reads the template, and every tool that does, sees what the pods reserve.
fn request(target: &Target<'_>, limit: &Value, changes: &mut Vec<Change>, operations: &mut Vec<Value>) {
    // With resources of the pod's own the defaults are others.
    if target.workload.pod.get("resources").is_some_and(|resources| !resources.is_null()) || !target.is_on(MEMORY_REQUEST) {
        return;
    }
    let requests = target.value.get("resources").and_then(|resources| resources.get("requests")).unwrap_or(&Value::Null);
    let path = target.container.at("/resources/requests/memory");
    // What was written down earlier follows the limit: a lower one would be refused.
    let is_ours =
        |memory: &Value| target.recorded.iter().any(|entry| entry.rule == MEMORY_REQUEST && entry.path == path && entry.to == *memory);
    let (from, operation) = match (requests, requests.get("memory").unwrap_or(&Value::Null)) {
        (Value::Null, _) => {
            (Value::Null, json!({"op": "add", "path": target.container.at("/resources/requests"), "value": {"memory": limit}}))
        }
        (Value::Object(_), memory) if memory.is_null() || (memory != limit && is_ours(memory)) => {
            (memory.clone(), json!({"op": "add", "path": path, "value": limit}))
        }
        _ => return,
    };
    let shown = Quantity::of(limit).map_or_else(String::new, |quantity| quantity.to_string());
    operations.push(operation);
    changes.push(target.change(
        "/resources/requests/memory",
        from,
        limit.clone(),
        MEMORY_REQUEST,
        format!("set the memory request to {shown}, its limit"),
        format!("已把内存请求设为其限制 {shown}"),
    ));
}

/// Bytes as the API server would write them: the largest binary unit of which it is a multiple.
fn written(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    let unit = UNITS.into_iter().find(|(size, _)| bytes > 0 && bytes.is_multiple_of(*size));
    unit.map_or_else(|| bytes.to_string(), |(size, name)| format!("{}{name}", bytes / size))
}
