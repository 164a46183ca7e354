//! Which pods of the cluster are meant, and what is read of them.

use super::Args;
use super::bundle::{Bundle, Expect, Found};
use super::cluster::Cluster;
use super::selector;
use super::table::ServerColumns;
use anyhow::{Context as _, bail};
use podsight_explain::Event;
use serde_json::Value;
use std::collections::HashSet;
use std::thread;

/// A question to kubectl for pods.
#[derive(Debug)]
pub(super) struct Ask {
    /// The words after `kubectl`, without an output format.
    pub(super) words: Vec<String>,
    /// Where they are given only pods of one of these owners (by UID) are meant: others may have the same labels.
    owners: Option<HashSet<String>>,
    /// What the pods are of, for when there are none.
    workload: Option<Box<Value>>,
}

impl Ask {
    /// Whether a pod is meant.
    pub(super) fn means(&self, pod: &Value) -> bool {
        self.owners.as_ref().is_none_or(|owners| owned_by(pod, owners))
    }
}

/// Reads the pods that the arguments mean, with their events; gives the server's own columns.
pub(super) fn fetch(args: &Args, bundle: &mut Bundle) -> anyhow::Result<ServerColumns> {
    let cluster = &args.cluster;
    let mut columns = ServerColumns::default();
    for ask in asks(args)? {
        // Asked at the same time, so that they seldom differ for another reason than the program's.
        let (pods, table) = thread::scope(|scope| {
            let table = scope
                .spawn(|| if args.server_version.is_none() { ServerColumns::ask(cluster, &ask.words) } else { ServerColumns::default() });
            let pods = cluster.run(&[&ask.words[..], &["-o".to_owned(), "json".to_owned()]].concat());
            (pods, table.join().unwrap_or_default())
        });
        columns.extend(table);
        let before = bundle.pods.len();
        bundle.read("pods", pods?, Expect::Anything);
        let new = bundle.pods.split_off(before);
        let meant: Vec<Found> = new.into_iter().filter(|pod| ask.means(&bundle.value(pod))).collect();
        if let Some(workload) = ask.workload.filter(|_| meant.is_empty()) {
            let text = |key: &str| workload.get(key).and_then(Value::as_str).unwrap_or_default();
            let name = workload.get("metadata").and_then(|meta| meta.get("name")).and_then(Value::as_str).unwrap_or_default();
            bundle.problems.push(format!("{} {name} has no pods", text("kind")));
            bundle.others.push(Found::Value(workload));
        }
        bundle.pods.extend(meant);
    }
    // Without the right to read events the pods alone say enough for an answer.
    let events = ["get", "events", "-o", "json"].map(str::to_owned).into_iter().chain(cluster.scope()).collect::<Vec<String>>();
    match cluster.run(&events) {
        Ok(events) => bundle.read("events", events, Expect::Events),
        Err(error) => bundle.problems.push(format!("{error:#}")),
    }
    if !cluster.all_namespaces && cluster.namespace.as_deref() != Some("default") {
        node_events(cluster, bundle);
    }
    Ok(columns)
}

/// Reads the events of nodes, which belong to no namespace and are kept in `default`. Few have the right to; the pods say enough without.
fn node_events(cluster: &Cluster, bundle: &mut Bundle) {
    let words = ["get", "events", "-o", "json", "--namespace", "default", "--field-selector", "involvedObject.kind=Node"];
    let Ok(events) = cluster.run(&words.map(str::to_owned)) else { return };
    let before = bundle.events.len();
    bundle.read("events", events, Expect::Events);
    let new = bundle.events.split_off(before);
    // The context may lead to `default` as well, whose events have been read already.
    let news = unknown(&bundle.events, new);
    bundle.events.extend(news);
}

/// The events that are not among the known ones, wherever they stood in their lists.
fn unknown(known: &[Event], new: Vec<Event>) -> Vec<Event> {
    fn key(event: &Event) -> (&str, &str, &str, &str, Option<jiff::Timestamp>) {
        (&event.kind, &event.name, &event.reason, &event.message, event.last)
    }
    // A large cluster keeps tens of thousands of events: each is looked up, and not compared with all.
    let known: HashSet<_> = known.iter().map(key).collect();
    let news: Vec<bool> = new.iter().map(|event| !known.contains(&key(event))).collect();
    new.into_iter().zip(news).filter_map(|(event, news)| news.then_some(event)).collect()
}

