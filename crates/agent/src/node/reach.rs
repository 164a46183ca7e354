//! How far the kernel log is known, and what follows from it for everything else.

use super::{Node, Stage};
use podsight_evidence::id::KillId;

/// How far the kernel log was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It has lines that were not read yet.
    #[default]
    Behind,
    /// It was read to its end.
    End,
    /// It cannot be read.
    Blind,
}

/// What the lines are that are read now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// From before this run: the log was not at its end yet.
    #[default]
    First,
    /// New ones.
    Following,
    /// From the beginning again, after the log could not be read for a time.
    Again,
}

/// What is known of the log.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) reach: Reach,
    /// Kills that the kernel has counted since the log was last at its end; absent where it does not count.
    unseen: Option<u64>,
    phase: Phase,
    /// The log is read from its beginning again: up to here this run has seen it.
    repeated: Option<KillId>,
    /// Whether the last kill line that was read is one of those.
    pub(super) is_repetition: bool,
    /// Whether a run before this one may have counted what is in the log.
    has_earlier_run: bool,
    /// Kill lines that may have been counted before; they bear nothing by which that could be told.
    pub(super) untold: u64,
}

impl Known {
    pub(super) fn new(has_earlier_run: bool) -> Self {
        Self { has_earlier_run, ..Self::default() }
    }

    /// Whether what is read now was written before this run, or while the log could not be read.
    pub(super) fn is_history(&self) -> bool {
        self.phase != Phase::Following
    }

    /// Whether this line may have been counted before, and nothing in it tells whether it was.
    pub(super) fn cannot_tell(&self, id: &KillId) -> bool {
        self.is_history() && !id.is_stamped() && (self.has_earlier_run || self.repeated.is_some())
    }

    /// Whether this run has seen this line before.
    pub(super) fn repeats(&self, id: &KillId) -> bool {
        self.is_history() && self.repeated.is_some_and(|through| through.covers(id))
    }

    /// Kills that may be there and that no line tells of, as far as that can be known.
    pub(super) fn unseen(&self) -> Option<u64> {
        match self.reach {
            Reach::Behind => None,
            Reach::End => Some(0),
            Reach::Blind => self.unseen,
        }
    }
}

impl Node {
    /// Tells how far the log was read. `unseen` is how many kills the kernel has counted since it was last at its end; absent where it does not count.
    pub fn log_reaches(&mut self, reach: Reach, unseen: Option<u64>) {
        self.log.reach = reach;
        self.log.unseen = unseen;
        if reach == Reach::End {
            self.log.phase = Phase::Following;
            self.log.repeated = None;
            let kills = std::mem::take(&mut self.log.untold);
            if kills > 0 {
                tracing::warn!(
                    kills,
                    "Kill lines without a time stamp were there before; they may have been counted then and are not counted again. With printk.time=1 it can be told."
                );
            }
        }
    }

    /// The log is read from its beginning. What this run has seen of it is not counted again.
    pub fn rereads(&mut self) {
        self.log.repeated = self.latest.map(|(id, _)| id);
        // The reader numbers incidents from 1 again.
        self.resumed_incident = None;
        for record in self.records.values_mut() {
            record.forget_incidents();
        }
        if self.log.phase != Phase::First {
            self.log.phase = Phase::Again;
        } else if self.counters.stage != Stage::Absent {
            // What was taken for history may have its lines in this log.
            self.counters.written_off.clear();
            self.counters.stage = Stage::Uncompared;
        }
    }

    /// The containers' counters may tell of a kill that no line tells of.
    pub fn want_counters(&mut self) {
        self.counters.are_wanted = true;
    }
}
