//! The evidence of one pod on its way to the pod.

use crate::publish::{Announcement, Write};
use jiff::Timestamp;
use podsight_cause::Cause;
use podsight_evidence::annotation::{ContainerEvidence, Evidence};
use podsight_evidence::id::{BootId, KillId};
use podsight_evidence::merge::{ConfirmedKill, Merged, count_alone, merge, merge_counted, show_time};
use podsight_evidence::pods::Pod;
use podsight_evidence::{annotation, sentence, verdict};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long after a kill, or after news of the pod, its status may still change the verdict.
const REVIEW: Duration = Duration::from_secs(30);

/// Events that go with one write. A write is what is limited for each pod; the others wait for the next one.
const MAX_EVENTS: usize = 4;

/// A kill's place in the log: how many were read before it, and which was the last of them.
pub type LogPlace = (u64, Option<KillId>);

/// A pod with kills.
#[derive(Debug)]
pub struct PodRecord {
    evidence: Evidence,
    /// The mark of what an earlier run has written.
    earlier: Option<KillId>,
    /// The last incident of each container, as the log reader numbers them.
    incidents: BTreeMap<String, u64>,
    /// Events that are to be sent: one a container, of the first kill that asked for it. Kills without a container have the empty name.
    announcements: BTreeMap<String, Announcement>,
    /// What an Event would tell of the last kill that has none.
    unannounced: Option<Announcement>,
    unwritten: Option<Unwritten>,
    in_flight: Option<InFlight>,
    /// Something other than a kill has changed.
    is_changed: bool,
    /// Until when the pod's status is looked at again and again.
    review_until: Option<Instant>,
}

/// The oldest kill that is not on the pod yet.
#[derive(Clone, Copy, Debug)]
struct Unwritten {
    place: LogPlace,
    at: Timestamp,
}

#[derive(Debug)]
struct InFlight {
    unwritten: Option<Unwritten>,
    announcements: BTreeMap<String, Announcement>,
    is_gone: bool,
    /// The last kill in it.
    mark: Option<KillId>,
}

impl PodRecord {
    /// A pod with this evidence on it.
    pub fn new(evidence: Evidence) -> Self {
        Self {
            earlier: evidence.mark(),
            evidence,
            incidents: BTreeMap::new(),
            announcements: BTreeMap::new(),
            unannounced: None,
            unwritten: None,
            in_flight: None,
            is_changed: false,
            review_until: None,
        }
    }

    /// Adds a kill.
    pub fn merge(&mut self, kill: &ConfirmedKill, place: LogPlace) -> Merged {
        let merged = merge(&mut self.evidence, kill);
        if merged != Merged::Known && self.unwritten.is_none() {
            self.unwritten = Some(Unwritten { place, at: kill.at });
        }
        merged
    }

    /// Whether an earlier run of the same boot has written kills on the pod.
    pub fn was_written_in(&self, boot: BootId) -> bool {
        self.earlier.is_some_and(|mark| mark.boot == boot)
    }

    /// Adds a kill that the container's counter shows. `is_certain` tells whether the process is known as well.
    pub fn merge_counted(&mut self, kill: &ConfirmedKill, is_certain: bool, place: LogPlace) -> Merged {
        let merged = merge_counted(&mut self.evidence, kill, is_certain);
        if merged != Merged::Known && self.unwritten.is_none_or(|unwritten| place.0 < unwritten.place.0) {
            self.unwritten = Some(Unwritten { place, at: kill.at });
        }
        merged
    }

    /// How many kills of this cgroup are accounted for; absent if none ever was.
    pub fn counted(&self, key: &str) -> Option<u64> {
        self.evidence.counted(key)
    }

    /// Accounts for kill lines of a container, in its own counter and in its pod's.
    pub fn count<K: AsRef<str>>(&mut self, keys: &[K], kills: u64, pod: &Pod) {
        for key in keys {
            self.evidence.count(key.as_ref(), kills, |known| {
                let ids = pod.containers.iter().filter_map(|container| container.id.as_deref());
                ids.chain([pod.uid.as_str()]).any(|id| id.starts_with(known))
            });
        }
    }

    /// What is on the pod is no longer the whole.
    pub fn note_change(&mut self) {
        self.is_changed = true;
    }

    /// Adds kills that a container's counter shows and no record tells of.
    pub fn count_alone(&mut self, container: &str, kills: u64, at: Timestamp) {
        count_alone(&mut self.evidence, container, kills, at);
        self.is_changed = true;
    }

    /// Notes that a container ended as if killed and the kernel did not do it. Whether that is new.
    pub fn deny(&mut self, container: &str, at: Timestamp, limit: Option<String>, verdict: Cause) -> bool {
        let at = show_time(at);
        let evidence = self.evidence.containers.entry(container.to_owned()).or_default();
        if evidence.kills > 0 || (evidence.last == at && evidence.verdict == verdict.id()) {
            return false;
        }
        if evidence.first.is_empty() {
            evidence.first.clone_from(&at);
        }
        *evidence = ContainerEvidence { last: at, limit, visible: true, verdict: verdict.id().to_owned(), ..std::mem::take(evidence) };
        self.is_changed = true;
        true
    }

