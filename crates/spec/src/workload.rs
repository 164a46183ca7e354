//! What runs pods: a Pod, or any object with a pod template.

use crate::container::{self, Container};
use crate::quantity::Quantity;
use serde_json::Value;
use std::borrow::Cow;

/// How deep a List may lie in a List.
const DEEPEST_LIST: usize = 4;

/// How deep a pod template is looked for in an object of an unknown kind.
const DEEPEST_TEMPLATE: usize = 8;

/// How many pod templates one object can have; kinds with several exist (`Experiment`, `JobSet`).
const MOST_TEMPLATES: usize = 64;

/// How many values are looked at in search of a pod template.
const LONGEST_SEARCH: usize = 2_000;

/// An object with a pod spec.
#[derive(Clone, Debug)]
pub struct Workload<'a> {
    /// `apiVersion`.
    pub api_version: &'a str,
    /// `kind`.
    pub kind: &'a str,
    /// `metadata.namespace`.
    pub namespace: Option<&'a str>,
    /// `metadata.name`, or `metadata.generateName` where there is no name.
    pub name: Option<&'a str>,
    /// The whole object.
    pub object: &'a Value,
    /// JSON pointer of the object in its document: empty, or `/items/3` in a List.
    pub object_pointer: String,
    /// JSON pointer of the pod spec from the object, such as `/spec/template/spec`.
    pub pod_pointer: Cow<'static, str>,
    /// The pod spec.
    pub pod: &'a Value,
}

/// What happens when a container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// It is started again, whatever its exit code.
    Always,
    /// It is started again if it failed.
    OnFailure,
    /// It is left alone.
    Never,
}

impl<'a> Workload<'a> {
    /// The containers in the order of the kubelet: init, main, ephemeral.
    pub fn containers(&self) -> Vec<Container<'a>> {
        container::of(self.pod, &self.pod_pointer)
    }

    /// The pod template's metadata; for a Pod its own.
    pub fn pod_metadata(&self) -> Option<&'a Value> {
        self.pod_pointer
            .strip_suffix("/spec")
            .and_then(|template| self.object.pointer(template))
            .and_then(|template| template.get("metadata"))
    }

    /// Whether the object is a Pod itself and not a template for one: then the API server has validated all of it.
    pub fn is_pod(&self) -> bool {
        self.kind == "Pod"
    }

    /// The restart policy; the default of the API is `Always`. `None` where an unknown kind may set it on its own.
    pub fn restart_policy(&self) -> Option<RestartPolicy> {
        match self.pod.get("restartPolicy").and_then(Value::as_str) {
            Some("Always") => Some(RestartPolicy::Always),
            Some("OnFailure") => Some(RestartPolicy::OnFailure),
            Some("Never") => Some(RestartPolicy::Never),
            Some(_) => None,
            None => matches!(
                self.kind,
                "Pod"
                    | "ReplicationController"
                    | "ReplicaSet"
                    | "Deployment"
                    | "StatefulSet"
                    | "DaemonSet"
                    | "DeploymentConfig"
                    | "Rollout"
            )
            .then_some(RestartPolicy::Always),
        }
    }

    /// Whether it is only a part of an object, such as a patch of kustomize: what is absent may come from elsewhere.
    pub fn is_partial(&self) -> bool {
        let containers = self.pod.get("containers").and_then(Value::as_array);
        let whole = containers.is_some_and(|containers| {
            !containers.is_empty()
                && containers.iter().all(|container| container.get("image").is_some() && container.get("$patch").is_none())
        });
        !whole || self.pod.get("$patch").is_some() || self.lacks_labels()
    }

    /// Whether it has neither the selector nor the labels that its kind needs: a patch that adds a container.
    fn lacks_labels(&self) -> bool {
        let needs = self.api_version == "apps/v1" && matches!(self.kind, "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet");
        needs
            && self.object.pointer("/spec/selector").is_none()
            && self.pod_metadata().is_none_or(|metadata| metadata.get("labels").is_none())
    }

    /// The memory limit that the container runs into first, its own or the pod's, with the JSON pointer of the value.
    pub fn memory_limit(&self, container: &Container<'_>) -> Option<(Quantity, String)> {
        let own = container.limit("memory").map(|limit| (limit, container.at("/resources/limits/memory")));
        let pod = self
            .pod
            .get("resources")
            .and_then(|resources| resources.get("limits"))
            .and_then(|limits| limits.get("memory"))
            .and_then(Quantity::of);
        match (own, pod) {
            (Some((own, _)), Some(pod)) if pod < own => Some((pod, format!("{}/resources/limits/memory", self.pod_pointer))),
            (Some(own), _) => Some(own),
            (None, Some(pod)) => Some((pod, format!("{}/resources/limits/memory", self.pod_pointer))),
            (None, None) => None,
        }
    }
}

