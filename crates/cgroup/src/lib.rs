//! Cgroup paths as pods and containers.

mod path;

pub use path::{CgroupPath, Runtime, Scope, parse};
