//! Kills put down to pods, in the order of the log within each pod.

use super::{Node, Stage, Waiting};
use crate::metrics::Victim;
use crate::publish::Announcement;
use crate::record::PodRecord;
use podsight_cgroup::Scope;
use podsight_evidence::annotation::Evidence;
use podsight_evidence::attribute::{InPod, Infrastructure, Patience, Place, attribute};
use podsight_evidence::id::KillId;
use podsight_evidence::merge::{ConfirmedKill, Merged};
use podsight_evidence::pods::{Kind, Pod};
use podsight_evidence::verdict;
use podsight_oom::Kill;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// How long a kill waits for the API server to show its pod or container. The kubelet shows a new container after one to two seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// An incident after a pause of so long is told by an Event again, in seconds.
const PAUSE_SECONDS: i64 = 600;

/// In which counters a kill was counted.
#[derive(Debug)]
pub(super) struct Counted {
    kill: KillId,
    uid: String,
    keys: Vec<String>,
}

impl Node {
    /// Puts down every kill of which enough is known, in the order of the log within each pod.
    pub fn settle(&mut self, now: Instant) {
        let Some(synced) = self.synced else { return };
        if self.waiting.is_empty() {
            return;
        }
        let mut left = VecDeque::new();
        let mut blocked: BTreeSet<String> = BTreeSet::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let is_over = now.saturating_duration_since(waiting.since.max(synced)) >= PATIENCE;
            let patience = if is_over { Patience::Over } else { Patience::Wait };
            let uids = waiting.kill.victim_cgroup.as_deref().map(|path| podsight_cgroup::parse(path).pod_uids).unwrap_or_default();
            let place = attribute(&waiting.kill, &self.pods, patience);
            if matches!(&place, Place::StrangePod { uid } if self.written.has(uid, &waiting.id)) {
                // Its pod is gone since.
                self.settle_line(&waiting.id, true);
                continue;
            }
            let must_wait = match &place {
                // It is waited for once.
                Place::StrangePod { uid } => !is_over && !self.pods.is_strange(uid),
                Place::Pod(place) => !is_over && place.is_id_unknown && place.container.is_none() && place.infrastructure.is_none(),
                Place::Unknown | Place::Foreign => false,
            };
            if must_wait || uids.iter().any(|uid| blocked.contains(uid)) {
                blocked.extend(uids);
                left.push_back(waiting);
                continue;
            }
            if matches!(place, Place::Unknown) && self.counters.stage != Stage::Absent {
                self.bare.push_back(waiting);
                continue;
            }
            if is_over {
                for uid in &uids {
                    let is_new = self.pods.note_strange(uid);
                    if is_new && matches!(&place, Place::StrangePod { uid: strange } if strange == uid) {
                        self.announce_stranger(&waiting, uid, now);
                    }
                }
            }
            self.record(&waiting, &place, now);
        }
        self.waiting = left;
    }

    fn record(&mut self, waiting: &Waiting, place: &Place, now: Instant) {
        let attribution = waiting.kill.attribution;
        match place {
            Place::Pod(place) => self.record_in_pod(waiting, place, now),
            Place::Foreign => {
                self.settle_line(&waiting.id, true);
                self.metrics.kill(Victim::other, foreign_scope(&waiting.kill), attribution);
                log_kill(waiting, None, None, None);
            }
            Place::StrangePod { .. } => {
                self.settle_line(&waiting.id, true);
                self.metrics.kill(Victim::gone_pod, foreign_scope(&waiting.kill), attribution);
                log_kill(waiting, None, None, None);
            }
            Place::Unknown => {
                self.note_unowned(waiting.at);
                self.settle_line(&waiting.id, false);
                self.metrics.kill(Victim::unknown, foreign_scope(&waiting.kill), attribution);
                log_kill(waiting, None, None, None);
            }
        }
    }

    /// Has an Event on the node tell of a kill in a pod that the API does not show: it came and went unseen, or is of another cluster. Once for each
    /// such pod, as nobody's status can tell whether the kill matters.
    fn announce_stranger(&mut self, waiting: &Waiting, uid: &str, now: Instant) {
        let kill = &waiting.kill;
        let limit = kill.limit_cgroup.as_deref().map(podsight_cgroup::parse);
        let scope = limit.map_or_else(|| foreign_scope(kill), |limit| limit.scope);
        let confirmed = ConfirmedKill {
            id: waiting.id,
            at: waiting.at,
            container: None,
            starts_incident: true,
            comm: kill.comm.clone(),
            anon_kib: kill.anon_rss_kb,
            resident_kib: None,
            scope,
            limit: None,
            verdict: verdict::by_scope(scope),
            attribution: kill.attribution,
            is_history: waiting.is_history,
        };
        let record = self.records.entry(uid.to_owned()).or_insert_with(|| PodRecord::new(Evidence::default()));
        record.merge(&confirmed, (waiting.ordinal, waiting.before));
        record.announce(Announcement::new(&confirmed, Kind::Main, None));
        self.queue.add(uid, now);
    }

    fn record_in_pod(&mut self, waiting: &Waiting, place: &InPod, now: Instant) {
        self.settle_line(&waiting.id, true);
        let Some(pod) = self.pods.get(&place.uid).or_else(|| self.pods.gone(&place.uid)) else { return };
        let kill = &waiting.kill;
        let record = self.records.entry(place.uid.clone()).or_insert_with(|| PodRecord::new(trusted_evidence(pod, self.latest)));
        if waiting.is_history && !waiting.id.is_stamped() && record.was_written_in(self.boot) {
            self.log.untold += 1;
            return;
        }
        let key = place.container.clone().unwrap_or_default();
        let starts_incident = self.resumed_incident != Some(kill.incident) && record.begins_incident(&key, kill.incident);
        let earlier = place.container.as_deref().and_then(|name| record.going_on(pod, name));
        let confirmed = ConfirmedKill {
            id: waiting.id,
            at: waiting.at,
            container: place.container.clone(),
            starts_incident,
            comm: kill.comm.clone(),
            anon_kib: kill.anon_rss_kb,
            resident_kib: held(kill, place.scope),
            scope: place.scope,
            limit: place.limit.clone(),
            verdict: verdict::at_kill(place.scope, place.infrastructure, earlier, was_child(kill, pod)),
            attribution: kill.attribution,
            is_history: waiting.is_history,
        };
        let merged = record.merge(&confirmed, (waiting.ordinal, waiting.before));
        // Also where an earlier run has written it: that may not have lived to see what came of it.
        record.keep_in_review(now);
        if merged == Merged::Known {
            return;
        }
        if self.counters.stage != Stage::Absent && !matches!(merged, Merged::Late { .. }) {
            let keys: Vec<String> = place.id.iter().chain([&pod.uid]).cloned().collect();
            record.count(&keys, waiting.lines, pod);
            self.counted = Some(Counted { kill: waiting.id, uid: place.uid.clone(), keys });
        }
        let announcement = Announcement::new(&confirmed, pod.kind(place.container.as_deref()), place.infrastructure);
        if is_worth_an_event(merged, starts_incident) {
            record.announce(announcement);
        } else {
            record.keep_unannounced(announcement);
        }
        if starts_incident {
            self.metrics.incidents.inc();
        }
        let victim = match (&place.container, place.infrastructure) {
            (_, Some(Infrastructure::Sandbox | Infrastructure::Monitor | Infrastructure::RuntimeInit)) => Victim::infrastructure,
            _ if place.is_gone => Victim::gone_pod,
            (Some(_), None) => Victim::container,
            (None, None) => Victim::pod,
        };
        self.metrics.kill(victim, place.scope, kill.attribution);
        log_kill(waiting, Some(pod), place.container.as_deref(), Some(confirmed.verdict.id()));
        self.queue.add(&place.uid, now);
    }

    /// Counts a second line of a kill that was put down before the line came: the kernel's console may be slow.
    pub(super) fn count_once_more(&mut self, kill: &KillId, now: Instant) {
        let Some(counted) = self.counted.as_ref().filter(|counted| counted.kill == *kill) else { return };
        let Some((record, pod)) = self.records.get_mut(&counted.uid).zip(self.pods.get(&counted.uid)) else { return };
        record.count(&counted.keys, 1, pod);
        record.note_change();
        self.queue.add(&counted.uid, now);
    }

    pub(super) fn settle_line(&mut self, id: &KillId, has_owner: bool) {
        if self.is_accounted(id) {
            return;
        }
        if has_owner {
            self.ledger.attributed();
        } else {
            self.ledger.unattributed();
        }
    }

    /// Whether the account of the run before has this line.
    pub(super) fn is_accounted(&self, id: &KillId) -> bool {
        self.account_resume.and_then(|account| account.through).is_some_and(|through| through.covers(id))
    }
}