/// The workloads of a document's value: one, those of a List or of an AdmissionReview, or none.
pub fn workloads(value: &Value) -> Vec<Workload<'_>> {
    let mut found = Vec::new();
    collect(value, "", None, 0, &mut found);
    found
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn collect<'a>(value: &'a Value, pointer: &str, item_of: Option<(&'a str, &'a str)>, depth: usize, found: &mut Vec<Workload<'a>>) {
    let kind = text(value, "kind").or_else(|| item_of.map(|(_, kind)| kind));
    let Some(kind) = kind else { return };
    let api_version = text(value, "apiVersion").or_else(|| item_of.map(|(version, _)| version)).unwrap_or_default();
    if let Some(item_kind) = kind.strip_suffix("List")
        && let Some(items) = value.get("items").and_then(Value::as_array)
    {
        if depth < DEEPEST_LIST {
            // The items of a typed list (PodList) need not say their kind.
            let item = (!item_kind.is_empty()).then_some((api_version, item_kind));
            for (number, item_value) in items.iter().enumerate() {
                collect(item_value, &format!("{pointer}/items/{number}"), item, depth + 1, found);
            }
        }
        return;
    }
    if kind == "AdmissionReview" {
        if depth == 0
            && let Some(object) = value.pointer("/request/object")
        {
            collect(object, &format!("{pointer}/request/object"), None, DEEPEST_LIST, found);
        }
        return;
    }
    let mut pods: Vec<(Cow<'static, str>, &'a Value)> = Vec::new();
    if let Some(known) = known_pod(kind, api_version) {
        pods.extend(value.pointer(known).filter(|pod| pod.is_object()).map(|pod| (Cow::Borrowed(known), pod)));
    } else if let Some(spec) = value.get("spec").filter(|_| !is_policy(api_version)) {
        if let Some(pod) = spec.get("template").and_then(|template| template.get("spec")).filter(|pod| is_pod_spec(pod)) {
            pods.push((Cow::Borrowed("/spec/template/spec"), pod));
        } else {
            let mut left = LONGEST_SEARCH;
            search(spec, "/spec", 0, &mut left, &mut pods);
        }
    }
    let metadata = value.get("metadata");
    let name = metadata.and_then(|metadata| text(metadata, "name").or_else(|| text(metadata, "generateName")));
    let namespace = metadata.and_then(|metadata| text(metadata, "namespace"));
    found.extend(pods.into_iter().map(|(pod_pointer, pod)| Workload {
        api_version,
        kind,
        namespace,
        name,
        object: value,
        object_pointer: pointer.to_owned(),
        pod_pointer,
        pod,
    }));
}

/// Where the kinds that are known have their pod spec. Kinds of other groups bear the same names: Volcano's Job has several templates.
fn known_pod(kind: &str, api_version: &str) -> Option<&'static str> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let (groups, pointer): (&[&str], _) = match kind {
        "Pod" => (&[], "/spec"),
        // Knative's Revision has its containers where a Pod has them.
        "Revision" => (&["serving.knative.dev"], "/spec"),
        "PodTemplate" => (&[], "/template/spec"),
        "CronJob" => (&["batch"], "/spec/jobTemplate/spec/template/spec"),
        "Job" => (&["batch", "extensions"], "/spec/template/spec"),
        "ReplicationController" => (&[], "/spec/template/spec"),
        "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" => (&["apps", "extensions"], "/spec/template/spec"),
        "DeploymentConfig" => (&["apps.openshift.io"], "/spec/template/spec"),
        "Rollout" => (&["argoproj.io"], "/spec/template/spec"),
        _ => return None,
    };
    // Patches and parts of lists may not say their group.
    (group.is_empty() || groups.contains(&group)).then_some(pointer)
}

