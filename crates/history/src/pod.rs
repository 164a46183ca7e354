//! A pod with evidence, as far as it concerns history.

use crate::owner::{self, Controller, Owner, WorkloadKey};
use crate::record::KillRecord;
use podsight_evidence::annotation::{self, Evidence};
use serde_json::Value;
use std::collections::BTreeMap;

/// A pod has a handful of containers; the API server sets no bound.
const MAX_CONTAINERS: usize = 128;

/// A pod with evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KilledPod {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The UID.
    pub uid: String,
    /// The controller.
    pub controller: Option<Controller>,
    /// The label `pod-template-hash`, by which a `ReplicaSet`'s name tells its Deployment's.
    pub pod_template_hash: Option<String>,
    /// The images of the containers as the spec names them, by the container's name.
    pub images: BTreeMap<String, String>,
    /// What was killed.
    pub evidence: Evidence,
}

impl KilledPod {
    /// Reads a pod. `None` where it is none, or has no evidence that can be read.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        if text("/kind") != Some("Pod") {
            return None;
        }
        let annotation = object.pointer("/metadata/annotations")?.get(annotation::OOM)?.as_str()?;
        let name = text("/metadata/name")?;
        let containers = ["initContainers", "containers"].iter().filter_map(|list| object.get("spec")?.get(list)?.as_array()).flatten();
        let images = containers.take(MAX_CONTAINERS).filter_map(|container| {
            let text = |key: &str| container.get(key)?.as_str().map(str::to_owned);
            Some((text("name")?, text("image")?))
        });
        Some(Self {
            namespace: text("/metadata/namespace").unwrap_or_default().to_owned(),
            name: name.to_owned(),
            // Written by hand there is none; the name is then as good.
            uid: text("/metadata/uid").unwrap_or(name).to_owned(),
            controller: owner::controller(object),
            pod_template_hash: text("/metadata/labels/pod-template-hash").map(str::to_owned),
            images: images.collect(),
            evidence: annotation::read(annotation).ok()?,
        })
    }

    /// Whose it is. `None` where that has no name that could be one.
    pub fn owner(&self) -> Option<Owner> {
        owner::of(&self.namespace, &self.name, self.controller.as_ref())
    }

    /// Whose it is by the names alone.
    pub fn owner_by_name(&self) -> Option<WorkloadKey> {
        match self.owner()? {
            Owner::Known(key) => Some(key),
            Owner::Ask(controller) => owner::by_name(&self.namespace, &controller, self.pod_template_hash.as_deref()),
        }
    }

    /// What was killed, by container.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&str, KillRecord)> {
        let containers = self.evidence.containers.iter();
        containers.filter_map(|(name, evidence)| Some((name.as_str(), KillRecord::of(&self.uid, self.images.get(name)?, evidence)?)))
    }
}
