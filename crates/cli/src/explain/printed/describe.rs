//! `kubectl describe` (`kubectl/pkg/describe/describe.go`): keys at fixed depths of two blanks each, values aligned behind them.

use super::{MOST, Printed, events, known, put};
use crate::explain::table::heads;
use serde_json::{Map, Value, json};

/// The most lines of one message.
const LINES: usize = 200;

/// Reads one description after the other.
pub(super) fn read(lines: &[&str], printed: &mut Printed) {
    let begins = |place: usize| {
        let second = lines.get(place + 1).copied().unwrap_or_default();
        lines.get(place).is_some_and(|line| super::form(line) == Some(super::Form::Description))
            && (place == 0 || ["Namespace:", "Roles:", "Labels:"].iter().any(|key| second.starts_with(key)))
    };
    let mut starts: Vec<usize> = (0..lines.len()).filter(|place| begins(*place)).take(MOST).collect();
    starts.push(lines.len());
    for (from, until) in starts.iter().zip(starts.iter().skip(1)) {
        object(lines.get(*from..*until).unwrap_or_default(), printed);
    }
}

/// A line taken apart: how many blanks it begins with, its key and its value.
fn field(line: &str) -> Option<(usize, &str, &str)> {
    let depth = line.len() - line.trim_start_matches(' ').len();
    let (key, value) = line.trim_start().split_once(':')?;
    (value.is_empty() || value.starts_with([' ', '\t'])).then(|| (depth, key.trim(), value.trim()))
}

/// The value of a key that stands at the left edge.
fn top<'a>(lines: &[&'a str], wanted: &str) -> &'a str {
    let found = lines.iter().find_map(|line| field(line).filter(|(depth, key, _)| *depth == 0 && *key == wanted));
    found.map(|(_, _, value)| known(value)).unwrap_or_default()
}

/// The heads that end a section.
const HEADS: [&str; 12] = [
    "Init Containers",
    "Containers",
    "Ephemeral Containers",
    "Conditions",
    "Volumes",
    "QoS Class",
    "Node-Selectors",
    "Tolerations",
    "Events",
    "Readiness Gates",
    "Topology Spread Constraints",
    "Restart Policy",
];

/// The lines below a key at the left edge.
fn section<'l, 'a>(lines: &'l [&'a str], wanted: &str) -> &'l [&'a str] {
    let at_edge = |line: &str| !line.starts_with(' ') && field(line).is_some();
    let Some(from) = lines.iter().position(|line| at_edge(line) && field(line).is_some_and(|(_, key, _)| key == wanted)) else {
        return &[];
    };
    let rest = lines.get(from + 1..).unwrap_or_default();
    // Lines of a message may stand at the edge too; only the heads that kubectl prints end a section.
    let until = rest.iter().position(|line| at_edge(line) && field(line).is_some_and(|(_, key, _)| HEADS.contains(&key)));
    rest.get(..until.unwrap_or(rest.len())).unwrap_or_default()
}

fn object(lines: &[&str], printed: &mut Printed) {
    let (name, namespace) = (top(lines, "Name"), top(lines, "Namespace"));
    let kind = kind(lines);
    let mut meta = json!({"name": name});
    if !namespace.is_empty() {
        put(&mut meta, "namespace", namespace);
    }
    let before = printed.events.len();
    events_of(lines, kind, name, namespace, printed);
    for (place, event) in printed.events.iter_mut().enumerate().skip(before) {
        event.pointer = format!("Events, row {}", place - before + 1);
    }
    if kind != "Pod" {
        printed.others.push(json!({"kind": kind, "metadata": meta}));
        return;
    }
    printed.pods.push(pod(lines, meta));
}

/// The kind, which a description does not say, by keys that only it has.
fn kind(lines: &[&str]) -> &'static str {
    let has = |key: &str| lines.iter().any(|line| field(line).is_some_and(|(depth, found, _)| depth == 0 && found == key));
    match () {
        () if has("Roles") && has("Taints") => "Node",
        () if has("StrategyType") => "Deployment",
        () if has("Parallelism") => "Job",
        () if has("Schedule") => "CronJob",
        () if has("Access Modes") => "PersistentVolumeClaim",
        () if has("Desired Number of Nodes Scheduled") => "DaemonSet",
        () if has("Update Strategy") => "StatefulSet",
        () if has("Pods Status") => "ReplicaSet",
        () => "Pod",
    }
}

