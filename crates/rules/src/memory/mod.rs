//! Rules about memory.

pub(crate) mod heap_over_limit;
pub(crate) mod memory_tiny;
