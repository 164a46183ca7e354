//! Findings as Events on the workloads, for those whom no warning reaches: Argo CD, Flux and operators apply without showing any.
//!
//! Off unless it is asked for. Nothing of it is in a review's way: a note goes into a queue of fixed length, or is dropped and counted, and
//! a task of its own writes the Events.

mod backlog;
mod note;
mod send;

pub(crate) use note::Note;
pub use send::{EventMetrics, EventOutcome, Events, Outbox, queue};