fn pod(lines: &[&str], mut meta: Value) -> Value {
    let mut status = Map::new();
    let mut spec = Map::new();
    let phase = top(lines, "Status");
    if phase.starts_with("Terminating") {
        // How long it lasts is said, and not since when.
        put(&mut meta, "deletionTimestamp", "");
        if let Some(grace) = seconds(top(lines, "Termination Grace Period")) {
            put(&mut meta, "deletionGracePeriodSeconds", grace);
        }
        status.insert("phase".to_owned(), "Running".into());
    } else {
        status.insert("phase".to_owned(), phase.into());
    }
    for (key, field) in [("Reason", "reason"), ("Message", "message"), ("Start Time", "startTime")] {
        let value = top(lines, key);
        if !value.is_empty() {
            status.insert(field.to_owned(), value.into());
        }
    }
    let node = top(lines, "Node").split('/').next().unwrap_or_default();
    if !node.is_empty() {
        spec.insert("nodeName".to_owned(), node.into());
    }
    if let Some((kind, name)) = top(lines, "Controlled By").split_once('/') {
        put(&mut meta, "ownerReferences", json!([{"kind": kind, "name": name, "controller": true}]));
        // The pods of a Job are never restarted for ever; which of the other policies it is, is not printed.
        if kind == "Job" {
            spec.insert("restartPolicy".to_owned(), "OnFailure".into());
        }
    }
    labels(lines, &mut meta);
    for (head, list, statuses) in [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ] {
        let (specs, reports): (Vec<Value>, Vec<Value>) = containers(section(lines, head)).into_iter().unzip();
        if !specs.is_empty() {
            spec.insert(list.to_owned(), specs.into());
            status.insert(statuses.to_owned(), reports.into_iter().filter(|state| state.get("state").is_some()).collect::<Vec<_>>().into());
        }
    }
    let conditions: Vec<Value> = section(lines, "Conditions")
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (kind, truth) = (words.next()?, words.next()?);
            matches!(truth, "True" | "False" | "Unknown").then(|| json!({"type": kind, "status": truth}))
        })
        .take(50)
        .collect();
    status.insert("conditions".to_owned(), conditions.into());
    let volumes = volumes(section(lines, "Volumes"));
    if !volumes.is_empty() {
        spec.insert("volumes".to_owned(), volumes.into());
    }
    json!({"kind": "Pod", "metadata": meta, "spec": spec, "status": status})
}

/// The hash of the template tells the Deployment from the name of its ReplicaSet.
fn labels(lines: &[&str], meta: &mut Value) {
    let hash = lines.iter().take(200).find_map(|line| {
        let (_, hash) = line.split_once("pod-template-hash=")?;
        hash.split_whitespace().next()
    });
    if let Some(hash) = hash {
        put(meta, "labels", json!({"pod-template-hash": hash}));
    }
}

/// `30s`.
fn seconds(text: &str) -> Option<i64> {
    text.strip_suffix('s')?.parse().ok()
}

/// The containers of a section, each as spec and status.
fn containers(lines: &[&str]) -> Vec<(Value, Value)> {
    let named = |line: &&str| field(line).filter(|(depth, _, value)| *depth == 2 && value.is_empty()).map(|(_, key, _)| key.to_owned());
    let mut starts: Vec<(usize, String)> =
        lines.iter().enumerate().filter_map(|(place, line)| Some((place, named(line)?))).take(200).collect();
    starts.push((lines.len(), String::new()));
    let pairs = starts.iter().zip(starts.iter().skip(1));
    pairs.map(|((from, name), (until, _))| container(name, lines.get(from + 1..*until).unwrap_or_default())).collect()
}

fn container(name: &str, lines: &[&str]) -> (Value, Value) {
    let mut spec = json!({"name": name});
    let mut status = json!({"name": name});
    let mut place = 0;
    while let Some(line) = lines.get(place) {
        place += 1;
        let Some((4, key, value)) = field(line) else { continue };
        // What stands deeper belongs to the key.
        let below = lines.get(place..).unwrap_or_default();
        match key {
            "Image" if !known(value).is_empty() => {
                put(&mut spec, "image", value);
                put(&mut status, "image", value);
            }
            "Container ID" if !known(value).is_empty() => put(&mut status, "containerID", value),
            "Command" | "Args" => {
                let words: Vec<&str> =
                    below.iter().take_while(|line| line.starts_with("      ")).map(|line| line.trim()).take(LINES).collect();
                place += words.len();
                put(&mut spec, if key == "Command" { "command" } else { "args" }, words);
            }
            "State" => put(&mut status, "state", state(value, below)),
            "Last State" => put(&mut status, "lastState", state(value, below)),
            "Ready" => put(&mut status, "ready", value == "True"),
            "Restart Count" => put(&mut status, "restartCount", value.parse::<i64>().unwrap_or_default()),
            "Limits" | "Requests" => {
                let pairs: Map<String, Value> = below
                    .iter()
                    .map_while(|line| field(line).filter(|(depth, _, _)| *depth == 6))
                    .take(20)
                    .map(|(_, resource, amount)| (resource.to_owned(), amount.into()))
                    .collect();
                if spec.get("resources").is_none() {
                    put(&mut spec, "resources", json!({}));
                }
                inner(&mut spec, "resources", &key.to_lowercase(), pairs);
            }
            "Liveness" | "Readiness" | "Startup" => put(&mut spec, &format!("{}Probe", key.to_lowercase()), probe(value)),
            _ => {}
        }
    }
    if spec.get("resources").is_none() {
        put(&mut spec, "resources", json!({}));
    }
    (spec, status)
}

