//! A pod's evidence as requests to the API server.

use crate::metrics::{AgentMetrics, WriteLabels};
use crate::node::Outcome;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use podsight_evidence::annotation;
use podsight_evidence::attribute::Infrastructure;
use podsight_evidence::escape;
use podsight_evidence::merge::{ConfirmedKill, show_time};
use podsight_evidence::pods::{Kind, Owner};
use serde_json::{Value, json};
use std::time::Duration;

/// The name under which the API server keeps what the agent wrote.
pub const FIELD_MANAGER: &str = "podsight-agent";
/// The reason of the Event.
pub const REASON: &str = "OOMKillConfirmed";

/// A request that takes longer is given up and tried again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Names of objects have at most 253 bytes; the id of the kill takes up to 45.
const MAX_NAME_BYTES: usize = 200;

/// One write to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The pod's UID.
    pub uid: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// The pod's controller.
    pub owner: Option<Owner>,
    /// The pod is no more: only Events can tell.
    pub is_gone: bool,
    /// The annotation's value.
    pub evidence: String,
    /// The sentence; absent if nothing was killed.
    pub sentence: Option<String>,
    /// What the Events that go with it tell.
    pub announcements: Vec<Announcement>,
}

/// What an Event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    id: String,
    at: String,
    container: Option<String>,
    kind: Kind,
    message: String,
}

impl Announcement {
    /// The container's name; empty if only the pod is known.
    pub fn container(&self) -> &str {
        self.container.as_deref().unwrap_or_default()
    }

    /// Tells of this kill, in a container of this kind.
    pub fn new(kill: &ConfirmedKill, kind: Kind, infrastructure: Option<Infrastructure>) -> Self {
        let comm = escape::printable(kill.comm.as_deref().unwrap_or(b"?"), 60);
        let pid = kill.id.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
        let place = match (&kill.container, infrastructure) {
            (_, Some(Infrastructure::Sandbox)) => "the pod's sandbox".to_owned(),
            (_, Some(Infrastructure::Monitor)) => "the monitor of a container".to_owned(),
            (Some(name), Some(Infrastructure::RuntimeInit)) => format!("container {name} while the runtime was starting it"),
            (Some(name), None) => format!("container {name}"),
            (None, _) => "the pod, in a container that could not be named".to_owned(),
        };
        let of = kill.limit.as_ref().map_or_else(String::new, |limit| format!(" of {limit}"));
        let reason = match kill.scope {
            Some(podsight_cgroup::Scope::Container) => format!("the container reached its memory limit{of}"),
            Some(podsight_cgroup::Scope::Pod) => format!("the pod reached its memory limit{of}"),
            Some(podsight_cgroup::Scope::Qos) => "the pods of its QoS class reached their memory limit".to_owned(),
            Some(podsight_cgroup::Scope::NodeAllocatable) => {
                "the pods of the node together reached the memory that the node leaves to them".to_owned()
            }
            Some(podsight_cgroup::Scope::Cgroup) => "a memory limit that Kubernetes did not set was reached".to_owned(),
            Some(podsight_cgroup::Scope::Node) => "the node ran out of memory".to_owned(),
            None => "a memory limit was reached that could not be determined".to_owned(),
        };
        Self {
            id: kill.id.to_string(),
            at: show_time(kill.at),
            container: kill.container.clone(),
            kind,
            message: format!("The kernel killed process {comm} (pid {pid}) in {place}: {reason} [{}]", kill.verdict),
        }
    }
}

/// The patch of `pods/status`.
///
/// It is a merge patch: it needs no `get`, never conflicts with the owner of another field, and with `metadata.uid` in it the API server refuses it (422)
/// where the name belongs to another pod by now.
pub fn patch(write: &Write) -> Value {
    let mut metadata = json!({"uid": write.uid, "annotations": {annotation::OOM: write.evidence}});
    if let (Some(sentence), Some(metadata)) = (&write.sentence, metadata.as_object_mut()) {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.insert(annotation::OOM_KILLED.to_owned(), json!(sentence));
        }
        metadata.insert("labels".to_owned(), json!({annotation::LABEL: annotation::LABEL_VALUE}));
    }
    json!({"metadata": metadata})
}

/// The Events of a write: on the pod, or on its owner and the node if the pod is no more.
///
/// Their names are made of the kill's id, so that the same Event is never stored twice.
pub fn events(write: &Write, node: &str) -> Vec<Value> {
    write.announcements.iter().flat_map(|announcement| events_of(write, announcement, node)).collect()
}

fn events_of(write: &Write, announcement: &Announcement, node: &str) -> Vec<Value> {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "namespace": write.namespace, "name": write.name, "uid": write.uid});
    if !write.is_gone {
        let mut pod = pod;
        if let (Some(container), Some(pod)) = (&announcement.container, pod.as_object_mut()) {
            pod.insert("fieldPath".to_owned(), json!(format!("spec.{}{{{container}}}", announcement.kind.field())));
        }
        return vec![event(&write.namespace, &write.name, &pod, announcement, &announcement.message, node)];
    }
    let message = match write.name.as_str() {
        "" => format!("{} (pod with the UID {}, which the API server does not show)", announcement.message, write.uid),
        name => format!("{} (pod {}/{name}, which is gone)", announcement.message, write.namespace),
    };
    let mut events = Vec::new();
    if let Some(owner) = &write.owner {
        let object = json!({"apiVersion": owner.api_version, "kind": owner.kind, "namespace": write.namespace, "name": owner.name, "uid": owner.uid});
        events.push(event(&write.namespace, &owner.name, &object, announcement, &message, node));
    }
    // The kubelet's Events on its Node have the node's name for a UID, and kubectl looks for that (pkg/kubelet/kubelet.go).
    let object = json!({"apiVersion": "v1", "kind": "Node", "name": node, "uid": node});
    events.push(event("default", node, &object, announcement, &message, node));
    events
}

