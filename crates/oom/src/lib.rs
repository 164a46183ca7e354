//! Kernel log records as reports of out-of-memory kills.
//!
//! A [`Machine`] is fed records in the order of the log and gives back [`Event`]s. It never fails and never blocks.

mod kill;
mod machine;

pub use kill::{Attribution, Constraint, Kill, Trigger};
pub use machine::{Event, Machine};
