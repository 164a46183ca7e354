//! What is known of other objects: from a cluster, from the other files of a run, or nothing.

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
        }
    }
}

/// Whether an object, or a key in it, exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It exists.
    Present,
    /// It does not exist: seen in the cluster itself, which is complete.
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

/// What is known of other objects. Who does not know says `Unknown`, and the rules stay silent.
pub trait Facts {
    /// Whether anything at all is known of objects; if not, the rules do not ask.
    fn knows_objects(&self) -> bool {
        true
    }

    /// Whether the object exists in the namespace (`None`: the one that the workload will be in).
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
