//! An object that a pod needs and that is not there.

use crate::facts::Presence;

/// It is not there, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The name that was probably meant.
    pub(crate) similar: Option<String>,
    /// Whether the cluster itself was seen.
    pub(crate) in_cluster: bool,
}

impl Missing {
    /// Nothing, where the object is there or nobody knows.
    pub(crate) fn of(presence: Presence) -> Option<Self> {
        match presence {
            Presence::Absent { similar } => Some(Self { similar, in_cluster: true }),
            Presence::Misspelt { similar } => Some(Self { similar: Some(similar), in_cluster: false }),
            Presence::Present | Presence::Unknown => None,
        }
    }

    /// What is said of it. Another file of the same run, or an operator, may still make what the cluster does not have at this moment.
    pub(crate) fn words(&self) -> (&'static str, &'static str) {
        if self.in_cluster { ("is not there now", "目前不存在") } else { ("does not exist", "不存在") }
    }
}
