//! What is known of other objects: from a cluster, from the other files of a run, or nothing.

mod claim;
mod node;
mod pod_security;
mod resources;

pub use claim::Claim;
pub use node::{Node, Taint};
pub use pod_security::{Level, PodSecurity};
pub use resources::{LimitRange, LimitRangeItem, LimitType, ResourceQuota, Resources, Scope};

use podsight_history::PastKills;
use podsight_spec::Workload;
use std::sync::Arc;

/// The kinds that pods refer to by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefKind {
    /// ConfigMap
    ConfigMap,
    /// Secret
    Secret,
    /// `ServiceAccount`
    ServiceAccount,
    /// `PersistentVolumeClaim`
    PersistentVolumeClaim,
    /// `PriorityClass` (of the cluster, not of a namespace)
    PriorityClass,
    /// `RuntimeClass` (of the cluster, not of a namespace)
    RuntimeClass,
    /// `StorageClass` (of the cluster, not of a namespace)
    StorageClass,
}

impl RefKind {
    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::ServiceAccount => "ServiceAccount",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::PriorityClass => "PriorityClass",
            Self::RuntimeClass => "RuntimeClass",
            Self::StorageClass => "StorageClass",
        }
    }

    /// Whether the objects are the cluster's and in no namespace.
    pub const fn is_cluster_wide(self) -> bool {
        matches!(self, Self::PriorityClass | Self::RuntimeClass | Self::StorageClass)
    }
}

/// Whether an object, or a key in it, exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It exists.
    Present,
    /// It does not exist now: seen in the cluster itself, which is complete.
    Absent {
        /// The nearest name that exists.
        similar: Option<String>,
    },
    /// It is not among the files of this run, but one of nearly the same name is, which nothing refers to.
    Misspelt {
        /// That name.
        similar: String,
    },
    /// Nobody knows.
    Unknown,
}

/// The objects of a kind that are known.
#[derive(Clone, Debug)]
pub struct Known<T> {
    /// The objects.
    pub items: Vec<Arc<T>>,
    /// Whether there are no others.
    pub is_complete: bool,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { items: Vec::new(), is_complete: false }
    }
}

/// What a registry says of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ImageAnswer {
    /// It was not asked, or does not say.
    #[default]
    Unknown,
    /// It has the image for these platforms (`linux/amd64`); an empty list is not known.
    Present {
        /// The platforms.
        platforms: Vec<String>,
    },
    /// It has no such repository, tag or digest.
    Absent,
}

/// What is known of other objects. Who does not know says so, and the rules stay silent.
///
/// A namespace of `None` is the one that the workload will be in.
pub trait Facts {
    /// Whether anything at all is known of objects; if not, the rules do not ask.
    fn knows_objects(&self) -> bool {
        true
    }

    /// Whether the object exists in the namespace.
    fn object(&self, _kind: RefKind, _namespace: Option<&str>, _name: &str) -> Presence {
        Presence::Unknown
    }

    /// The lowest memory limit in bytes that the runtimes of all nodes accept, where they are known (12 MiB: CRI-O with runc).
    fn memory_floor(&self) -> Option<i64> {
        None
    }

    /// Whether the ConfigMap or Secret has the key. Asked only where the object is `Present`.
    fn key(&self, _kind: RefKind, _namespace: Option<&str>, _name: &str, _key: &str) -> Presence {
        Presence::Unknown
    }

    /// Whether the API server has validated the object before the rules see it, as it has for a validating webhook.
    fn is_validated(&self) -> bool {
        false
    }

    /// Whether kustomize makes the objects from files in this folder: labels, selectors and more may come from an overlay.
    fn is_kustomized(&self) -> bool {
        false
    }

    /// The minor version of the API server that admits the object right now, and warns by itself; `None` where none does, or it is not known.
    fn admitting_minor(&self) -> Option<u32> {
        None
    }

    /// The `LimitRanges` of a namespace.
    fn limit_ranges(&self, _namespace: Option<&str>) -> Known<LimitRange> {
        Known::default()
    }

    /// The `ResourceQuotas` of a namespace.
    fn resource_quotas(&self, _namespace: Option<&str>) -> Known<ResourceQuota> {
        Known::default()
    }

    /// The Pod Security level that a namespace enforces: `None` where it enforces none, or nobody knows.
    fn pod_security(&self, _namespace: Option<&str>) -> Option<PodSecurity> {
        None
    }

    /// What stands behind a claim; `None` where it is not known.
    fn claim(&self, _namespace: Option<&str>, _name: &str) -> Option<Arc<Claim>> {
        None
    }

    /// Whether there is a class for claims that name none; `None` where the classes are not known.
    fn has_default_storage_class(&self) -> Option<bool> {
        None
    }

    /// Whether somebody has made, by hand, a volume of this class that no claim has; `None` where the volumes are not known.
    /// `None` for the class: a volume without one.
    fn has_free_volume(&self, _class: Option<&str>) -> Option<bool> {
        None
    }

    /// Shows the nodes until one is accepted, and tells whether one was. `None` where the nodes are not known, or there are none.
    fn any_node(&self, _accepts: &mut dyn FnMut(&Node) -> bool) -> Option<bool> {
        None
    }

    /// The kills of this container of the workload in the past, under whatever limit and image.
    fn past_kills(&self, _workload: &Workload<'_>, _container: &str) -> Option<PastKills> {
        None
    }

    /// What the image's registry says.
    fn image(&self, _image: &str) -> ImageAnswer {
        ImageAnswer::Unknown
    }
}

/// Knows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn knows_objects(&self) -> bool {
        false
    }
}
