//! The vocabulary of causes that all three programs share: a rule predicts a cause, a verdict is a cause, an explanation ranks causes.

#[cfg(test)]
mod catalogue_test;
mod cause;
mod lang;

pub use cause::Cause;
pub use lang::Lang;

/// What a cause has to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// `image`
    Image,
    /// `reference`
    Reference,
    /// `command`
    Command,
    /// `permission`
    Permission,
    /// `app`
    App,
    /// `memory`
    Memory,
    /// `stop`
    Stop,
    /// `node`
    Node,
    /// `scheduling`
    Scheduling,
    /// `admission`
    Admission,
    /// `runtime`
    Runtime,
    /// `lifecycle`
    Lifecycle,
    /// `normal`
    Normal,
    /// `unknown`
    Unknown,
}

impl Group {
    /// The name of the group, as in the catalogue.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Reference => "reference",
            Self::Command => "command",
            Self::Permission => "permission",
            Self::App => "app",
            Self::Memory => "memory",
            Self::Stop => "stop",
            Self::Node => "node",
            Self::Scheduling => "scheduling",
            Self::Admission => "admission",
            Self::Runtime => "runtime",
            Self::Lifecycle => "lifecycle",
            Self::Normal => "normal",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether a cause can be seen in the manifest before the pod runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predictable {
    /// From the manifest alone.
    Yes,
    /// In some of its forms.
    Partly,
    /// Never.
    No,
}

impl Cause {
    /// The cause with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.id() == id)
    }

    /// One sentence that says what the cause is.
    pub const fn meaning(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en(),
            Lang::Zh => self.zh(),
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.id())
    }
}
