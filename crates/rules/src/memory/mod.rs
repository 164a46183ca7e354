//! Rules about memory.

pub(crate) mod heap_over_limit;
pub(crate) mod heap_setting_invalid;
pub(crate) mod limit_known_too_small;
pub(crate) mod memory_over_limit;
pub(crate) mod memory_tiny;
pub(crate) mod memory_unlimited;
pub(crate) mod tmpfs_over_limit;
