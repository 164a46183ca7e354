//! The kernel's limit on reports, seen from outside.

/// `DEFAULT_RATELIMIT_BURST`
const BURST: usize = 10;
/// `DEFAULT_RATELIMIT_INTERVAL`, 5 s, and some room for the difference between jiffies and the log's clock.
const WINDOW_USEC: u64 = 6_000_000;

/// Remembers the last reports, to tell whether a kill *must* have had one of its own.
///
/// `oom_kill_process` prints a report for each kill until there have been ten in five seconds. While that is not so, a kill line without a report
/// belongs to the report before it; while it is so, it may be anybody's.
#[derive(Debug, Default)]
pub(crate) struct RateLimit {
    /// Times of the last reports, a ring.
    starts: [Option<u64>; BURST],
    next: usize,
    count: usize,
    /// Whether any record has been seen.
    begun: bool,
    /// Until then reports that nobody has seen may have used the limit up.
    unknown_until: Option<u64>,
}

impl RateLimit {
    /// A record of the log. What was printed before the first one, or before a gap, is not known.
    pub(crate) fn record(&mut self, usec: Option<u64>, gap: bool) {
        if (gap || !self.begun) && usec.is_some() {
            self.unknown_until = usec.map(|usec| usec.saturating_add(WINDOW_USEC)).filter(|_| gap || usec > Some(WINDOW_USEC));
        }
        self.begun |= usec.is_some();
    }

    pub(crate) fn report(&mut self, usec: Option<u64>) {
        if let Some(start) = self.starts.get_mut(self.next) {
            *start = usec;
        }
        self.next = (self.next + 1) % BURST;
        self.count = self.count.saturating_add(1);
    }

    /// Whether reports may be left out at this time.
    pub(crate) fn may_be_exhausted(&self, usec: Option<u64>) -> bool {
        if let (Some(until), Some(now)) = (self.unknown_until, usec)
            && now <= until
        {
            return true;
        }
        if self.count < BURST {
            return false;
        }
        let oldest = self.starts.get(self.next).copied().flatten();
        match (oldest, usec) {
            (Some(oldest), Some(now)) => now.saturating_sub(oldest) <= WINDOW_USEC,
            // Without times nobody can tell.
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_reports_in_five_seconds() {
        let mut limit = RateLimit::default();
        for report in 0..9 {
            limit.report(Some(report * 100_000));
        }
        assert!(!limit.may_be_exhausted(Some(900_000)));
        limit.report(Some(900_000));
        assert!(limit.may_be_exhausted(Some(900_001)));
        assert!(!limit.may_be_exhausted(Some(20_000_000)));
    }

    #[test]
    fn before_the_first_record_and_in_a_gap_anything_may_have_been_printed() {
        let mut limit = RateLimit::default();
        limit.record(Some(100_000_000), false);
        assert!(limit.may_be_exhausted(Some(101_000_000)));
        assert!(!limit.may_be_exhausted(Some(107_000_000)));
        limit.record(Some(200_000_000), false);
        assert!(!limit.may_be_exhausted(Some(200_000_000)));
        limit.record(Some(200_000_000), true);
        assert!(limit.may_be_exhausted(Some(200_000_001)));
    }

    #[test]
    fn a_log_from_the_boot_on_has_seen_all() {
        let mut limit = RateLimit::default();
        limit.record(Some(0), false);
        assert!(!limit.may_be_exhausted(Some(1_000_000)));
    }

    #[test]
    fn without_times_ten_reports_are_enough() {
        let mut limit = RateLimit::default();
        for _ in 0..10 {
            limit.report(None);
        }
        assert!(limit.may_be_exhausted(None));
    }
}
