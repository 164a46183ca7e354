//! What runs pods: a Pod, or any object with a pod template.

use serde_json::Value;

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
    pub pod_pointer: &'static str,
    /// The pod spec.
    pub pod: &'a Value,
}

/// The part that a container plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A container of `containers`.
    Main,
    /// An init container that ends.
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    /// An ephemeral container.
    Ephemeral,
}

/// One container of a pod spec.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// `name`.
    pub name: Option<&'a str>,
    /// The part it plays.
    pub role: Role,
    /// The container.
    pub value: &'a Value,
    /// JSON pointer from the object, such as `/spec/template/spec/containers/0`.
    pub pointer: String,
}

impl<'a> Workload<'a> {
    /// The containers in the order of the kubelet: init, main, ephemeral.
    pub fn containers(&self) -> Vec<Container<'a>> {
        Vec::new()
    }
}

/// The workloads of a document's value: one, those of a List, or none.
pub fn workloads(_value: &Value) -> Vec<Workload<'_>> {
    Vec::new()
}
