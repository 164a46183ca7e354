//! Rules about users and privileges.

pub(crate) mod root_contradiction;
