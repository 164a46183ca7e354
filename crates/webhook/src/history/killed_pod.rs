//! A killed pod as the API server sends it, as far as it concerns history.
//!
//! Of the whole object only these fields are kept while it is read.

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use podsight_evidence::annotation;
use podsight_history::{Controller, KilledPod};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// By this label a `ReplicaSet`'s name tells its Deployment's.
const POD_TEMPLATE_HASH: &str = "pod-template-hash";
/// A pod has a handful of containers; the API server sets no bound.
const MAX_CONTAINERS: usize = 128;

/// A pod of the API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ApiPod {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
    spec: Spec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Option<Vec<Container>>,
    init_containers: Option<Vec<Container>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    name: String,
    image: Option<String>,
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

impl ApiPod {
    /// What history needs of it. `None` where it has no evidence that can be read: anybody may set the label.
    pub(super) fn into_killed(self) -> Option<KilledPod> {
        let metadata = self.metadata;
        let evidence = annotation::read(metadata.annotations.as_ref()?.get(annotation::OOM)?).ok()?;
        let containers = [self.spec.init_containers, self.spec.containers].into_iter().flatten().flatten();
        Some(KilledPod {
            namespace: metadata.namespace?,
            name: metadata.name?,
            uid: metadata.uid?,
            controller: controller(metadata.owner_references.as_deref()),
            pod_template_hash: metadata.labels.and_then(|mut labels| labels.remove(POD_TEMPLATE_HASH)),
            images: containers.take(MAX_CONTAINERS).filter_map(|container| Some((container.name, container.image?))).collect(),
            evidence,
        })
    }
}

/// The controller among an object's owners.
pub(super) fn controller(owners: Option<&[OwnerReference]>) -> Option<Controller> {
    let owner = owners?.iter().find(|owner| owner.controller == Some(true))?;
    Some(Controller { api_version: owner.api_version.clone(), kind: owner.kind.clone(), name: owner.name.clone(), uid: owner.uid.clone() })
}

fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Few {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        owner_references: Option<Vec<OwnerReference>>,
        annotations: Option<HashMap<String, String>>,
        labels: Option<HashMap<String, String>>,
    }
    let few = Few::deserialize(deserializer)?;
    let only = |map: Option<HashMap<String, String>>, key: &str| {
        let (key, value) = map?.remove_entry(key)?;
        Some(BTreeMap::from([(key, value)]))
    };
    Ok(ObjectMeta {
        name: few.name,
        namespace: few.namespace,
        uid: few.uid,
        resource_version: few.resource_version,
        owner_references: few.owner_references,
        annotations: only(few.annotations, annotation::OOM),
        labels: only(few.labels, POD_TEMPLATE_HASH),
        ..ObjectMeta::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_what_history_needs() {
        let object = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": "default", "uid": "u", "resourceVersion": "7", "managedFields": [{}],
                "labels": {"app": "web", "pod-template-hash": "7d4b"}, "annotations": {"a": "b", "podsight.dev/oom": "{\"v\":1,\"containers\":{\"main\":{\"kills\":2}}}"},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d4b", "uid": "r", "controller": true}]},
            "spec": {"nodeName": "n", "initContainers": null, "containers": [{"name": "main", "image": "app:1", "env": []}]}, "status": {}});
        let killed = serde_json::from_value::<ApiPod>(object.clone()).unwrap().into_killed().unwrap();
        assert_eq!(Some(&killed), KilledPod::of(&object).as_ref(), "the same as from the whole object");
        assert_eq!((killed.images["main"].as_str(), killed.pod_template_hash.as_deref()), ("app:1", Some("7d4b")));
        for spoilt in [json!({"metadata": {"name": "a"}}), json!({"metadata": {"name": "a", "annotations": {"podsight.dev/oom": "x"}}})] {
            assert!(serde_json::from_value::<ApiPod>(spoilt).unwrap().into_killed().is_none());
        }
    }
}