pub(super) fn is_worth_an_event(merged: Merged, starts_incident: bool) -> bool {
    match merged {
        Merged::First => true,
        Merged::Late { is_first } => is_first,
        Merged::More { pause_seconds } => starts_incident && pause_seconds >= PAUSE_SECONDS,
        Merged::Known => false,
    }
}

/// The evidence on the pod. Not, if its mark lies beyond what the log has shown: somebody wrote it to keep kills out.
pub(super) fn trusted_evidence(pod: &Pod, latest: Option<(KillId, u64)>) -> Evidence {
    let Some(evidence) = &pod.evidence else { return Evidence::default() };
    let is_forged = match (evidence.mark(), latest) {
        (Some(mark), Some((latest, _))) => mark.boot == latest.boot && mark.is_stamped() && latest.is_stamped() && !latest.covers(&mark),
        _ => false,
    };
    if is_forged {
        tracing::warn!(
            namespace = pod.namespace,
            pod = pod.name,
            "Passed over an annotation that tells of kills that have not happened yet."
        );
        return Evidence::default();
    }
    evidence.clone()
}

/// The most memory that is known to have been held: by the victim or, where the container's own limit was reached, by its cgroup.
fn held(kill: &Kill, scope: Option<Scope>) -> Option<u64> {
    let parts = [kill.anon_rss_kb, kill.file_rss_kb, kill.shmem_rss_kb];
    let resident = kill.anon_rss_kb.map(|_| parts.into_iter().flatten().fold(0, u64::saturating_add));
    let usage =
        kill.report.as_ref().and_then(|report| report.memory).map(|memory| memory.usage_kb).filter(|_| scope == Some(Scope::Container));
    resident.max(usage)
}

