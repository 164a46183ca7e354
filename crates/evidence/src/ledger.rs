//! The account: what the kernel counted against what was found in its log.

/// How many readings in a row have to show the same gap before it is taken to be lost: the counter moves some microseconds before the line is there.
const SETTLED_AFTER_READINGS: u32 = 8;

/// Δ`oom_kill` of `/proc/vmstat` = attributed + unattributed + pending + lost.
///
/// One kill line is one count: the second line for the victim of a group kill counts as well, as it does in the kernel
/// (`mm/oom_kill.c: __oom_kill_process`, `count_vm_event(OOM_KILL)`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The counter when the account began; absent as long as it could not be read (before Linux 4.13).
    opening: Option<u64>,
    latest: u64,
    lines: u64,
    attributed: u64,
    unattributed: u64,
    lost: u64,
    gap: i64,
    gap_seen: u32,
}

impl Ledger {
    /// Begins an account at a reading of the counter to which the log was read before.
    pub fn open(counter: u64) -> Self {
        Self { opening: Some(counter), latest: counter, ..Self::default() }
    }

    /// Sets the opening of an account of which lines were read already: `counter` was read when they were, and all of them are counted in it. What was
    /// counted after it stood at `first` is in the account in any case: without a line it is lost.
    pub fn open_before_lines(&mut self, counter: u64, first: u64) {
        self.opening = Some(counter.saturating_sub(self.lines).min(first));
        self.latest = counter;
    }

    /// Whether the counter's opening value is known.
    pub fn is_open(&self) -> bool {
        self.opening.is_some()
    }

    /// One more kill line was read.
    pub fn line(&mut self) {
        self.lines = self.lines.saturating_add(1);
    }

    /// A line was put down to a pod, or is known to be outside all pods.
    pub fn attributed(&mut self) {
        self.attributed = self.attributed.saturating_add(1);
    }

    /// A line could not be put down to anything.
    pub fn unattributed(&mut self) {
        self.unattributed = self.unattributed.saturating_add(1);
    }

    /// Takes a reading of the counter after the log was read to its end. Gives back how many kills turned out to be lost by it.
    pub fn reading(&mut self, counter: u64) -> u64 {
        let Some(gap) = self.gap_at(counter) else { return 0 };
        self.latest = counter;
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

    /// What would not add up at this reading; absent where the kernel does not count.
    pub fn gap_at(&self, counter: u64) -> Option<i64> {
        let delta = signed(counter.saturating_sub(self.opening?));
        Some(delta.saturating_sub(signed(self.lines.saturating_add(self.lost))))
    }

    /// What the account stands at.
    pub fn balance(&self) -> Balance {
        Balance {
            counted: self.opening.map(|opening| self.latest.saturating_sub(opening)),
            attributed: self.attributed,
            unattributed: self.unattributed,
            pending: self.lines.saturating_sub(self.attributed.saturating_add(self.unattributed)),
            lost: self.lost,
            gap: self.gap,
        }
    }

    /// The counter's last reading, if the account adds up at it: a restarted agent can go on from here.
    pub fn balanced_counter(&self) -> Option<u64> {
        (self.opening.is_some() && self.gap == 0).then_some(self.latest)
    }
}

/// A state of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What the kernel counted since the account began; absent where it does not count.
    pub counted: Option<u64>,
    /// Kill lines with an owner.
    pub attributed: u64,
    /// Kill lines without.
    pub unattributed: u64,
    /// Kill lines whose owner is still looked for.
    pub pending: u64,
    /// Counted, and never seen in the log.
    pub lost: u64,
    /// What does not add up at this moment. Above 0: lines still to come, or about to be lost. Below 0: more lines than counts.
    pub gap: i64,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn history_that_the_ring_no_longer_holds_does_not_count() {
        let mut ledger = Ledger::default();
        for _ in 0..4 {
            ledger.line();
            ledger.attributed();
        }
        ledger.open_before_lines(10, 10);
        ledger.reading(10);
        assert_eq!(ledger.balance(), Balance { counted: Some(4), attributed: 4, unattributed: 0, pending: 0, lost: 0, gap: 0 });
    }

    #[test]
    fn what_was_counted_before_the_log_could_be_read_is_lost_unless_its_line_is_there() {
        for (lines, opening, lost) in [(0, 10, 3), (2, 10, 1), (3, 10, 0), (5, 8, 0)] {
            let mut ledger = Ledger::default();
            (0..lines).for_each(|_| ledger.line());
            ledger.open_before_lines(13, 10);
            let told: u64 = (0..=SETTLED_AFTER_READINGS + 1).map(|_| ledger.reading(13)).sum();
            assert_eq!((told, ledger.balance().counted, ledger.balance().gap), (lost, Some(13 - opening), 0), "{lines} lines");
        }
    }

    #[test]
    fn a_line_that_comes_late_is_not_lost() {
        let mut ledger = Ledger::open(0);
        assert_eq!(ledger.reading(1), 0);
        assert_eq!((ledger.balance().gap, ledger.balanced_counter()), (1, None));
        ledger.line();
        assert_eq!(ledger.reading(1), 0);
        assert_eq!((ledger.balance().gap, ledger.balance().pending, ledger.balanced_counter()), (0, 1, Some(1)));
    }

    #[test]
    fn without_a_counter_nothing_is_claimed() {
        let mut ledger = Ledger::default();
        ledger.line();
        ledger.attributed();
        assert_eq!(ledger.reading(7), 0);
        assert_eq!((ledger.balance().counted, ledger.balanced_counter()), (None, None));
    }

    proptest! {
        /// Whatever is seen and whatever is overwritten: once the counter rests, the account adds up.
        #[test]
        fn it_always_adds_up(kills in proptest::collection::vec(0_u8..4, 0..200)) {
            let mut ledger = Ledger::open(1_000);
            let mut counter = 1_000;
            for fate in kills {
                counter += 1;
                match fate {
                    0 => { ledger.line(); ledger.attributed(); }
                    1 => { ledger.line(); ledger.unattributed(); }
                    2 => ledger.line(),
                    _ => {}
                }
                ledger.reading(counter);
            }
            for _ in 0..=SETTLED_AFTER_READINGS {
                ledger.reading(counter);
            }
            let balance = ledger.balance();
            prop_assert_eq!(balance.gap, 0);
            prop_assert_eq!(balance.counted.unwrap(), balance.attributed + balance.unattributed + balance.pending + balance.lost);
        }
    }
}
