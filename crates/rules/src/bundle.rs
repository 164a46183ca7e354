//! What the files of one run hold: the names and keys that their pods may refer to.

mod admission;

use crate::facts::{Claim, Facts, ImageAnswer, Known, LimitRange, PodSecurity, Presence, RefKind, ResourceQuota};
use crate::keys::keys_of;
use crate::near::is_near;
use crate::reference::references;
use podsight_history::{History, PastKills, WorkloadKey};
use podsight_spec::{Document, Workload, workloads};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The objects of a run, by the folder that they lie in.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    objects: BTreeMap<(RefKind, String), Vec<Object>>,
    /// The names that pods of the run refer to.
    referred: BTreeSet<(RefKind, String)>,
    /// What will decide over the run's pods.
    admission: admission::Objects,
    /// What was killed in pods of the run that come from a cluster, with the evidence on them.
    history: History,
    /// What registries said of images.
    images: BTreeMap<String, ImageAnswer>,
    /// The folders that kustomize builds from.
    kustomized: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Object {
    folder: String,
    namespace: Option<String>,
    /// `None` where they are not known.
    keys: Option<BTreeSet<String>>,
}

/// What a bundle knows, seen from one folder: near-miss names are looked for in it alone.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a> {
    bundle: &'a Bundle,
    folder: &'a str,
}

/// What a set of documents of one folder holds.
pub fn bundle_of(documents: &[Document]) -> Bundle {
    let mut bundle = Bundle::default();
    for document in documents {
        bundle.add(&document.value, "");
    }
    bundle
}

impl Bundle {
    /// Notes what an object of a folder is, which keys it has, and what its pods refer to.
    pub fn add(&mut self, value: &Value, folder: &str) {
        if let Some(items) = value.get("items").and_then(Value::as_array) {
            for item in items {
                self.add_one(item, folder);
            }
        } else {
            self.add_one(value, folder);
        }
        for workload in workloads(value) {
            for reference in references(&workload, &workload.containers()) {
                self.referred.insert((reference.kind, reference.name.to_owned()));
            }
            // A StatefulSet's claims are made from its templates, for the volumes of their names.
            for template in workload.object.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = template.pointer("/metadata/name").and_then(Value::as_str) {
                    self.insert(RefKind::PersistentVolumeClaim, name, folder, workload.namespace, None);
                }
            }
        }
    }

    /// Whether the folder holds objects that decide over the pods of the namespace.
    pub fn decides(&self, folder: &str, namespace: Option<&str>) -> bool {
        self.admission.decides(folder, namespace)
    }

    /// Whether pods of the run carry evidence of kills.
    pub fn has_past_kills(&self) -> bool {
        !self.history.is_empty()
    }

    /// Notes what a registry says of an image.
    pub fn add_image(&mut self, image: &str, answer: ImageAnswer) {
        self.images.insert(image.to_owned(), answer);
    }

    /// The bundle as it looks from a folder.
    pub fn from_folder<'a>(&'a self, folder: &'a str) -> Folder<'a> {
        Folder { bundle: self, folder }
    }

    fn add_one(&mut self, value: &Value, folder: &str) {
        self.admission.add(value, folder);
        self.history.observe_object(value);
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let namespace = text("/metadata/namespace");
        let Some(name) = text("/metadata/name") else {
            match text("/kind") {
                Some("Kustomization" | "Component") => self.add_kustomization(value, folder),
                // The file's kind may be left out.
                None if ["resources", "bases", "components", "configMapGenerator", "secretGenerator"]
                    .iter()
                    .any(|field| value.get(field).is_some_and(Value::is_array)) =>
                {
                    self.add_kustomization(value, folder);
                }
                _ => {}
            }
            return;
        };
        // Into what is empty somebody else writes: a person, an overlay, an operator.
        let keys = || keys_of(value).map(|keys| keys.map(str::to_owned).collect()).filter(|keys: &BTreeSet<String>| !keys.is_empty());
        match text("/kind") {
            Some("ConfigMap") => self.insert(RefKind::ConfigMap, name, folder, namespace, keys()),
            Some("Secret") => self.insert(RefKind::Secret, name, folder, namespace, keys()),
            Some("PersistentVolumeClaim") => {
                self.insert(RefKind::PersistentVolumeClaim, name, folder, namespace, None);
                if let Claim::OfClass(class) = Claim::of(value) {
                    self.referred.insert((RefKind::StorageClass, class));
                }
            }
            Some("StorageClass") => self.insert(RefKind::StorageClass, name, folder, None, None),
            Some("PriorityClass") => self.insert(RefKind::PriorityClass, name, folder, None, None),
            Some("RuntimeClass") => self.insert(RefKind::RuntimeClass, name, folder, None, None),
            Some("ServiceAccount") => self.insert(RefKind::ServiceAccount, name, folder, namespace, None),
            Some("Kustomization" | "Component") => self.add_kustomization(value, folder),
            // What makes a Secret of a name: sealed-secrets, external-secrets, cert-manager.
            Some("SealedSecret") => {
                self.insert(RefKind::Secret, text("/spec/template/metadata/name").unwrap_or(name), folder, namespace, None);
            }
            Some("ExternalSecret") => self.insert(RefKind::Secret, text("/spec/target/name").unwrap_or(name), folder, namespace, None),
            Some("Certificate") => self.insert(RefKind::Secret, text("/spec/secretName").unwrap_or(name), folder, namespace, None),
            _ => {}
        }
    }

    fn add_kustomization(&mut self, value: &Value, folder: &str) {
        self.kustomized.insert(folder.to_owned());
        self.add_generated(value, folder);
    }

    /// What kustomize generates.
    fn add_generated(&mut self, value: &Value, folder: &str) {
        for (field, kind) in [("configMapGenerator", RefKind::ConfigMap), ("secretGenerator", RefKind::Secret)] {
            for generator in value.get(field).and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = generator.get("name").and_then(Value::as_str) {
                    self.insert(kind, name, folder, None, None);
                }
            }
        }
    }

    fn insert(&mut self, kind: RefKind, name: &str, folder: &str, namespace: Option<&str>, keys: Option<BTreeSet<String>>) {
        let object = Object { folder: folder.to_owned(), namespace: namespace.map(str::to_owned), keys };
        self.objects.entry((kind, name.to_owned())).or_default().push(object);
    }

    /// The objects of that name that could be the one that is meant: an object or a pod without a namespace could be in any.
    fn candidates<'a>(&'a self, kind: RefKind, namespace: Option<&'a str>, name: &str) -> impl Iterator<Item = &'a Object> {
        let objects = self.objects.get(&(kind, name.to_owned()));
        objects
            .into_iter()
            .flatten()
            .filter(move |object| namespace.is_none() || object.namespace.is_none() || object.namespace.as_deref() == namespace)
    }
}

