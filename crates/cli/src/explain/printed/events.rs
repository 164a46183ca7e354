//! The table of `kubectl get events`, and what events alone say about the objects that they name.

use super::{MOST, Printed, cell, known};
use crate::explain::table::heads;
use podsight_explain::Event;
use serde_json::{Value, json};

/// The most lines of one message.
const LINES: usize = 50;

pub(super) fn read(lines: &[&str], printed: &mut Printed) {
    let Some((head, rows)) = lines.split_first() else { return };
    let heads = heads(head);
    let mut more = 0;
    for row in rows.iter().take(MOST) {
        let text = |head: &str| cell(&heads, row, head).unwrap_or_default();
        let (kind, name) = match text("OBJECT").split_once('/') {
            Some((kind, name)) if !name.is_empty() && !name.contains(' ') => (kind.to_owned(), name.to_owned()),
            _ => {
                // The rest of a message of several lines.
                if let Some(event) = printed.events.last_mut().filter(|_| more < LINES && !row.trim().is_empty()) {
                    event.message.extend(["\n", row]);
                    more += 1;
                }
                continue;
            }
        };
        more = 0;
        let count = text("COUNT").parse().unwrap_or(1);
        printed.events.push(Event {
            pointer: format!("line {}", printed.events.len() + 1),
            reason: text("REASON"),
            message: text("MESSAGE"),
            warning: text("TYPE") != "Normal",
            count,
            kind: kind_of(&kind),
            namespace: text("NAMESPACE"),
            name,
            container: container(&text("SUBOBJECT")),
            ..Event::default()
        });
    }
}

/// One row of the events of a description, below these heads.
pub(super) fn described(heads: &[(String, usize)], row: &str, kind: &str, name: &str, namespace: &str) -> Event {
    let text = |head: &str| cell(heads, row, head).unwrap_or_default();
    let age = text("Age");
    // `2m (x10 over 5m)`.
    let count = age.split_once("(x").and_then(|(_, rest)| rest.split([' ', ')']).next()?.parse().ok()).unwrap_or(1);
    Event {
        reason: text("Reason"),
        message: text("Message"),
        warning: text("Type") != "Normal",
        count,
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Event::default()
    }
}

/// The kind as the API spells it.
fn kind_of(kind: &str) -> String {
    let bare = kind.split('.').next().unwrap_or_default();
    let known =
        ["Pod", "Node", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "PersistentVolumeClaim", "Service"];
    known.into_iter().find(|known| known.eq_ignore_ascii_case(bare)).unwrap_or(bare).to_owned()
}

fn container(path: &str) -> Option<String> {
    let (_, rest) = path.split_once('{')?;
    rest.strip_suffix('}').map(known).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The objects that the events name: pods in the state that their newest telling event shows, and others that failed by themselves.
pub(in crate::explain) fn objects(events: &[Event]) -> (Vec<Value>, Vec<Value>) {
    let (mut pods, mut others): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for event in events.iter().filter(|event| !event.name.is_empty()) {
        let key = (event.kind.as_str(), event.namespace.as_str(), event.name.as_str());
        if seen.len() >= MOST || !seen.insert(key) {
            continue;
        }
        let meta = json!({"name": event.name, "namespace": event.namespace});
        let own = || events.iter().filter(move |other| (other.kind.as_str(), other.namespace.as_str(), other.name.as_str()) == key);
        if event.kind == "Pod" {
            let status = own().rev().find_map(status).unwrap_or_else(|| json!({"phase": ""}));
            pods.push(json!({"kind": "Pod", "metadata": meta, "status": status}));
        } else if own().any(|event| event.reason == "FailedCreate") {
            others.push(json!({"kind": event.kind, "metadata": meta}));
        }
    }
    (pods, others)
}

/// The state that an event leaves a pod in.
fn status(event: &Event) -> Option<Value> {
    let container = |state: Value, last: Value| {
        let name = event.container.clone().unwrap_or_default();
        json!({"phase": "Running", "containerStatuses": [{"name": name, "state": state, "lastState": last, "restartCount": event.count}]})
    };
    let message = event.message.as_str();
    let waiting = |reason: &str| container(json!({"waiting": {"reason": reason, "message": message}}), Value::Null);
    let lower = message.to_lowercase();
    Some(match event.reason.as_str() {
        "FailedScheduling" => json!({"phase": "Pending"}),
        "FailedMount"
        | "FailedAttachVolume"
        | "FailedCreatePodSandBox"
        | "NetworkNotReady"
        | "FailedMapVolume"
        | "FailedPrepareDynamicResources" => {
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}],
                "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]})
        }
        "Failed" if message.starts_with("Error: ") => {
            // `Error: ErrImagePull`, or the words of the runtime.
            let said = message.trim_start_matches("Error: ");
            if said.contains(' ') { waiting("CreateContainerError") } else { waiting(said) }
        }
        "Failed" if lower.contains("failed to pull image") => waiting("ErrImagePull"),
        "InspectFailed" => waiting("InvalidImageName"),
        "ErrImageNeverPull" => waiting("ErrImageNeverPull"),
        "BackOff" if lower.contains("pulling image") => waiting("ImagePullBackOff"),
        "BackOff" => waiting("CrashLoopBackOff"),
        "FailedPostStartHook" => waiting("PostStartHookError"),
        "Killing" if lower.contains("probe") => container(json!({"running": {}}), json!({"terminated": {}})),
        "Unhealthy" => container(json!({"running": {}}), Value::Null),
        "Evicted" => json!({"phase": "Failed", "reason": "Evicted", "message": message}),
        _ => return None,
    })
}
