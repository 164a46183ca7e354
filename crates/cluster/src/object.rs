//! What is kept of an object.

use crate::keys::Keys;
use crate::kind::Kind;
use podsight_rules::{Claim, LimitRange, Node, ResourceQuota, keys_of};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Labels of one namespace that are kept.
const MOST_LABELS: usize = 512;

/// An object, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its namespace; empty where it has none.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// What else is kept.
    pub kept: Kept,
}

/// What is kept of an object besides its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Name,
    /// The hashes of its keys.
    Keys(Keys),
    /// What stands behind a claim.
    Claim(Arc<Claim>),
    /// Whether a `StorageClass` is for claims that name none.
    StorageClass {
        /// It is.
        is_default: bool,
    },
    /// The class of a volume, while no claim has it.
    FreeVolume(Box<str>),
    /// A LimitRange.
    LimitRange(Arc<LimitRange>),
    /// A `ResourceQuota`.
    ResourceQuota(Arc<ResourceQuota>),
    /// A namespace's labels.
    Labels(Arc<BTreeMap<String, String>>),
    /// A node.
    Node(Arc<Node>),
}

/// What an entry takes besides its texts: its place in the tree, and what the allocator keeps for each piece.
const ENTRY_BYTES: usize = 96;

impl Kept {
    /// About how many bytes it takes, with a name and a namespace of so many bytes.
    pub(crate) fn weight(&self, names: usize) -> usize {
        let kept = match self {
            Self::Name | Self::StorageClass { .. } => 0,
            Self::Keys(keys) => keys.bytes(),
            Self::FreeVolume(class) => class.len(),
            Self::Claim(_) => 64,
            // Some ten amounts an item, each an entry of its own.
            Self::LimitRange(range) => range.items.len() * 1024,
            Self::ResourceQuota(quota) => quota.hard.len() * ENTRY_BYTES + quota.scopes.len() * ENTRY_BYTES,
            Self::Labels(labels) => labels.iter().map(|(key, value)| key.len() + value.len() + ENTRY_BYTES).sum(),
            Self::Node(node) => {
                let labels: usize = node.labels.iter().map(|(key, value)| key.len() + value.len() + ENTRY_BYTES).sum();
                labels + (node.allocatable.len() + node.taints.len()) * 2 * ENTRY_BYTES
            }
        };
        ENTRY_BYTES + names + kept
    }
}

impl Object {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        self.kept.weight(self.namespace.len() + self.name.len())
    }

    /// An object of which the name alone is known.
    pub fn named(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into(), kept: Kept::Name }
    }

    /// What is to be kept of an object; `None` where it has no name. Of `data` and its like the keys are looked at, the values never.
    pub fn of(kind: Kind, value: &Value) -> Option<Self> {
        let metadata = |field: &str| value.get("metadata").and_then(|metadata| metadata.get(field));
        let text = |field: &str| metadata(field).and_then(Value::as_str);
        let name = text("name").filter(|name| !name.is_empty())?;
        let namespace = if kind.is_cluster_wide() { "" } else { text("namespace").unwrap_or_default() };
        let kept = match kind {
            Kind::ConfigMap | Kind::Secret => keys_of(value).and_then(Keys::of).map_or(Kept::Name, Kept::Keys),
            Kind::ServiceAccount | Kind::PriorityClass | Kind::RuntimeClass => Kept::Name,
            Kind::PersistentVolumeClaim => Kept::Claim(Arc::new(Claim::of(value))),
            Kind::StorageClass => {
                let is_default = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
                    .into_iter()
                    .any(|key| metadata("annotations").and_then(|all| all.get(key)).and_then(Value::as_str) == Some("true"));
                Kept::StorageClass { is_default }
            }
            Kind::PersistentVolume => {
                if value.pointer("/spec/claimRef/uid").is_some() {
                    Kept::Name
                } else {
                    Kept::FreeVolume(value.pointer("/spec/storageClassName").and_then(Value::as_str).unwrap_or_default().into())
                }
            }
            Kind::LimitRange => Kept::LimitRange(Arc::new(LimitRange::of(value))),
            Kind::ResourceQuota => Kept::ResourceQuota(Arc::new(ResourceQuota::of(value))),
            Kind::Namespace => {
                let labels = metadata("labels").and_then(Value::as_object).into_iter().flatten().take(MOST_LABELS);
                Kept::Labels(Arc::new(labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()))
            }
            Kind::Node => Kept::Node(Arc::new(Node::of(value))),
        };
        Some(Self { namespace: namespace.into(), name: name.into(), kept })
    }
}