    /// What is known of a container so far.
    pub fn container(&self, name: &str) -> Option<&ContainerEvidence> {
        self.evidence.containers.get(name)
    }

    /// Whether this incident of a container is not the one of the kill before. It is from now on.
    pub fn begins_incident(&mut self, container: &str, incident: u64) -> bool {
        self.incidents.insert(container.to_owned(), incident) != Some(incident)
    }

    /// Incidents are numbered anew.
    pub fn forget_incidents(&mut self) {
        self.incidents.clear();
    }

    /// The verdict on the container's kills so far, if it has run on through the last of them.
    pub fn going_on(&self, pod: &Pod, container: &str) -> Option<Cause> {
        let evidence = self.evidence.containers.get(container)?;
        let last: Timestamp = evidence.last.parse().ok()?;
        let since = pod.container(container)?.running_since?;
        Cause::from_id(&evidence.verdict).filter(|_| since < last)
    }

    /// Has the pod's status looked at for a while: after a kill, and after the API showed something new.
    pub fn keep_in_review(&mut self, now: Instant) {
        self.review_until = Some(now + REVIEW);
    }

    /// Whether the pod's status is to be looked at.
    pub fn is_in_review(&self, now: Instant) -> bool {
        self.review_until.is_some_and(|until| now <= until)
    }

    /// Looks at the pod's status again. Whether that changed anything.
    pub fn review(&mut self, pod: &Pod, now: Timestamp) -> bool {
        let mut is_changed = false;
        for (name, evidence) in &mut self.evidence.containers {
            let Some(container) = pod.container(name).filter(|_| evidence.kills > 0) else { continue };
            let review = verdict::review(container, evidence, now);
            if review.visible != evidence.visible || review.verdict.id() != evidence.verdict {
                evidence.visible = review.visible;
                review.verdict.id().clone_into(&mut evidence.verdict);
                is_changed = true;
            }
        }
        self.is_changed |= is_changed;
        is_changed
    }

    /// Has an Event go with the next write, unless one of the same container does already.
    pub fn announce(&mut self, announcement: Announcement) {
        self.announcements.entry(announcement.container().to_owned()).or_insert(announcement);
    }

    /// Keeps what an Event would tell, should the pod go before this kill is written on it.
    pub fn keep_unannounced(&mut self, announcement: Announcement) {
        self.unannounced = Some(announcement);
    }

    /// The pod is no more: has an Event tell of what was not written on it.
    pub fn announce_unwritten(&mut self) {
        if self.unwritten.is_some()
            && let Some(announcement) = self.unannounced.take()
        {
            self.announce(announcement);
        }
    }

    /// Whether an Event waits for the next write.
    pub fn has_announcement(&self) -> bool {
        !self.announcements.is_empty()
    }

    /// What is to be written now. It is under way until [`PodRecord::end_write`] or [`PodRecord::undo_write`].
    pub fn begin_write(&mut self, pod: &Pod, is_gone: bool) -> Write {
        self.is_changed = false;
        let mut announcements = std::mem::take(&mut self.announcements);
        if let Some(name) = announcements.keys().nth(MAX_EVENTS).cloned() {
            self.announcements = announcements.split_off(&name);
        }
        let told = announcements.values().cloned().collect();
        self.in_flight = Some(InFlight { unwritten: self.unwritten.take(), announcements, is_gone, mark: self.evidence.mark() });
        Write {
            uid: pod.uid.clone(),
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            owner: pod.owner.clone(),
            is_gone,
            evidence: annotation::write(&self.evidence),
            sentence: sentence::sentence(&self.evidence),
            announcements: told,
        }
    }

    /// The write is stored. Gives back when its oldest kill happened.
    pub fn end_write(&mut self) -> Option<Timestamp> {
        if self.unwritten.is_none() {
            self.unannounced = None;
        }
        self.in_flight.take().and_then(|write| write.unwritten).map(|unwritten| unwritten.at)
    }

    /// The write is not stored: everything in it is still to be written.
    pub fn undo_write(&mut self) {
        let Some(write) = self.in_flight.take() else { return };
        self.unwritten = write.unwritten.or(self.unwritten);
        self.announcements.extend(write.announcements);
        self.is_changed = true;
    }

    /// The last kill in the write that is under way.
    pub fn mark_in_flight(&self) -> Option<KillId> {
        self.in_flight.as_ref().and_then(|write| write.mark)
    }

    /// Whether the write that is under way tells of a pod that is no more.
    pub fn tells_of_gone(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|write| write.is_gone)
    }

    /// Whether there is something that is not stored yet.
    pub fn is_pending(&self) -> bool {
        self.is_dirty() || self.in_flight.is_some()
    }

    /// Whether there is something to write.
    pub fn is_dirty(&self) -> bool {
        self.is_changed || self.unwritten.is_some() || self.has_announcement()
    }

    /// The place of the oldest kill that is not stored on the pod.
    pub fn oldest_unwritten(&self) -> Option<LogPlace> {
        let in_flight = self.in_flight.as_ref().and_then(|write| write.unwritten);
        in_flight.or(self.unwritten).map(|unwritten| unwritten.place)
    }
}