impl Facts for Folder<'_> {
    fn is_kustomized(&self) -> bool {
        self.bundle.kustomized.contains(self.folder)
    }

    fn image(&self, image: &str) -> ImageAnswer {
        self.bundle.images.get(image).cloned().unwrap_or_default()
    }

    fn object(&self, kind: RefKind, namespace: Option<&str>, name: &str) -> Presence {
        if self.bundle.candidates(kind, namespace, name).next().is_some() {
            return Presence::Present;
        }
        // A name that is almost the same, in the same folder and namespace, and that nothing refers to: somebody made it for this pod.
        let namespace = if kind.is_cluster_wide() { None } else { namespace };
        let similar = self.bundle.objects.iter().find(|((other_kind, other), objects)| {
            *other_kind == kind
                && is_near(name, other)
                && objects.iter().any(|object| object.folder == self.folder && object.namespace.as_deref() == namespace)
                && !self.bundle.referred.contains(&(kind, other.clone()))
        });
        similar.map_or(Presence::Unknown, |((_, similar), _)| Presence::Misspelt { similar: similar.clone() })
    }

    fn key(&self, kind: RefKind, namespace: Option<&str>, name: &str, key: &str) -> Presence {
        // Of several objects of one name (overlays), the one of the pod's folder is meant, else any could be.
        let all: Vec<&Object> = self.bundle.candidates(kind, namespace, name).collect();
        let own: Vec<&Object> = all.iter().copied().filter(|object| object.folder == self.folder).collect();
        if own.is_empty() || all.iter().any(|object| object.keys.as_ref().is_none_or(|keys| keys.contains(key))) {
            return Presence::Unknown;
        }
        let similar = own.iter().filter_map(|object| object.keys.as_ref()).flatten().find(|other| is_near(key, other));
        Presence::Absent { similar: similar.cloned() }
    }

    fn limit_ranges(&self, namespace: Option<&str>) -> Known<LimitRange> {
        self.bundle.admission.limit_ranges(self.folder, namespace)
    }

    fn resource_quotas(&self, namespace: Option<&str>) -> Known<ResourceQuota> {
        self.bundle.admission.resource_quotas(self.folder, namespace)
    }

    fn pod_security(&self, namespace: Option<&str>) -> Option<PodSecurity> {
        self.bundle.admission.pod_security(self.folder, namespace)
    }

    fn claim(&self, namespace: Option<&str>, name: &str) -> Option<Arc<Claim>> {
        self.bundle.admission.claim(self.folder, namespace, name)
    }

    fn has_default_storage_class(&self) -> Option<bool> {
        // What the cluster has besides is not known.
        self.bundle.admission.has_default_storage_class().then_some(true)
    }

    fn has_free_volume(&self, class: Option<&str>) -> Option<bool> {
        self.bundle.admission.has_volume(class).then_some(true)
    }

    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills> {
        let history = &self.bundle.history;
        if history.is_empty() {
            return None;
        }
        let key = WorkloadKey::of(workload, workload.namespace.unwrap_or_default())?;
        match workload.namespace {
            Some(_) => history.past_kills(&key, container),
            None => history.past_kills_anywhere(&key, container),
        }
    }
}

