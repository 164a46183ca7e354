//! Rules about what pods refer to.

pub(crate) mod database_without_password;
pub(crate) mod host_port_crowded;
pub(crate) mod missing_claim;
pub(crate) mod missing_config_ref;
pub(crate) mod storage_class_missing;
pub(crate) mod subpath_key_missing;
pub(crate) mod variable_undefined;
