//! The kinds that decide over pods, and where the API server has them.

use podsight_rules::RefKind;

/// A kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// ConfigMap: name and keys.
    ConfigMap,
    /// Secret: name and keys.
    Secret,
    /// ServiceAccount: name.
    ServiceAccount,
    /// PersistentVolumeClaim: name and class.
    PersistentVolumeClaim,
    /// PriorityClass: name.
    PriorityClass,
    /// RuntimeClass: name.
    RuntimeClass,
    /// `StorageClass`: name, and whether it is the default.
    StorageClass,
    /// `PersistentVolume`: name and class, while no claim has it.
    PersistentVolume,
    /// LimitRange.
    LimitRange,
    /// `ResourceQuota`: what it counts and how much there may be.
    ResourceQuota,
    /// Namespace: name and labels.
    Namespace,
    /// Node: labels, taints and allocatable resources.
    Node,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::ConfigMap,
        Self::Secret,
        Self::ServiceAccount,
        Self::PersistentVolumeClaim,
        Self::PriorityClass,
        Self::RuntimeClass,
        Self::StorageClass,
        Self::PersistentVolume,
        Self::LimitRange,
        Self::ResourceQuota,
        Self::Namespace,
        Self::Node,
    ];

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
            Self::PersistentVolume => "PersistentVolume",
            Self::LimitRange => "LimitRange",
            Self::ResourceQuota => "ResourceQuota",
            Self::Namespace => "Namespace",
            Self::Node => "Node",
        }
    }

    /// The kind with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The API group; empty for the core.
    pub const fn group(self) -> &'static str {
        match self {
            Self::PriorityClass => "scheduling.k8s.io",
            Self::RuntimeClass => "node.k8s.io",
            Self::StorageClass => "storage.k8s.io",
            _ => "",
        }
    }

    /// The resource's name in paths and rights.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
            Self::ServiceAccount => "serviceaccounts",
            Self::PersistentVolumeClaim => "persistentvolumeclaims",
            Self::PriorityClass => "priorityclasses",
            Self::RuntimeClass => "runtimeclasses",
            Self::StorageClass => "storageclasses",
            Self::PersistentVolume => "persistentvolumes",
            Self::LimitRange => "limitranges",
            Self::ResourceQuota => "resourcequotas",
            Self::Namespace => "namespaces",
            Self::Node => "nodes",
        }
    }

    /// Whether the objects are the cluster's and in no namespace.
    pub const fn is_cluster_wide(self) -> bool {
        matches!(
            self,
            Self::PriorityClass | Self::RuntimeClass | Self::StorageClass | Self::PersistentVolume | Self::Namespace | Self::Node
        )
    }

    /// Whether the objects' metadata tell all that is kept of them.
    pub const fn is_told_by_metadata(self) -> bool {
        matches!(self, Self::ServiceAccount | Self::PriorityClass | Self::RuntimeClass | Self::StorageClass | Self::Namespace)
    }

    /// Its place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl From<RefKind> for Kind {
    fn from(kind: RefKind) -> Self {
        match kind {
            RefKind::ConfigMap => Self::ConfigMap,
            RefKind::Secret => Self::Secret,
            RefKind::ServiceAccount => Self::ServiceAccount,
            RefKind::PersistentVolumeClaim => Self::PersistentVolumeClaim,
            RefKind::PriorityClass => Self::PriorityClass,
            RefKind::RuntimeClass => Self::RuntimeClass,
            RefKind::StorageClass => Self::StorageClass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_at_its_place() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!((kind.index(), Kind::of_name(kind.name())), (place, Some(kind)));
        }
    }
}
