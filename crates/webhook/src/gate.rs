//! How many reviews may wait for their turn, and how much memory their bodies may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A counter with a limit.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    taken: Arc<AtomicUsize>,
    limit: usize,
}

impl Gate {
    pub(crate) fn new(limit: usize) -> Self {
        Self { taken: Arc::default(), limit }
    }

    /// Nothing yet of the gate.
    pub(crate) fn empty(&self) -> Share {
        Share { gate: self.clone(), amount: 0 }
    }

    /// So much of the gate, if there is so much left.
    pub(crate) fn share(&self, amount: usize) -> Option<Share> {
        let mut share = self.empty();
        share.grow(amount).then_some(share)
    }
}

/// A share of a gate, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    gate: Gate,
    amount: usize,
}

impl Share {
    /// Takes more; false, and nothing taken, if there is not so much left.
    pub(crate) fn grow(&mut self, more: usize) -> bool {
        let before = self.gate.taken.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) > self.gate.limit {
            self.gate.taken.fetch_sub(more, Ordering::Relaxed);
            return false;
        }
        self.amount += more;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.gate.taken.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_there_again() {
        let gate = Gate::new(3);
        let mut share = gate.share(1).unwrap();
        assert!(!share.grow(3));
        assert!(share.grow(2));
        assert!(gate.share(1).is_none());
        drop(share);
        assert!(gate.share(1).is_some());
        assert_eq!(gate.taken.load(Ordering::Relaxed), 0);
    }
}
