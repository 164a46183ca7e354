//! All that podsight tells of a killed pod, in one text.

use crate::each::Place;
use crate::hand;
use anyhow::{Context as _, Result};
use podsight_tests::testbed::{items, text};
use serde_json::{Value, json};

/// What differs from run to run. A value out of its bounds stays as it is, and the comparison fails.
pub(crate) const FILTERS: [(&str, &str); 9] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[time]"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uid]"),
    (r"\b[0-9a-f]{64}\b", "[container id]"),
    // Without /dev/kmsg in the agent's container there are no sequence numbers.
    (r"\b[0-9a-f]{8}(-|:)-?:?\d+(-|:)\d+\b", "[boot]${1}[usec]${2}[pid]"),
    (r#""pid": \d+"#, r#""pid": "[pid]""#),
    (r"\(pid \d+\)", "(pid [pid])"),
    (r#""(anon|peak)": "(29|30|31|32)Mi""#, r#""$1": "[29Mi to 32Mi]""#),
    (r"e2e-[a-z-]+-\d+", "[namespace]"),
    (r"/podsight-[0-9a-f]{8}/kubepods", "/[root]/kubepods"),
];

/// The evidence on a pod, if there is any.
pub(crate) fn on(pod: &Value) -> Option<Value> {
    serde_json::from_str(text(pod, "/metadata/annotations/podsight.dev~1oom")).ok()
}

/// A field of the evidence on the container `main`.
pub(crate) fn main_of<'a>(evidence: &'a Value, field: &str) -> Option<&'a Value> {
    evidence.get("containers")?.get("main")?.get(field)
}

/// Everything that is written on a pod, and the Events that go with it.
pub(crate) fn told(place: &Place<'_>, name: &str) -> Result<Value> {
    let pod = place.namespace.get(&["pod", name])?;
    let mut annotations = pod.pointer("/metadata/annotations").cloned().unwrap_or_default();
    if let (Some(mut evidence), Some(annotations)) = (on(&pod), annotations.as_object_mut()) {
        name_counters(&mut evidence, &pod);
        annotations.insert("podsight.dev/oom".to_owned(), evidence);
    }
    let events: Vec<Value> = items(&events(place, name)?)
        .iter()
        .map(|event| {
            json!({
                "name": event.pointer("/metadata/name"), "involvedObject": involved(event),
                "type": event.get("type"), "reason": event.get("reason"), "message": event.get("message"),
                "count": event.get("count"), "source": event.get("source"),
            })
        })
        .collect();
    let status = pod.pointer("/status/containerStatuses/0").cloned().unwrap_or_default();
    Ok(json!({
        "annotations": annotations, "labels": pod.pointer("/metadata/labels"), "events": events,
        "status": {
            "phase": pod.pointer("/status/phase"), "restarts": status.get("restartCount"),
            "terminated": status.pointer("/state/terminated/reason"), "exit code": status.pointer("/state/terminated/exitCode"),
        },
    }))
}

/// The agent's Events about a pod.
pub(crate) fn events(place: &Place<'_>, name: &str) -> Result<Value> {
    let selector = format!("involvedObject.name={name},reason=OOMKillConfirmed");
    place.namespace.get(&["events", "--field-selector", &selector])
}

/// What `podsight kmsg` says of the kills in a pod, read from the log of the node's kernel.
pub(crate) fn kmsg(place: &Place<'_>, name: &str) -> Result<Vec<Value>> {
    let log = hand::kernel_log(place, &format!("log-of-{name}"))?;
    let file = place.namespace.file(&format!("{name}.kmsg"), &log)?;
    let said = place.testbed.podsight(&["kmsg", &file, "-o", "json"])?;
    let report: Value = serde_json::from_str(&said.stdout).with_context(|| format!("podsight kmsg said {said:?}"))?;
    let pod = place.namespace.get(&["pod", name])?;
    let kills = report.get("kills").and_then(Value::as_array).context("the report has kills")?;
    Ok(kills.iter().filter(|kill| text(kill, "/pod_uid") == text(&pod, "/metadata/uid")).cloned().collect())
}

/// Checks that the kills on the pod are those of the kernel's log, and nothing else; gives what they have in common.
pub(crate) fn agree(place: &Place<'_>, name: &str) -> Result<Vec<Value>> {
    let pod = place.namespace.get(&["pod", name])?;
    let evidence = on(&pod).context("there is evidence")?;
    let ids = |kills: &[Value], id: &dyn Fn(&Value) -> String| kills.iter().map(id).collect::<Vec<_>>();
    let recent = main_of(&evidence, "recent").and_then(Value::as_array).context("there are recent kills")?;
    let written = ids(recent, &|kill| text(kill, "/id").split_once(':').map(|(_, id)| id.to_owned()).unwrap_or_default());
    let kills = kmsg(place, name)?;
    let logged = ids(&kills, &|kill| format!("{}:{}", number(kill, "usec"), number(kill, "pid")));
    assert_eq!(written, logged, "{kills:#?}");
    let shown = ["comm", "constraint", "scope", "group_kill", "runtime", "attribution", "limit_cgroup", "victim_cgroup"];
    Ok(kills
        .iter()
        .map(|kill| shown.iter().map(|&field| (field.to_owned(), kill.get(field).cloned().unwrap_or_default())).collect())
        .collect())
}

/// The keys of the counters are the beginnings of the pod's and the containers' ids.
fn name_counters(evidence: &mut Value, pod: &Value) {
    let (uid, id) = (text(pod, "/metadata/uid"), text(pod, "/status/containerStatuses/0/containerID").trim_start_matches("containerd://"));
    let Some(counted) = evidence.get_mut("counted").and_then(Value::as_object_mut) else { return };
    *counted = std::mem::take(counted)
        .into_iter()
        .map(|(key, count)| match key {
            key if uid.starts_with(&key) => ("[pod]".to_owned(), count),
            key if id.starts_with(&key) => ("[container]".to_owned(), count),
            key => (key, count),
        })
        .collect();
}

fn number(kill: &Value, field: &str) -> u64 {
    kill.get(field).and_then(Value::as_u64).unwrap_or_default()
}

fn involved(event: &Value) -> Value {
    let mut object = event.get("involvedObject").cloned().unwrap_or_default();
    if let Some(object) = object.as_object_mut() {
        object.remove("resourceVersion");
    }
    object
}