fn event(namespace: &str, name: &str, object: &Value, announcement: &Announcement, message: &str, node: &str) -> Value {
    let stem: String = name.chars().take(MAX_NAME_BYTES).collect();
    let id = announcement.id.replace(':', "-");
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": namespace, "name": format!("{}.{id}", stem.trim_end_matches(['.', '-']))},
        "involvedObject": object,
        "type": "Warning",
        "reason": REASON,
        "message": message,
        "action": "Killing",
        "firstTimestamp": announcement.at,
        "lastTimestamp": announcement.at,
        "count": 1,
        "source": {"component": FIELD_MANAGER, "host": node},
        "reportingComponent": FIELD_MANAGER,
        "reportingInstance": node,
    })
}

/// Sends writes.
#[expect(missing_debug_implementations, reason = "the Kubernetes client has none")]
#[derive(Clone)]
pub struct Publisher {
    client: Client,
    node: String,
    metrics: AgentMetrics,
}

impl Publisher {
    /// A publisher on this node.
    pub fn new(client: Client, node: String, metrics: AgentMetrics) -> Self {
        Self { client, node, metrics }
    }

    /// Sends one write: the Event first. If the agent dies between the two, the kill is found again and the Event is there already.
    pub async fn send(self, write: Write) -> (String, Outcome) {
        let Ok(outcome) = tokio::time::timeout(TIMEOUT, self.send_all(&write)).await else {
            tracing::warn!(namespace = write.namespace, pod = write.name, "Gave up a write that took too long; trying again.");
            return (write.uid, Outcome::Failed);
        };
        (write.uid, outcome)
    }

    async fn send_all(&self, write: &Write) -> Outcome {
        for event in events(write, &self.node) {
            if self.create(event).await == Outcome::Failed {
                return Outcome::Failed;
            }
        }
        if write.is_gone {
            return Outcome::Written;
        }
        let pods: Api<crate::api_pod::ApiPod> = Api::namespaced(self.client.clone(), &write.namespace);
        let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        match pods.patch_status(&write.name, &parameters, &Patch::Merge(patch(write))).await {
            Ok(_) => Outcome::Written,
            Err(Error::Api(status)) if status.code == 404 => Outcome::Gone,
            Err(error) => {
                tracing::warn!(
                    namespace = write.namespace,
                    pod = write.name,
                    error = &error as &dyn std::error::Error,
                    "Failed to write evidence; trying again."
                );
                Outcome::Failed
            }
        }
    }

    async fn create(&self, event: Value) -> Outcome {
        let parameters = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let namespace = event.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("default").to_owned();
        let event: Event = match serde_json::from_value(event) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "Failed to make an Event.");
                return Outcome::Gone;
            }
        };
        let (label, outcome) = match Api::<Event>::namespaced(self.client.clone(), &namespace).create(&parameters, &event).await {
            Ok(_) => ("written", Outcome::Written),
            // It was sent before, by this run or the one before.
            Err(Error::Api(status)) if status.code == 409 => ("known", Outcome::Written),
            // A namespace that is being deleted, a quota, a policy: the evidence on the pod must not wait for it.
            Err(Error::Api(status)) if (400..500).contains(&status.code) && status.code != 429 && status.code != 401 => {
                tracing::warn!(namespace, code = status.code, message = status.message, "The API server refused an Event.");
                ("refused", Outcome::Gone)
            }
            Err(error) => {
                tracing::warn!(namespace, error = &error as &dyn std::error::Error, "Failed to send an Event; trying again.");
                ("failed", Outcome::Failed)
            }
        };
        self.metrics.events.get_or_create(&WriteLabels { outcome: label }).inc();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use podsight_cause::Cause;
    use podsight_cgroup::Scope;
    use podsight_oom::Attribution;

    fn kill(container: &str) -> ConfirmedKill {
        ConfirmedKill {
            id: podsight_evidence::id::KillId::from_mark("4f1d2c3b:476:5297431:158").unwrap(),
            at: Timestamp::UNIX_EPOCH,
            container: Some(container.to_owned()),
            starts_incident: true,
            comm: None,
            anon_kib: None,
            resident_kib: None,
            scope: Some(Scope::Container),
            limit: None,
            verdict: Cause::OomContainerLimit,
            attribution: Attribution::KernelLine,
            is_history: false,
        }
    }

    #[test]
    fn an_event_points_at_where_its_container_stands_in_the_spec() {
        for (kind, path) in [
            (Kind::Main, "spec.containers{a}"),
            (Kind::Init, "spec.initContainers{a}"),
            (Kind::Sidecar, "spec.initContainers{a}"),
            (Kind::Ephemeral, "spec.ephemeralContainers{a}"),
        ] {
            let write = Write {
                uid: "u".to_owned(),
                namespace: "default".to_owned(),
                name: "p".to_owned(),
                owner: None,
                is_gone: false,
                evidence: String::new(),
                sentence: None,
                announcements: vec![Announcement::new(&kill("a"), kind, None)],
            };
            let told = events(&write, "node-1");
            assert_eq!(told[0]["involvedObject"]["fieldPath"], path);
        }
    }
}
