//! The account: what the kernel counted against what was found in its log.

/// How many readings in a row have to show the same gap before it is taken to be lost: the counter moves some microseconds before the line is there.
const SETTLED_AFTER_READINGS: u32 = 8;

/// Δ`oom_kill` of `/proc/vmstat` = attributed + unattributed + lost.
///
/// One kill line is one count: the second line for the victim of a group kill counts as well, as it does in the kernel
/// (`mm/oom_kill.c: __oom_kill_process`, `count_vm_event(OOM_KILL)`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The counter when the account began; absent as long as it could not be read (before Linux 4.13).
    opening: Option<u64>,
    /// The counter when it was read last.
    latest: u64,
    /// Kill lines put down to a pod, or known to be outside all pods.
    attributed: u64,
    /// Kill lines that could not be put down to anything.
    unattributed: u64,
    /// Counted by the kernel, and no line seen.
    lost: u64,
    gap: i64,
    gap_seen: u32,
}

impl Ledger {
    /// Begins an account. `lines` kill lines of the log that were already there lie before the counter's reading.
    pub fn open(counter: u64, lines: u64) -> Self {
        Self { opening: Some(counter.saturating_sub(lines)), latest: counter, ..Self::default() }
    }

    /// Goes on with the account of before a restart.
    pub fn resume(opening: u64, attributed: u64, unattributed: u64, lost: u64) -> Self {
        Self { opening: Some(opening), latest: opening, attributed, unattributed, lost, ..Self::default() }
    }

    /// One more kill line that has an owner.
    pub fn attributed(&mut self) {
        self.attributed = self.attributed.saturating_add(1);
    }

    /// One more kill line without an owner.
    pub fn unattributed(&mut self) {
        self.unattributed = self.unattributed.saturating_add(1);
    }

    /// Takes a reading of the counter after the log was read to its end. Gives back how many kills turned out to be lost by it.
    pub fn reading(&mut self, counter: u64) -> u64 {
        let Some(opening) = self.opening else { return 0 };
        self.latest = counter;
        let delta = counter.saturating_sub(opening);
        let known = self.attributed.saturating_add(self.unattributed).saturating_add(self.lost);
        let gap = i64::try_from(delta).unwrap_or(i64::MAX).saturating_sub(i64::try_from(known).unwrap_or(i64::MAX));
        self.gap_seen = if gap == self.gap { self.gap_seen.saturating_add(1) } else { 0 };
        self.gap = gap;
        if gap > 0 && self.gap_seen >= SETTLED_AFTER_READINGS {
            let lost = gap.unsigned_abs();
            self.lost = self.lost.saturating_add(lost);
            self.gap = 0;
            self.gap_seen = 0;
            return lost;
        }
        0
    }

    /// What the account stands at.
    pub fn balance(&self) -> Balance {
        Balance {
            counted: self.opening.map(|opening| self.latest.saturating_sub(opening)),
            opening: self.opening,
            attributed: self.attributed,
            unattributed: self.unattributed,
            lost: self.lost,
            gap: self.gap,
        }
    }
}

/// A state of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What the kernel counted since the account began; absent where it does not count.
    pub counted: Option<u64>,
    /// The kernel's counter at the beginning.
    pub opening: Option<u64>,
    /// Kill lines with an owner.
    pub attributed: u64,
    /// Kill lines without.
    pub unattributed: u64,
    /// Counted, and never seen in the log.
    pub lost: u64,
    /// What does not add up at this moment. Above 0: lines still to come, or about to be lost. Below 0: more lines than counts.
    pub gap: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn history_does_not_count() {
        let mut ledger = Ledger::open(10, 4);
        for _ in 0..4 {
            ledger.attributed();
        }
        ledger.reading(10);
        assert_eq!(ledger.balance(), Balance { counted: Some(4), opening: Some(6), attributed: 4, unattributed: 0, lost: 0, gap: 0 });
    }

    #[test]
    fn a_line_that_comes_late_is_not_lost() {
        let mut ledger = Ledger::open(0, 0);
        assert_eq!(ledger.reading(1), 0);
        assert_eq!(ledger.balance().gap, 1);
        ledger.attributed();
        assert_eq!(ledger.reading(1), 0);
        assert_eq!(ledger.balance().gap, 0);
    }

    #[test]
    fn without_a_counter_nothing_is_claimed() {
        let mut ledger = Ledger::default();
        ledger.attributed();
        assert_eq!(ledger.reading(7), 0);
        assert_eq!(ledger.balance().counted, None);
    }

    proptest! {
        /// Whatever is seen and whatever is overwritten: once the counter rests, the account adds up.
        #[test]
        fn it_always_adds_up(kills in proptest::collection::vec(0_u8..3, 0..200)) {
            let mut ledger = Ledger::open(1_000, 0);
            let mut counter = 1_000;
            for fate in kills {
                counter += 1;
                match fate {
                    0 => ledger.attributed(),
                    1 => ledger.unattributed(),
                    _ => {}
                }
                ledger.reading(counter);
            }
            for _ in 0..=SETTLED_AFTER_READINGS {
                ledger.reading(counter);
            }
            let balance = ledger.balance();
            prop_assert_eq!(balance.gap, 0);
            prop_assert_eq!(balance.counted.unwrap(), balance.attributed + balance.unattributed + balance.lost);
        }
    }
}
