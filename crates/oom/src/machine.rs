//! The state machine over records.

use crate::Kill;
use podsight_kmsg::Record;

/// What the machine has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A kill. The same kill may come twice, the second time with more known (`group_kill`): its `seq`, `usec` and `pid` are its identity.
    Kill(Box<Kill>),
    /// So many reports were left out by the kernel's rate limit (`N callbacks suppressed`).
    Suppressed(u64),
    /// A look-alike record whose facility is not the kernel's.
    Rejected,
}

/// Reads records in the order of the log.
#[derive(Debug, Default)]
pub struct Machine {}

impl Machine {
    /// Takes the next record.
    pub fn push(&mut self, _record: &Record<'_>, _events: &mut Vec<Event>) {}

    /// Gives out what was held back for a following line; call it at the end of a log and when a live log has nothing more to read.
    pub fn idle(&mut self, _events: &mut Vec<Event>) {}
}
