//! Rules about probes.

pub(crate) mod liveness_window;
pub(crate) mod probe_always_fails;
pub(crate) mod probe_host_localhost;
pub(crate) mod probe_missing;
pub(crate) mod probe_port_name_unknown;
