//! What was killed before: watched, put down to workloads, kept over restarts, and told to the rules.
//!
//! None of it is in a review's way: a review looks into memory, and what is not known there is not asked for.

mod keep;
mod killed_pod;
mod owners;
mod watch;

pub use watch::follow;

use podsight_history::{History, KilledPod, PastKills, WorkloadKey};
use podsight_spec::Workload;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Learns once what is kept. Where it cannot be read nothing is known, as in a cluster where nothing was killed.
pub(crate) async fn load(client: kube::Client, history: &SharedHistory) {
    if let Err(error) = keep::Keeper::new(client).load(history).await {
        tracing::info!(error = &error as &dyn std::error::Error, "Nothing is known of what was killed before.");
    }
}

/// The history that requests look into and the watch writes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SharedHistory(Arc<RwLock<History>>);

impl SharedHistory {
    /// Adds what another history knows; tells whether it was news.
    pub fn merge(&self, other: &History) -> bool {
        self.write().merge(other)
    }

    /// The kills of a container of a workload that will be in this namespace.
    pub(crate) fn past_kills(&self, workload: &Workload<'_>, namespace: &str, container: &str) -> Option<PastKills> {
        // A pod that is resized carries its evidence itself.
        let own = if workload.is_pod() { KilledPod::of(workload.object) } else { None };
        let history = self.read();
        if history.is_empty() && own.is_none() {
            return None;
        }
        let key = WorkloadKey::of(workload, workload.namespace.unwrap_or(namespace))?;
        let known = history.past_kills(&key, container);
        drop(history);
        let Some(own) = own else { return known };
        let mut alone = History::default();
        alone.observe(&key, &own);
        let mut past = alone.past_kills(&key, container);
        match (&mut past, known) {
            (Some(past), Some(known)) => past.records.extend(known.records.into_iter().filter(|record| record.pod != own.uid)),
            (None, known) => past = known,
            (Some(_), None) => {}
        }
        past
    }

    fn observe(&self, key: &WorkloadKey, pod: &KilledPod) -> bool {
        self.write().observe(key, pod)
    }

    fn forget(&self, now: i64) {
        self.write().forget(now);
    }

    fn copy(&self) -> History {
        self.read().clone()
    }

    fn len(&self) -> usize {
        self.read().len()
    }

    fn read(&self) -> RwLockReadGuard<'_, History> {
        // A history is whole after each of its functions, whoever panicked.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, History> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