/// The questions that the arguments come to.
pub(super) fn asks(args: &Args) -> anyhow::Result<Vec<Ask>> {
    if !args.names.is_empty() && args.selector.is_some() {
        bail!("name pods or give a selector, not both");
    }
    let mut asks = Vec::new();
    let mut names = Vec::new();
    for name in &args.names {
        match name.split_once('/') {
            None => names.push(name.clone()),
            Some(("pod" | "pods" | "po", name)) => names.push(name.to_owned()),
            Some(_) => asks.push(of_workload(&args.cluster, name)?),
        }
    }
    if !names.is_empty() || args.names.is_empty() {
        let mut rest = names;
        rest.extend(args.selector.iter().flat_map(|selector| ["-l".to_owned(), selector.clone()]));
        asks.push(Ask { words: get(&args.cluster, "pods", &rest), owners: None, workload: None });
    }
    Ok(asks)
}

fn get(cluster: &Cluster, kinds: &str, rest: &[String]) -> Vec<String> {
    let words = ["get".to_owned(), kinds.to_owned()];
    words.into_iter().chain(rest.iter().cloned()).chain(cluster.scope()).collect()
}

/// The pods that a workload has made, directly or by way of its ReplicaSets or Jobs, or that a Service and the like selects.
fn of_workload(cluster: &Cluster, name: &str) -> anyhow::Result<Ask> {
    let object = cluster.json(&get(cluster, name, &[]))?;
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let spec = |key: &str| object.get("spec").and_then(|spec| spec.get(key)).filter(|value| !value.is_null());
    if kind == "Node" {
        let node = format!("spec.nodeName={}", meta(&object, "name"));
        let words = ["get", "pods", "--all-namespaces", "--field-selector", &node].map(str::to_owned).into();
        return Ok(Ask { words, owners: None, workload: Some(Box::new(object)) });
    }
    let mut owners = HashSet::from([meta(&object, "uid").to_owned()]);
    let mut labels = match spec("selector") {
        Some(selector) => selector::of_workload(selector).with_context(|| format!("cannot tell the pods of {name}"))?,
        None => String::new(),
    };
    let between = match kind.as_str() {
        "Deployment" => Some("replicasets"),
        "CronJob" => Some("jobs"),
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" | "Job" => None,
        // A Service owns no pods.
        _ if !labels.is_empty() => {
            let words = get(cluster, "pods", &["-l".to_owned(), labels]);
            return Ok(Ask { words, owners: None, workload: Some(Box::new(object)) });
        }
        _ => Some("replicasets,statefulsets,jobs"),
    };
    if let Some(kinds) = between {
        let selected: Vec<String> = if labels.is_empty() { vec![] } else { vec!["-l".to_owned(), labels.clone()] };
        let list = cluster.json(&get(cluster, kinds, &selected))?;
        let items = list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let owned: Vec<&Value> = items.iter().filter(|item| owned_by(item, &owners)).collect();
        if kind == "CronJob" && !owned.is_empty() {
            let names: Vec<&str> = owned.iter().map(|job| meta(job, "name")).collect();
            labels = format!("job-name in ({})", names.join(","));
        }
        owners.extend(owned.iter().map(|item| meta(item, "uid").to_owned()));
    }
    let selected: Vec<String> = if labels.is_empty() { vec![] } else { vec!["-l".to_owned(), labels] };
    Ok(Ask { words: get(cluster, "pods", &selected), owners: Some(owners), workload: Some(Box::new(object)) })
}

fn meta<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str).unwrap_or_default()
}

fn owned_by(object: &Value, owners: &HashSet<String>) -> bool {
    let references = object.get("metadata").and_then(|meta| meta.get("ownerReferences")).and_then(Value::as_array);
    references.into_iter().flatten().filter_map(|owner| owner.get("uid")?.as_str()).any(|uid| owners.contains(uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_wherever_it_stood_in_its_list() {
        let event =
            Event { kind: "Node".into(), name: "a".into(), reason: "Rebooted".into(), pointer: "/items/0".into(), ..Event::default() };
        let again = Event { pointer: "/items/7".into(), ..event.clone() };
        let another = Event { name: "b".into(), ..event.clone() };
        assert_eq!(unknown(&[event], vec![again, another.clone()]), [another]);
    }
}
