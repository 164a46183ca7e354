//! What a pod refers to by name: `ConfigMaps`, Secrets, claims, accounts and classes.

use crate::facts::RefKind;
use podsight_spec::{Container, Workload};
use serde_json::Value;

/// How a pod uses what it refers to, which decides what it comes to without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `env` or `envFrom`: the container cannot be made.
    Environment,
    /// A volume: the pod's containers wait for it.
    Volume,
    /// The pod itself: without it the API server refuses the pod.
    Pod,
    /// The pull of the images: without it the kubelet pulls as anybody may.
    Pull,
}

/// One reference of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The kind of the object.
    pub kind: RefKind,
    /// Its name.
    pub name: &'a str,
    /// The key that is asked for, where one is.
    pub key: Option<&'a str>,
    /// Whether the pod does without.
    pub optional: bool,
    /// What for.
    pub used_in: Use,
    /// The number of the container, for the environment.
    pub container: Option<usize>,
    /// JSON pointer from the object to the name.
    pub pointer: String,
    /// JSON pointer from the object to the key.
    pub key_pointer: String,
}

/// All references of a pod: its own, those of its volumes, those of its containers.
pub fn references<'a>(workload: &Workload<'a>, containers: &[Container<'a>]) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    for (field, kind) in [
        ("serviceAccountName", RefKind::ServiceAccount),
        ("priorityClassName", RefKind::PriorityClass),
        ("runtimeClassName", RefKind::RuntimeClass),
    ] {
        push(workload.pod, field, kind, Use::Pod, None, &workload.pod_pointer, None, String::new(), &mut found);
    }
    // The old name of the field, which counts where the new one is absent.
    if text(workload.pod, "serviceAccountName").is_none_or(str::is_empty) {
        push(
            workload.pod,
            "serviceAccount",
            RefKind::ServiceAccount,
            Use::Pod,
            None,
            &workload.pod_pointer,
            None,
            String::new(),
            &mut found,
        );
    }
    let pod_pointer = &workload.pod_pointer;
    for (number, secret) in list(workload.pod, "imagePullSecrets") {
        let at = format!("{pod_pointer}/imagePullSecrets/{number}");
        push(secret, "name", RefKind::Secret, Use::Pull, None, &at, None, String::new(), &mut found);
    }
    for (number, volume) in list(workload.pod, "volumes") {
        let at = format!("{pod_pointer}/volumes/{number}");
        from_volume(volume, &at, &mut found);
        for (source_number, source) in volume.get("projected").into_iter().flat_map(|projected| list(projected, "sources")) {
            from_volume(source, &format!("{at}/projected/sources/{source_number}"), &mut found);
        }
    }
    for (index, container) in containers.iter().enumerate() {
        for (number, entry) in list(container.value, "env") {
            let Some(from) = entry.get("valueFrom") else { continue };
            for (field, kind) in [("configMapKeyRef", RefKind::ConfigMap), ("secretKeyRef", RefKind::Secret)] {
                if let Some(source) = from.get(field) {
                    let at = container.at(&format!("/env/{number}/valueFrom/{field}"));
                    push(source, "name", kind, Use::Environment, Some(index), &at, text(source, "key"), format!("{at}/key"), &mut found);
                }
            }
        }
        for (number, entry) in list(container.value, "envFrom") {
            for (field, kind) in [("configMapRef", RefKind::ConfigMap), ("secretRef", RefKind::Secret)] {
                if let Some(source) = entry.get(field) {
                    let at = container.at(&format!("/envFrom/{number}/{field}"));
                    push(source, "name", kind, Use::Environment, Some(index), &at, None, String::new(), &mut found);
                }
            }
        }
    }
    found
}

/// A volume, or a source of a projected one (whose secret is named by `name`, not `secretName`).
fn from_volume<'a>(volume: &'a Value, at: &str, found: &mut Vec<Reference<'a>>) {
    for (field, kind) in
        [("configMap", RefKind::ConfigMap), ("secret", RefKind::Secret), ("persistentVolumeClaim", RefKind::PersistentVolumeClaim)]
    {
        let Some(source) = volume.get(field) else { continue };
        let name_field = match kind {
            RefKind::PersistentVolumeClaim => "claimName",
            RefKind::Secret if source.get("secretName").is_some() => "secretName",
            _ => "name",
        };
        let at = format!("{at}/{field}");
        push(source, name_field, kind, Use::Volume, None, &at, None, String::new(), found);
        for (number, item) in list(source, "items") {
            if let Some(key) = text(item, "key") {
                push(source, name_field, kind, Use::Volume, None, &at, Some(key), format!("{at}/items/{number}/key"), found);
            }
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a private constructor that spares four copies of the same literal")]
fn push<'a>(
    source: &'a Value,
    name_field: &str,
    kind: RefKind,
    used_in: Use,
    container: Option<usize>,
    at: &str,
    key: Option<&'a str>,
    key_pointer: String,
    found: &mut Vec<Reference<'a>>,
) {
    let Some(name) = text(source, name_field).filter(|name| !name.is_empty()) else { return };
    let optional = source.get("optional").and_then(Value::as_bool).unwrap_or(false);
    found.push(Reference { kind, name, key, optional, used_in, container, pointer: format!("{at}/{name_field}"), key_pointer });
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (usize, &'a Value)> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}