impl Facts for Bundle {
    fn is_kustomized(&self) -> bool {
        self.from_folder("").is_kustomized()
    }

    fn image(&self, image: &str) -> ImageAnswer {
        self.from_folder("").image(image)
    }

    fn object(&self, kind: RefKind, namespace: Option<&str>, name: &str) -> Presence {
        self.from_folder("").object(kind, namespace, name)
    }

    fn key(&self, kind: RefKind, namespace: Option<&str>, name: &str, key: &str) -> Presence {
        self.from_folder("").key(kind, namespace, name, key)
    }

    fn limit_ranges(&self, namespace: Option<&str>) -> Known<LimitRange> {
        self.from_folder("").limit_ranges(namespace)
    }

    fn resource_quotas(&self, namespace: Option<&str>) -> Known<ResourceQuota> {
        self.from_folder("").resource_quotas(namespace)
    }

    fn pod_security(&self, namespace: Option<&str>) -> Option<PodSecurity> {
        self.from_folder("").pod_security(namespace)
    }

    fn claim(&self, namespace: Option<&str>, name: &str) -> Option<Arc<Claim>> {
        self.from_folder("").claim(namespace, name)
    }

    fn has_default_storage_class(&self) -> Option<bool> {
        self.from_folder("").has_default_storage_class()
    }

    fn has_free_volume(&self, class: Option<&str>) -> Option<bool> {
        self.from_folder("").has_free_volume(class)
    }

    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills> {
        self.from_folder("").past_kills(workload, container)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kustomization_is_known_by_its_kind_or_its_fields() {
        for (value, is_kustomized) in [
            (json!({"kind": "Kustomization", "apiVersion": "kustomize.config.k8s.io/v1beta1"}), true),
            (json!({"kind": "Component", "metadata": {"name": "a"}}), true),
            (json!({"resources": ["web.yaml"]}), true),
            (json!({"replicaCount": 1, "resources": {}}), false),
            (json!({"kind": "Pod", "metadata": {"name": "a"}}), false),
        ] {
            let mut bundle = Bundle::default();
            bundle.add(&value, "here");
            assert_eq!(bundle.from_folder("here").is_kustomized(), is_kustomized, "{value}");
            assert!(!bundle.from_folder("elsewhere").is_kustomized());
        }
    }

    #[test]
    fn a_selector_may_come_from_an_overlay() {
        let pod = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}});
        let deployment =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": 1, "template": pod}});
        let found = |bundle: &Bundle| {
            let workloads = workloads(&deployment);
            crate::check_with(&workloads[0], bundle).iter().any(|finding| finding.rule == "field-missing")
        };
        let mut bundle = Bundle::default();
        assert!(found(&bundle));
        bundle.add(&json!({"kind": "Kustomization"}), "");
        assert!(!found(&bundle));
    }
}
