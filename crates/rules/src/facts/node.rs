//! A node, as far as the scheduler's filters look at it.

use crate::facts::resources::{Resources, resources};
use serde_json::Value;
use std::collections::BTreeMap;

/// The most labels, and the most taints, that are kept of one node.
const MOST: usize = 512;

/// Labels and annotations that the makers of node pools leave on the nodes that they add and take away.
const MANAGED: [&str; 9] = [
    "karpenter.sh/",
    "cluster-autoscaler.kubernetes.io/",
    "eks.amazonaws.com/",
    "alpha.eksctl.io/",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/",
    "cluster.x-k8s.io/",
    "machine.openshift.io/",
    "node.cluster.x-k8s.io/",
];

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What pods must tolerate.
    pub taints: Vec<Taint>,
    /// What its pods may request in all.
    pub allocatable: Resources,
    /// Such as `containerd://2.4.2`.
    pub runtime: String,
    /// Whether something else than a person seems to add and remove such nodes as pods need them.
    pub is_managed: bool,
}

/// What keeps pods without a toleration off a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

impl Node {
    /// Reads the object.
    pub fn of(object: &Value) -> Self {
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let map = |pointer: &str| object.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
        let labels: BTreeMap<String, String> =
            map("/metadata/labels").take(MOST).filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
        let taints = object.pointer("/spec/taints").and_then(Value::as_array).into_iter().flatten().take(MOST);
        let taints = taints.map(|taint| Taint { key: text(taint, "key"), value: text(taint, "value"), effect: text(taint, "effect") });
        let is_managed = |key: &String| MANAGED.iter().any(|mark| key.starts_with(mark));
        Self {
            name: object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            is_managed: labels.keys().any(is_managed) || map("/metadata/annotations").any(|(key, _)| is_managed(key)),
            labels,
            taints: taints.collect(),
            allocatable: resources(object.pointer("/status/allocatable")),
            runtime: object.pointer("/status/nodeInfo/containerRuntimeVersion").and_then(Value::as_str).unwrap_or_default().to_owned(),
        }
    }
}

impl Taint {
    /// Whether it comes and goes with the node's state, and says nothing about which pods the node is for.
    pub fn is_passing(&self) -> bool {
        let own = self.key.strip_prefix("node.kubernetes.io/").is_some_and(|state| state != "out-of-service");
        own || self.key.starts_with("node.cloudprovider.kubernetes.io/")
            || matches!(
                self.key.as_str(),
                "ToBeDeletedByClusterAutoscaler" | "DeletionCandidateOfClusterAutoscaler" | "karpenter.sh/disrupted"
            )
    }
}
