//! Kernel log records as reports of out-of-memory kills.
//!
//! A [`Machine`] is fed records in the order of the log and gives back [`Event`]s. It never fails, never blocks, and its memory is bounded.
//! [`read_log`] does that for a whole log at once.

mod kill;
pub mod line;
mod machine;
mod pieces;
mod rate_limit;
mod report;
mod under_way;

pub use kill::{Attribution, Constraint, Kill, Trigger};
pub use machine::{Event, Machine, NoKill, read_log};
pub use report::{Report, Stats, Task, Usage};
