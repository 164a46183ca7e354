//! What was written while an earlier kill still waits: a restarted agent reads from that one on, and must not tell of the others again.
//!
//! A pod that is there bears its evidence, which says what it has. This is for those that are gone by then.

use podsight_evidence::checkpoint::MAX_WRITTEN;
use podsight_evidence::id::KillId;
use std::collections::BTreeMap;

/// The last written kill of each pod, by the pod's UID.
#[derive(Debug, Default)]
pub(super) struct Beyond(BTreeMap<String, KillId>);

impl Beyond {
    /// What the runs before have left.
    pub(super) fn new(written: &[(String, KillId)]) -> Self {
        Self(written.iter().cloned().collect())
    }

    /// Everything up to `mark` was written for this pod.
    pub(super) fn note(&mut self, uid: &str, mark: KillId) {
        self.0.insert(uid.to_owned(), mark);
        // One that is forgotten may be told of twice, which is better than never.
        while self.0.len() > MAX_WRITTEN {
            let Some(oldest) = self.0.iter().min_by_key(|(_, mark)| (mark.seq, mark.usec)).map(|(uid, _)| uid.clone()) else { break };
            self.0.remove(&oldest);
        }
    }

    /// Whether this kill of a pod was written.
    pub(super) fn has(&self, uid: &str, id: &KillId) -> bool {
        self.0.get(uid).is_some_and(|mark| mark.covers(id))
    }

    /// What is not covered by `through`, up to which everything was written for all pods.
    pub(super) fn beyond(&self, through: Option<KillId>) -> impl Iterator<Item = (String, KillId)> {
        let is_beyond = move |mark: &KillId| !through.is_some_and(|through| through.covers(mark));
        self.0.iter().filter(move |(_, mark)| is_beyond(mark)).map(|(uid, mark)| (uid.clone(), *mark))
    }
}