/// `exec [cat /x] delay=5s timeout=1s period=5s #success=1 #failure=3`.
fn probe(text: &str) -> Value {
    let number = |key: &str| {
        let (_, rest) = text.rsplit_once(key)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<i64>().ok()
    };
    let mut probe = json!({});
    for (key, field) in [
        (" delay=", "initialDelaySeconds"),
        (" timeout=", "timeoutSeconds"),
        (" period=", "periodSeconds"),
        ("#failure=", "failureThreshold"),
    ] {
        if let Some(number) = number(key) {
            put(&mut probe, field, number);
        }
    }
    probe
}

/// A state, with the lines that stand below it.
fn state(word: &str, below: &[&str]) -> Value {
    let mut fields = Map::new();
    let mut lines = below.iter().take(LINES).peekable();
    let ends = |line: &str| {
        field(line).is_some_and(|(depth, key, _)| depth == 6 && matches!(key, "Exit Code" | "Signal" | "Started" | "Finished"))
    };
    while let Some(line) = lines.next() {
        let Some((6, key, value)) = field(line) else { break };
        let value = known(value);
        match key {
            "Reason" => drop(fields.insert("reason".to_owned(), value.into())),
            "Message" => {
                let mut message = value.to_owned();
                // Its further lines stand as they are.
                while let Some(line) = lines.next_if(|line| !ends(line)) {
                    message.extend(["\n", line]);
                }
                fields.insert("message".to_owned(), message.into());
            }
            "Exit Code" => drop(value.parse::<i64>().map(|code| fields.insert("exitCode".to_owned(), code.into()))),
            "Signal" => drop(value.parse::<i64>().map(|signal| fields.insert("signal".to_owned(), signal.into()))),
            "Started" => drop(fields.insert("startedAt".to_owned(), value.into())),
            "Finished" => drop(fields.insert("finishedAt".to_owned(), value.into())),
            _ => break,
        }
    }
    let kind = match word {
        "Running" => "running",
        "Terminated" => "terminated",
        _ => "waiting",
    };
    json!({ kind: fields })
}

/// The volumes, as far as they name other objects or places of the node.
fn volumes(lines: &[&str]) -> Vec<Value> {
    let mut volumes: Vec<Value> = Vec::new();
    for line in lines {
        let Some((depth, key, value)) = field(line) else { continue };
        if depth == 2 && value.is_empty() {
            if volumes.len() >= 200 {
                break;
            }
            volumes.push(json!({"name": key}));
        } else if let (4, Some(volume)) = (depth, volumes.last_mut()) {
            match (key, value.split(' ').next().unwrap_or_default()) {
                ("Type", "ConfigMap") => put(volume, "configMap", json!({})),
                ("Type", "Secret") => put(volume, "secret", json!({})),
                ("Type", "PersistentVolumeClaim") => put(volume, "persistentVolumeClaim", json!({})),
                ("Type", "HostPath") => put(volume, "hostPath", json!({})),
                ("Type", "EmptyDir") => put(volume, "emptyDir", json!({})),
                ("Name", name) if volume.get("configMap").is_some() => inner(volume, "configMap", "name", name),
                ("SecretName", name) if volume.get("secret").is_some() => inner(volume, "secret", "secretName", name),
                ("ClaimName", name) if volume.get("persistentVolumeClaim").is_some() => {
                    inner(volume, "persistentVolumeClaim", "claimName", name);
                }
                ("Path", path) if volume.get("hostPath").is_some() => inner(volume, "hostPath", "path", path),
                ("Medium", "Memory") if volume.get("emptyDir").is_some() => inner(volume, "emptyDir", "medium", "Memory"),
                ("Optional", "true") => {
                    for kind in ["configMap", "secret"] {
                        if volume.get(kind).is_some() {
                            inner(volume, kind, "optional", true);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    volumes
}

/// Sets a field of an object within an object.
fn inner(object: &mut Value, key: &str, field: &str, value: impl Into<Value>) {
    if let Some(inside) = object.get_mut(key) {
        put(inside, field, value);
    }
}

/// The table of events below everything else.
fn events_of(lines: &[&str], kind: &str, name: &str, namespace: &str, printed: &mut Printed) {
    let rows = section(lines, "Events");
    let Some((head, rows)) = rows.split_first() else { return };
    let heads = heads(head);
    let before = printed.events.len();
    for row in rows.iter().filter(|row| !row.trim().is_empty()).take(MOST) {
        if row.trim_start().starts_with("----") {
            continue;
        }
        if ["Normal", "Warning"].iter().any(|kind| row.trim_start().starts_with(kind)) && row.starts_with("  ") {
            printed.events.push(events::described(&heads, row, kind, name, namespace));
        } else if printed.events.len() > before
            && let Some(event) = printed.events.last_mut().filter(|event| event.message.len() < 8_000)
        {
            event.message.extend(["\n", row]);
        }
    }
}
