//! Cgroup paths as pods and containers, and the memory counters of a cgroup.
//!
//! Pure functions over bytes: this crate opens no file and never sees a kernel log line.

mod component;
mod events;
mod path;

pub use events::{MemoryEvents, OomControl, memory_events, oom_control, vmstat_oom_kill};
pub use path::{CgroupPath, PodPath, Runtime, Scope, parse};
