//! The pod as the API server sends it, as far as the agent reads it.
//!
//! Of the whole object only these fields are kept while it is read: the pods of a node are megabytes, what concerns kills is kilobytes.

use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use podsight_evidence::annotation;
use podsight_evidence::pods::{Container, Ended, Kind, Owner, Pod};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// A mirror pod carries the UID that the kubelet's cgroups bear here (`pkg/kubelet/types/pod_update.go: ConfigHashAnnotationKey`).
const CONFIG_HASH: &str = "kubernetes.io/config.hash";
/// A pod has a handful of containers; the API server sets no bound.
const MAX_CONTAINERS: usize = 128;

/// A pod of the API.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct ApiPod {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
    spec: Spec,
    status: Status,
}

impl Resource for ApiPod {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    #[serde(deserialize_with = "null_is_empty")]
    containers: Vec<SpecContainer>,
    #[serde(deserialize_with = "null_is_empty")]
    init_containers: Vec<SpecContainer>,
    #[serde(deserialize_with = "null_is_empty")]
    ephemeral_containers: Vec<SpecContainer>,
    resources: Option<Resources>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct SpecContainer {
    name: String,
    restart_policy: Option<String>,
    resources: Option<Resources>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Resources {
    limits: Option<Limits>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Limits {
    memory: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    reason: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "null_is_empty")]
    container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "null_is_empty")]
    init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "null_is_empty")]
    ephemeral_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    #[serde(rename = "containerID")]
    container_id: Option<String>,
    restart_count: u32,
    state: Option<State>,
    last_state: Option<State>,
    resources: Option<Resources>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct State {
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Running {
    started_at: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Terminated {
    #[serde(rename = "containerID")]
    container_id: Option<String>,
    exit_code: i32,
    reason: Option<String>,
    finished_at: Option<String>,
}

impl ApiPod {
    /// What the agent keeps of it. `None` if it has no UID or name, which the API server does not send.
    pub fn to_pod(&self) -> Option<Pod> {
        let metadata = &self.metadata;
        let annotations = metadata.annotations.as_ref();
        let evidence = annotations.and_then(|all| all.get(annotation::OOM)).and_then(|text| match annotation::read(text) {
            Ok(evidence) => Some(evidence),
            Err(error) => {
                let (namespace, name) = (metadata.namespace.as_deref(), metadata.name.as_deref());
                tracing::warn!(namespace, name, error = &error as &dyn std::error::Error, "Passed over an annotation that is not ours.");
                None
            }
        });
        Some(Pod {
            uid: metadata.uid.clone()?,
            namespace: metadata.namespace.clone()?,
            name: metadata.name.clone()?,
            config_hash: annotations.and_then(|all| all.get(CONFIG_HASH)).cloned(),
            owner: self.owner(),
            memory_limit: self.spec.resources.as_ref().and_then(memory),
            containers: self.containers(),
            evidence,
            labelled: metadata
                .labels
                .as_ref()
                .is_some_and(|all| all.get(annotation::LABEL).is_some_and(|value| value == annotation::LABEL_VALUE)),
            is_deleted: metadata.deletion_timestamp.is_some(),
            disruption: self.disruption(),
        })
    }

    fn owner(&self) -> Option<Owner> {
        let owners = self.metadata.owner_references.as_deref().unwrap_or_default();
        owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| Owner {
            api_version: owner.api_version.clone(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
            uid: owner.uid.clone(),
        })
    }

    fn disruption(&self) -> Option<String> {
        let condition =
            self.status.conditions.iter().find(|condition| condition.r#type == "DisruptionTarget" && condition.status == "True");
        self.status.reason.clone().or_else(|| condition.and_then(|condition| condition.reason.clone()))
    }

    fn containers(&self) -> Vec<Container> {
        let groups = [
            (&self.spec.init_containers, &self.status.init_container_statuses, Kind::Init),
            (&self.spec.containers, &self.status.container_statuses, Kind::Main),
            (&self.spec.ephemeral_containers, &self.status.ephemeral_container_statuses, Kind::Ephemeral),
        ];
        let all = groups.into_iter().flat_map(|(containers, statuses, kind)| {
            containers.iter().map(move |container| container.with(statuses.iter().find(|status| status.name == container.name), kind))
        });
        all.take(MAX_CONTAINERS).collect()
    }
}

impl SpecContainer {
    fn with(&self, status: Option<&ContainerStatus>, kind: Kind) -> Container {
        let is_sidecar = kind == Kind::Init && self.restart_policy.as_deref() == Some("Always");
        let state = status.and_then(|status| status.state.as_ref());
        let ended = [status.and_then(|status| status.last_state.as_ref()), state]
            .into_iter()
            .flatten()
            .filter_map(|state| state.terminated.as_ref()?.to_ended());
        Container {
            name: self.name.clone(),
            kind: if is_sidecar { Kind::Sidecar } else { kind },
            id: status.and_then(|status| bare_id(status.container_id.as_deref())),
            // In-place resize: what holds now stands in the status.
            memory_limit: status
                .and_then(|status| status.resources.as_ref())
                .and_then(memory)
                .or_else(|| self.resources.as_ref().and_then(memory)),
            restarts: status.map_or(0, |status| status.restart_count),
            running_since: state.and_then(|state| state.running.as_ref()).and_then(|running| time(running.started_at.as_deref())),
            ended: ended.collect(),
        }
    }
}

impl Terminated {
    fn to_ended(&self) -> Option<Ended> {
        Some(Ended {
            id: bare_id(self.container_id.as_deref()),
            at: time(self.finished_at.as_deref())?,
            exit_code: self.exit_code,
            reason: self.reason.clone().unwrap_or_default(),
        })
    }
}

fn memory(resources: &Resources) -> Option<String> {
    resources.limits.as_ref()?.memory.clone()
}

/// `containerd://7830…` → `7830…`
fn bare_id(id: Option<&str>) -> Option<String> {
    let id = id?;
    let id = id.split_once("://").map_or(id, |(_, id)| id);
    (!id.is_empty()).then(|| id.to_owned())
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads the few fields of the metadata that are needed. `managedFields` alone is often larger than all of them.
fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Few {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        deletion_timestamp: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
        owner_references: Option<Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference>>,
        annotations: Option<HashMap<String, String>>,
        labels: Option<HashMap<String, String>>,
    }
    let few = Few::deserialize(deserializer)?;
    let only = |map: Option<HashMap<String, String>>, keys: &[&str]| {
        let mut map = map?;
        let kept: BTreeMap<String, String> = keys.iter().filter_map(|key| map.remove_entry(*key)).collect();
        (!kept.is_empty()).then_some(kept)
    };
    Ok(ObjectMeta {
        name: few.name,
        namespace: few.namespace,
        uid: few.uid,
        resource_version: few.resource_version,
        deletion_timestamp: few.deletion_timestamp,
        owner_references: few.owner_references,
        annotations: only(few.annotations, &[annotation::OOM, CONFIG_HASH]),
        labels: only(few.labels, &[annotation::LABEL]),
        ..ObjectMeta::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_concerns_kills_and_nothing_else() {
        let pod: ApiPod = serde_json::from_value(serde_json::json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "a", "namespace": "default", "uid": "u", "resourceVersion": "7", "managedFields": [{"manager": "kubelet"}],
                "annotations": {"kubernetes.io/config.hash": "52c7c29c336a733ae3bc99f62ea70cb6", "other": "x", "podsight.dev/oom": "{\"v\":1,\"containers\":{\"main\":{\"kills\":2}}}"},
                "labels": {"app": "a", "podsight.dev/oom-killed": "true"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a-1", "uid": "r", "controller": true}]
            },
            "spec": {
                "nodeName": "n", "volumes": [{"name": "x"}],
                "initContainers": [{"name": "setup", "resources": {"limits": {"memory": "16Mi"}}}, {"name": "proxy", "restartPolicy": "Always"}],
                "containers": [{"name": "main", "image": "x", "resources": {"limits": {"memory": "32Mi", "cpu": "1"}}}],
                "ephemeralContainers": null
            },
            "status": {
                "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}],
                "containerStatuses": [{
                    "name": "main", "containerID": "containerd://7830", "restartCount": 1,
                    "state": {"running": {"startedAt": "2026-11-22T10:00:00Z"}},
                    "lastState": {"terminated": {"containerID": "containerd://1111", "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-22T09:59:59Z"}}
                }]
            }
        }))
        .unwrap();
        let pod = pod.to_pod().unwrap();
        assert_eq!((pod.uid.as_str(), pod.namespace.as_str(), pod.name.as_str()), ("u", "default", "a"));
        assert_eq!(pod.config_hash.as_deref(), Some("52c7c29c336a733ae3bc99f62ea70cb6"));
        assert_eq!(pod.evidence.unwrap().containers["main"].kills, 2);
        assert_eq!(pod.owner.unwrap().kind, "ReplicaSet");
        assert_eq!(pod.disruption.as_deref(), Some("EvictionByEvictionAPI"));
        assert!(pod.labelled && !pod.is_deleted);
        let names: Vec<_> = pod.containers.iter().map(|container| (container.name.as_str(), container.kind)).collect();
        assert_eq!(names, [("setup", Kind::Init), ("proxy", Kind::Sidecar), ("main", Kind::Main)]);
        let main = &pod.containers[2];
        assert_eq!((main.id.as_deref(), main.memory_limit.as_deref(), main.restarts), (Some("7830"), Some("32Mi"), 1));
        assert_eq!(main.ended[0].id.as_deref(), Some("1111"));
        assert!(main.running_since.is_some());
    }
}
