//! Rules about users and privileges.

pub(crate) mod root_contradiction;
pub(crate) mod sysctl_forbidden;