/// Whether the kinds of the group hold patterns of pods, and no pods.
fn is_policy(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    ["kyverno.io", "gatekeeper.sh"]
        .iter()
        .any(|engine| group.strip_suffix(engine).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Whether the value could be a pod spec: containers that are objects with a name or an image.
fn is_pod_spec(value: &Value) -> bool {
    let containers = value.get("containers").and_then(Value::as_array);
    containers.is_some_and(|containers| {
        !containers.is_empty() && containers.iter().all(|container| text(container, "name").is_some() || text(container, "image").is_some())
    })
}

/// Pod templates anywhere below: `…Template.spec` or `template.spec` with containers in it.
fn search<'a>(value: &'a Value, pointer: &str, depth: usize, left: &mut usize, pods: &mut Vec<(Cow<'static, str>, &'a Value)>) {
    if depth > DEEPEST_TEMPLATE || *left == 0 || pods.len() >= MOST_TEMPLATES {
        return;
    }
    *left -= 1;
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                if !field.is_object() && !field.is_array() {
                    continue;
                }
                let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                let is_template = key == "template" || key.ends_with("Template") || key == "podTemplateSpec";
                match field.get("spec") {
                    Some(spec) if is_template && is_pod_spec(spec) => pods.push((Cow::Owned(format!("{below}/spec")), spec)),
                    _ => search(field, &below, depth + 1, left, pods),
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                if item.is_object() || item.is_array() {
                    search(item, &format!("{pointer}/{number}"), depth + 1, left, pods);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointers(value: &Value) -> Vec<String> {
        workloads(value).iter().map(|workload| format!("{}:{}{}", workload.kind, workload.object_pointer, workload.pod_pointer)).collect()
    }

    #[test]
    fn finds_the_pod_of_every_kind() {
        let pod = json!({"containers": [{"name": "a", "image": "b"}]});
        for (value, want) in [
            (json!({"kind": "Pod", "spec": pod}), vec!["Pod:/spec"]),
            (json!({"kind": "PodTemplate", "template": {"spec": pod}}), vec!["PodTemplate:/template/spec"]),
            (
                json!({"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}),
                vec!["CronJob:/spec/jobTemplate/spec/template/spec"],
            ),
            (
                json!({"kind": "Service", "apiVersion": "serving.knative.dev/v1", "spec": {"template": {"spec": pod}}}),
                vec!["Service:/spec/template/spec"],
            ),
            (
                json!({"kind": "TFJob", "spec": {"tfReplicaSpecs": {"PS": {"template": {"spec": pod}}}}}),
                vec!["TFJob:/spec/tfReplicaSpecs/PS/template/spec"],
            ),
            (
                json!({"kind": "Experiment", "spec": {"templates": [{"template": {"spec": pod}}, {"template": {"spec": pod}}]}}),
                vec!["Experiment:/spec/templates/0/template/spec", "Experiment:/spec/templates/1/template/spec"],
            ),
            (
                json!({"kind": "Job", "apiVersion": "batch.volcano.sh/v1alpha1", "spec": {"tasks": [{"template": {"spec": pod}}]}}),
                vec!["Job:/spec/tasks/0/template/spec"],
            ),
            (json!({"kind": "List", "items": [{"kind": "Pod", "spec": pod}, {"kind": "Service"}]}), vec!["Pod:/items/0/spec"]),
            (json!({"kind": "PodList", "apiVersion": "v1", "items": [{"spec": pod}]}), vec!["Pod:/items/0/spec"]),
            (json!({"kind": "AdmissionReview", "request": {"object": {"kind": "Pod", "spec": pod}}}), vec!["Pod:/request/object/spec"]),
            (json!({"kind": "Prometheus", "spec": {"containers": [{"name": "a"}]}}), vec![]),
            (
                json!({"kind": "ClusterPolicy", "apiVersion": "kyverno.io/v1", "spec": {"rules": [{"validate": {"pattern": {"spec": {"template": {"spec": pod}}}}}]}}),
                vec![],
            ),
            (json!({"kind": "Assign", "apiVersion": "mutations.gatekeeper.sh/v1", "spec": {"template": {"spec": pod}}}), vec![]),
            (json!({"kind": "Service", "spec": {"ports": []}}), vec![]),
            (json!({"kind": "Pod", "spec": []}), vec![]),
            (json!({"kind": 1}), vec![]),
            (json!([]), vec![]),
        ] {
            assert_eq!(pointers(&value), want, "{value}");
        }
    }

    #[test]
    fn takes_the_smaller_of_the_container_s_and_the_pod_s_limit() {
        let value = json!({"kind": "Pod", "spec": {"resources": {"limits": {"memory": "1Gi"}}, "containers": [{"name": "a", "resources": {"limits": {"memory": "2Gi"}}}, {"name": "b"}]}});
        let workloads = workloads(&value);
        let containers = workloads[0].containers();
        assert_eq!(workloads[0].memory_limit(&containers[0]).unwrap().1, "/spec/resources/limits/memory");
        assert_eq!(workloads[0].memory_limit(&containers[1]).unwrap().0.value(), 1 << 30);
    }

    #[test]
    fn a_patch_is_partial() {
        let partial = |value: &Value| workloads(value)[0].is_partial();
        assert!(partial(&json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}})));
        assert!(partial(&json!({"kind": "Deployment", "spec": {"template": {"spec": {"volumes": []}}}})));
        assert!(!partial(&json!({"kind": "Pod", "spec": {"containers": [{"name": "a", "image": "b"}]}})));
        let mut added = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b"}]}}}});
        assert!(partial(&added), "it adds a container to what has a selector");
        added["spec"]["template"]["metadata"] = json!({"labels": {"app": "a"}});
        assert!(!partial(&added));
    }
}
