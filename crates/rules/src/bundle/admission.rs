//! The objects of a run that decide over its pods: `LimitRanges`, quotas, levels, claims and volumes.

use crate::facts::{Claim, Known, LimitRange, PodSecurity, ResourceQuota};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Such objects. Those of a namespace count for the pods of the same folder alone: another folder may be for another cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    places: BTreeMap<Place, Decisive>,
    levels: BTreeMap<(String, String), PodSecurity>,
    volume_classes: BTreeSet<Option<String>>,
    has_default_class: bool,
}

/// A folder, and the namespace as the objects in it name it.
type Place = (String, Option<String>);

#[derive(Clone, Debug, Default)]
struct Decisive {
    limit_ranges: Vec<Arc<LimitRange>>,
    quotas: Vec<Arc<ResourceQuota>>,
    claims: BTreeMap<String, Arc<Claim>>,
}

impl Objects {
    pub(super) fn add(&mut self, value: &Value, folder: &str) {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let (Some(kind), Some(name)) = (text("/kind"), text("/metadata/name")) else { return };
        let version = text("/apiVersion").unwrap_or_default();
        let place = || (folder.to_owned(), text("/metadata/namespace").map(str::to_owned));
        match (version, kind) {
            ("v1", "LimitRange") => self.places.entry(place()).or_default().limit_ranges.push(Arc::new(LimitRange::of(value))),
            ("v1", "ResourceQuota") => self.places.entry(place()).or_default().quotas.push(Arc::new(ResourceQuota::of(value))),
            ("v1", "PersistentVolumeClaim") => {
                self.places.entry(place()).or_default().claims.insert(name.to_owned(), Arc::new(Claim::of(value)));
            }
            ("v1", "Namespace") => {
                let labels = value.pointer("/metadata/labels");
                let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
                if let Some(level) = PodSecurity::of_labels(label, None) {
                    self.levels.insert((folder.to_owned(), name.to_owned()), level);
                }
            }
            ("v1", "PersistentVolume") => {
                let class = text("/spec/storageClassName").filter(|class| !class.is_empty());
                self.volume_classes.insert(class.map(str::to_owned));
            }
            (_, "StorageClass") => {
                let default = value.pointer("/metadata/annotations/storageclass.kubernetes.io~1is-default-class");
                self.has_default_class |= default.and_then(Value::as_str) == Some("true");
            }
            _ => {}
        }
    }

    pub(super) fn decides(&self, folder: &str, namespace: Option<&str>) -> bool {
        self.at(folder, namespace).is_some() || self.pod_security(folder, namespace).is_some()
    }

    pub(super) fn limit_ranges(&self, folder: &str, namespace: Option<&str>) -> Known<LimitRange> {
        let items = self.at(folder, namespace).map(|place| place.limit_ranges.clone()).unwrap_or_default();
        Known { items, is_complete: false }
    }

    pub(super) fn resource_quotas(&self, folder: &str, namespace: Option<&str>) -> Known<ResourceQuota> {
        let items = self.at(folder, namespace).map(|place| place.quotas.clone()).unwrap_or_default();
        Known { items, is_complete: false }
    }

    pub(super) fn claim(&self, folder: &str, namespace: Option<&str>, name: &str) -> Option<Arc<Claim>> {
        self.at(folder, namespace)?.claims.get(name).map(Arc::clone)
    }

    pub(super) fn pod_security(&self, folder: &str, namespace: Option<&str>) -> Option<PodSecurity> {
        self.levels.get(&(folder.to_owned(), namespace?.to_owned())).copied()
    }

    pub(super) fn has_default_storage_class(&self) -> bool {
        self.has_default_class
    }

    pub(super) fn has_volume(&self, class: Option<&str>) -> bool {
        self.volume_classes.contains(&class.map(str::to_owned))
    }

    fn at(&self, folder: &str, namespace: Option<&str>) -> Option<&Decisive> {
        self.places.get(&(folder.to_owned(), namespace.map(str::to_owned)))
    }
}