/// Whether the victim was not the container's main process, as far as the report's table of tasks tells: the main process is the oldest, and in a
/// table of one container every task but the sandbox is the container's.
fn was_child(kill: &Kill, pod: &Pod) -> Option<bool> {
    let report = kill.report.as_ref()?;
    let is_whole = u64::try_from(report.tasks.len()).ok()? == report.task_count;
    let of_group = kill.group_cgroup.is_some();
    if !is_whole || of_group || pod.containers.len() != 1 {
        return None;
    }
    let victim = kill.pid?;
    let oldest = report.tasks.iter().filter(|task| task.comm != b"pause" && task.oom_score_adj != Some(-998)).map(|task| task.pid).min()?;
    Some(oldest < victim)
}

/// The level of a limit outside the pods.
pub(super) fn foreign_scope(kill: &Kill) -> Option<Scope> {
    match (&kill.limit_cgroup, kill.constraint) {
        (Some(path), _) => podsight_cgroup::parse(path).scope,
        (None, Some(podsight_oom::Constraint::None)) => Some(Scope::Node),
        _ => None,
    }
}

pub(super) fn log_kill(waiting: &Waiting, pod: Option<&Pod>, container: Option<&str>, verdict: Option<&str>) {
    let kill = &waiting.kill;
    let comm = kill.comm.as_deref().map(|comm| podsight_evidence::escape::printable(comm, 60));
    let cgroup = kill.victim_cgroup.as_deref().map(|path| podsight_evidence::escape::printable(path, 300));
    tracing::info!(
        id = %waiting.id,
        at = %waiting.at,
        namespace = pod.map(|pod| pod.namespace.as_str()),
        pod = pod.map(|pod| pod.name.as_str()),
        container,
        pid = kill.pid,
        comm,
        verdict,
        attribution = podsight_evidence::merge::show_attribution(kill.attribution),
        cgroup = if pod.is_some() { None } else { cgroup },
        "The kernel killed a process for memory."
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::AgentMetrics;
    use crate::node::Outcome;
    use crate::node::tests::{UID, kill_of};
    use crate::publish::events;
    use jiff::Timestamp;

    fn kill(seq: u64) -> Kill {
        kill_of(seq, "5")
    }

    #[test]
    fn a_pod_that_was_never_shown_is_told_of_on_the_node_once() {
        let start = Instant::now();
        let wall = Timestamp::from_second(1_763_805_600).unwrap();
        let mut node = Node::new("4f1d2c3b".parse().unwrap(), None, AgentMetrics::unregistered(), start);
        node.list_begins();
        node.list_ends(start);
        node.kill(kill(1), wall, start);
        node.settle(start);
        assert_eq!(node.next_write(start), None, "it may still be shown");
        let later = start + PATIENCE;
        node.settle(later);
        let write = node.next_write(later).unwrap();
        let told = events(&write, "node-1");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["involvedObject"], serde_json::json!({"apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": "node-1"}));
        assert_eq!(
            told[0]["message"],
            format!(
                "The kernel killed process work (pid 7) in the pod, in a container that could not be named: the container reached its memory \
                 limit [oom-container-limit] (pod with the UID {UID}, which the API server does not show)"
            )
        );
        node.written(&write.uid, Outcome::Written, wall, later);
        assert!(node.checkpoint().through.is_some());
        node.kill(kill(2), wall, later);
        node.settle(later);
        assert_eq!(node.next_write(later), None);
        let balance = node.ledger.balance();
        assert_eq!((balance.attributed, balance.pending), (2, 0));
    }
}
