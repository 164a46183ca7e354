//! Rules about hooks.

pub(crate) mod post_start_fails;
pub(crate) mod prestop_exceeds_grace;
