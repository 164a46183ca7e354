//! The table of `kubectl get pods`. A row becomes the least pod that the API server would print so.

use super::{MOST, Printed, cell};
use crate::explain::table::{ServerColumns, heads};
use serde_json::{Value, json};

/// The most containers that a row may count.
const CONTAINERS: usize = 100;

pub(super) fn read(lines: &[&str], printed: &mut Printed) {
    let Some((head, rows)) = lines.split_first() else { return };
    let heads = heads(head);
    for row in rows.iter().filter(|row| !row.trim().is_empty()).take(MOST) {
        let aligned = cell(&heads, row, "READY").is_some_and(|ready| ready.contains('/') && !ready.contains(' '));
        // A table that was pasted loses its alignment. The columns up to RESTARTS are always there, and no name of a pod holds a blank.
        let words: Vec<&str> = row.split_whitespace().collect();
        let text = |head: &str| {
            let place = heads.iter().position(|(name, _)| name == head);
            let word = || Some((*words.get(place.filter(|place| *place < 5)?)?).to_owned());
            if aligned { cell(&heads, row, head) } else { word() }.unwrap_or_default()
        };
        let name = text("NAME");
        let name = name.strip_prefix("pod/").unwrap_or(&name);
        let (status, ready) = (text("STATUS"), text("READY"));
        let counts = ready.split_once('/').and_then(|(ready, total)| Some((ready.parse::<usize>().ok()?, total.parse::<usize>().ok()?)));
        let (Some((ready, total)), false) = (counts, name.is_empty() || status.is_empty()) else { continue };
        let restarts = text("RESTARTS").split(' ').next().and_then(|count| count.parse::<i64>().ok()).unwrap_or_default();
        let mut pod = pod(&status, ready.min(CONTAINERS), total.min(CONTAINERS), restarts);
        set(&mut pod, "metadata", "name", name.into());
        let namespace = text("NAMESPACE");
        if !namespace.is_empty() {
            set(&mut pod, "metadata", "namespace", namespace.into());
        }
        let node = text("NODE");
        if !super::known(&node).is_empty() {
            set(&mut pod, "spec", "nodeName", node.into());
        }
        printed.pods.push(pod);
    }
    printed.columns.extend(ServerColumns::read(&lines.join("\n")));
}

fn set(pod: &mut Value, part: &str, key: &str, value: Value) {
    if let Some(part) = pod.get_mut(part).and_then(Value::as_object_mut) {
        part.insert(key.to_owned(), value);
    }
}

/// The least pod with this STATUS (`printers.go: printPod`, read backwards).
pub(super) fn pod(status: &str, ready: usize, total: usize, restarts: i64) -> Value {
    let containers: Vec<Value> = (0..total).map(|_| json!({})).collect();
    let running = |ready: bool| json!({"ready": ready, "state": {"running": {}}});
    let mut pod = json!({"kind": "Pod", "metadata": {}, "spec": {"containers": containers}, "status": {"phase": "Running"}});
    // Which of the containers it is, the table does not say.
    let one = |state: Value| {
        let mut statuses: Vec<Value> = vec![json!({"restartCount": restarts, "ready": false, "state": state})];
        statuses.extend((0..ready.min(total.saturating_sub(1))).map(|_| running(true)));
        Value::from(statuses)
    };
    let (init, bare) = status.strip_prefix("Init:").map_or((false, status), |bare| (true, bare));
    let waits = bare.ends_with("BackOff")
        || bare.ends_with("Error") && bare != "Error" && bare != "StartError"
        || bare.contains(' ') && bare != "seccomp killed";
    let waits = waits
        || [
            "InvalidImageName",
            "ErrImageNeverPull",
            "ErrImagePull",
            "RegistryUnavailable",
            "SignatureValidationFailed",
            "ContainerCreating",
            "PodInitializing",
            "RestartingAllContainers",
        ]
        .contains(&bare);
    // Reasons of whole pods that end like those of containers.
    let waits =
        waits && !["UnexpectedAdmissionError", "TopologyAffinityError", "SMTAlignmentError", "EmptyPodSharedPoolError"].contains(&bare);
    let ended = ["Error", "OOMKilled", "StartError", "ContainerCannotRun", "ContainerStatusUnknown", "seccomp killed", "Completed"]
        .contains(&bare)
        || bare.starts_with("ExitCode:")
        || bare.starts_with("Signal:");
    let number = |start: &str| bare.strip_prefix(start).and_then(|number| number.parse::<i64>().ok());
    let state = if waits {
        json!({"waiting": {"reason": bare}})
    } else if let Some(code) = number("ExitCode:") {
        json!({"terminated": {"exitCode": code}})
    } else if let Some(signal) = number("Signal:") {
        json!({"terminated": {"signal": signal}})
    } else {
        json!({"terminated": {"reason": bare}})
    };
    if init {
        set(&mut pod, "status", "phase", "Pending".into());
        let state = if waits || ended { state } else { json!({"running": {}}) };
        set(&mut pod, "spec", "initContainers", json!([{}]));
        set(&mut pod, "status", "initContainerStatuses", json!([{"restartCount": restarts, "state": state}]));
    } else if waits {
        let before = ["ContainerCreating", "PodInitializing"].contains(&bare) || bare.contains("Image");
        set(&mut pod, "status", "phase", if before { "Pending" } else { "Running" }.into());
        set(&mut pod, "status", "conditions", json!([{"type": "PodScheduled", "status": "True"}]));
        set(&mut pod, "status", "containerStatuses", one(state));
    } else if ended {
        if bare == "Completed" && ready == 0 {
            set(&mut pod, "status", "phase", "Succeeded".into());
        }
        set(&mut pod, "status", "containerStatuses", one(state));
    } else {
        match bare {
            "Running" | "NotReady" => {
                let mut statuses: Vec<Value> = (0..total).map(|place| running(place < ready)).collect();
                if let Some(first) = statuses.first_mut() {
                    super::put(first, "restartCount", restarts);
                }
                set(&mut pod, "status", "containerStatuses", statuses.into());
            }
            "Pending" | "Succeeded" | "Failed" | "Unknown" => set(&mut pod, "status", "phase", bare.into()),
            "SchedulingGated" => {
                set(&mut pod, "status", "phase", "Pending".into());
                set(&mut pod, "status", "conditions", json!([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]));
            }
            // When, the table does not say.
            "Terminating" => set(&mut pod, "metadata", "deletionTimestamp", "".into()),
            reason => {
                set(&mut pod, "status", "phase", "Failed".into());
                set(&mut pod, "status", "reason", reason.into());
            }
        }
    }
    pod
}
