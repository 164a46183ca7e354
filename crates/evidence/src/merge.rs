//! Adding a kill to a pod's evidence, exactly once.

use crate::annotation::{Alone, ContainerEvidence, Evidence, MAX_RECENT, RecentKill};
use crate::escape;
use crate::id::KillId;
use crate::quantity;
use jiff::Timestamp;
use podsight_cause::Cause;
use podsight_cgroup::Scope;
use podsight_oom::Attribution;

/// A process name has at most 15 bytes, each up to four characters when escaped.
const MAX_COMM_BYTES: usize = 60;

/// A kill that was put down to a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedKill {
    /// Which kill line it is.
    pub id: KillId,
    /// When, to the second.
    pub at: Timestamp,
    /// The container; absent if only the pod is known.
    pub container: Option<String>,
    /// Whether an incident starts with it, or it belongs to the one before (`memory.oom.group`).
    pub starts_incident: bool,
    /// The victim's name.
    pub comm: Option<Vec<u8>>,
    /// Anonymous memory of the victim in KiB.
    pub anon_kib: Option<u64>,
    /// The most memory that the victim or its cgroup is known to have held, in KiB.
    pub resident_kib: Option<u64>,
    /// The level of the limit that was reached.
    pub scope: Option<Scope>,
    /// That limit as the user wrote it.
    pub limit: Option<String>,
    /// What it means.
    pub verdict: Cause,
    /// How it was put down to the pod.
    pub attribution: Attribution,
    /// Whether its line was there before the log was followed: the container's counter may have shown it already.
    pub is_history: bool,
}

/// What adding a kill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It was counted before: nothing has changed.
    Known,
    /// The first kill of this container, or of the pod where the container is not known.
    First,
    /// One more; so many seconds after the one before.
    More {
        /// Seconds since the kill before; 0 where that is not known.
        pause_seconds: i64,
    },
    /// The container's counter had shown it: the numbers stay, and more is known of it now.
    Late {
        /// Whether nothing was known of any kill of this container but their number.
        is_first: bool,
    },
}

/// Adds a kill. The kills of one pod have to come in the order of the log.
///
/// A kill up to the evidence's high-water mark changes nothing, also if it has long fallen out of `recent`.
pub fn merge(evidence: &mut Evidence, kill: &ConfirmedKill) -> Merged {
    if evidence.mark().is_some_and(|mark| mark.covers(&kill.id)) {
        return Merged::Known;
    }
    let id = kill.id.to_string();
    let is_recent = evidence.containers.values().any(|container| container.recent.iter().any(|recent| recent.id == id));
    if is_recent {
        return Merged::Known;
    }
    evidence.through = Some(kill.id.mark());
    let Some(name) = &kill.container else {
        evidence.unattributed = evidence.unattributed.saturating_add(1);
        return if evidence.kills() == 1 { Merged::First } else { Merged::More { pause_seconds: 0 } };
    };
    let container = evidence.containers.entry(name.clone()).or_default();
    if kill.is_history && take_alone(container, kill.at) {
        evidence.lost = evidence.lost.saturating_sub(1);
        let is_first = container.recent.is_empty();
        let at = show_time(kill.at);
        if at < container.first {
            container.first = at;
        }
        describe(container, kill, id, kill.id.pid);
        container.recent.sort_by(|a, b| a.at.cmp(&b.at));
        return Merged::Late { is_first };
    }
    let merged = match container.kills {
        0 => Merged::First,
        _ => Merged::More { pause_seconds: pause(&container.last, kill.at) },
    };
    add(container, kill, id, kill.id.pid);
    merged
}

/// Whether a kill at this moment is one of those that only the counter showed so far; then it is no longer.
fn take_alone(container: &mut ContainerEvidence, at: Timestamp) -> bool {
    let Some(alone) = container.alone.take() else { return false };
    let is_before = alone.until.parse::<Timestamp>().is_ok_and(|until| at.as_second() <= until.as_second());
    if !is_before || alone.kills == 0 {
        // The lines come in order: there will be none of before any more.
        return false;
    }
    container.alone = Some(Alone { kills: alone.kills - 1, ..alone }).filter(|alone| alone.kills > 0);
    true
}

/// Adds a kill that a container's own counter shows. The counter says that it is new, so the mark is not asked; it is only ever moved on.
///
/// Unless `is_certain`, only the number of kills is known, and not which process it was.
pub fn merge_counted(evidence: &mut Evidence, kill: &ConfirmedKill, is_certain: bool) -> Merged {
    let Some(name) = &kill.container else { return Merged::Known };
    if !evidence.mark().is_some_and(|mark| mark.covers(&kill.id)) {
        evidence.through = Some(kill.id.mark());
    }
    let container = evidence.containers.entry(name.clone()).or_default();
    let merged = match container.kills {
        0 => Merged::First,
        _ => Merged::More { pause_seconds: pause(&container.last, kill.at) },
    };
    let last = container.last.clone();
    let pid = kill.id.pid.filter(|_| is_certain);
    add(container, kill, kill.id.to_string(), pid);
    // Shares of a storm may come after kills that were later.
    if last > container.last {
        container.last = last;
    }
    container.recent.sort_by(|a, b| a.at.cmp(&b.at));
    merged
}

/// Adds kills that a container's own counter shows and no record of the log tells of. `at` is when that was noticed.
pub fn count_alone(evidence: &mut Evidence, name: &str, kills: u64, at: Timestamp) {
    evidence.lost = evidence.lost.saturating_add(kills);
    let container = evidence.containers.entry(name.to_owned()).or_default();
    let at = show_time(at);
    if container.kills == 0 {
        container.first.clone_from(&at);
        Cause::OomUnattributed.id().clone_into(&mut container.verdict);
    }
    container.kills = container.kills.saturating_add(kills);
    container.incidents = container.incidents.saturating_add(kills);
    let before = container.alone.take().map_or(0, |alone| alone.kills);
    container.alone = Some(Alone { kills: before.saturating_add(kills), until: at.clone() });
    container.last = at;
}

fn add(container: &mut ContainerEvidence, kill: &ConfirmedKill, id: String, pid: Option<u32>) {
    let at = show_time(kill.at);
    if container.kills == 0 {
        container.first.clone_from(&at);
    }
    container.kills = container.kills.saturating_add(1);
    if kill.starts_incident || container.incidents == 0 {
        container.incidents = container.incidents.saturating_add(1);
        // The API may have shown the incident before; of this one it has not said anything yet.
        container.visible = false;
    }
    container.last.clone_from(&at);
    describe(container, kill, id, pid);
}

/// Notes what is known of a kill besides that it was one.
fn describe(container: &mut ContainerEvidence, kill: &ConfirmedKill, id: String, pid: Option<u32>) {
    if kill.scope.is_some() || container.scope.is_none() {
        container.scope = kill.scope.map(|scope| scope.name().to_owned());
        container.limit.clone_from(&kill.limit);
    }
    let highest = container.peak.as_deref().and_then(quantity::bytes).unwrap_or(0);
    if let Some(resident) = kill.resident_kib.map(|kib| kib.saturating_mul(1024)).filter(|bytes| *bytes > highest) {
        container.peak = Some(quantity::show(resident));
    }
    kill.verdict.id().clone_into(&mut container.verdict);
    container.recent.push(RecentKill {
        id,
        at: show_time(kill.at),
        pid,
        comm: kill.comm.as_deref().map(|comm| escape::printable(comm, MAX_COMM_BYTES)),
        anon: kill.anon_kib.map(quantity::show_kib),
        attribution: show_attribution(kill.attribution).to_owned(),
    });
    let surplus = container.recent.len().saturating_sub(MAX_RECENT);
    container.recent.drain(..surplus);
}

fn pause(last: &str, at: Timestamp) -> i64 {
    last.parse::<Timestamp>().map_or(0, |last| at.as_second().saturating_sub(last.as_second()))
}

/// RFC 3339 in UTC, to the second.
pub fn show_time(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// How a kill was put down, as the annotation writes it.
pub const fn show_attribution(attribution: Attribution) -> &'static str {
    match attribution {
        Attribution::KernelLine => "kernel-line",
        Attribution::KernelGroup => "kernel-group",
        Attribution::Pid => "pid",
        Attribution::Counter => "counter",
        Attribution::None => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kill(seq: u64, container: Option<&str>) -> ConfirmedKill {
        ConfirmedKill {
            id: KillId { boot: "4f1d2c3b".parse().unwrap(), seq: Some(seq), usec: Some(seq * 1_000_000), pid: Some(158) },
            at: Timestamp::from_second(1_763_805_600 + i64::try_from(seq).unwrap()).unwrap(),
            container: container.map(str::to_owned),
            starts_incident: true,
            comm: Some(b"work".to_vec()),
            anon_kib: Some(32_560),
            resident_kib: Some(32_600),
            scope: Some(Scope::Container),
            limit: Some("32Mi".to_owned()),
            verdict: Cause::OomContainerLimit,
            attribution: Attribution::KernelLine,
            is_history: false,
        }
    }

    #[test]
    fn a_line_that_is_read_after_the_counter_was_tells_of_no_other_kill() {
        let late = |seq, container| ConfirmedKill { is_history: true, ..kill(seq, Some(container)) };
        let mut evidence = Evidence::default();
        merge(&mut evidence, &kill(1, Some("main")));
        count_alone(&mut evidence, "main", 2, kill(10, None).at);
        // What stands on the pod is all that a restarted agent has.
        let mut evidence = crate::annotation::read(&crate::annotation::write(&evidence)).unwrap();
        assert_eq!(merge(&mut evidence, &late(8, "main")), Merged::Late { is_first: false });
        assert_eq!(merge(&mut evidence, &late(9, "side")), Merged::First, "another container");
        assert_eq!(merge(&mut evidence, &late(10, "main")), Merged::Late { is_first: false });
        assert_eq!(evidence.lost, 0);
        assert_eq!(merge(&mut evidence, &late(10, "main")), Merged::Known);
        assert_eq!(merge(&mut evidence, &late(11, "main")), Merged::More { pause_seconds: 1 });
        let main = &evidence.containers["main"];
        assert_eq!((main.kills, main.recent.len(), main.alone.as_ref()), (4, 4, None));
    }

    #[test]
    fn a_later_line_and_a_live_one_are_new_kills() {
        let mut evidence = Evidence::default();
        count_alone(&mut evidence, "main", 2, kill(10, None).at);
        assert_eq!(merge(&mut evidence, &kill(9, Some("main"))), Merged::More { pause_seconds: -1 }, "the log was at its end");
        let later = ConfirmedKill { is_history: true, ..kill(11, Some("main")) };
        assert!(matches!(merge(&mut evidence, &later), Merged::More { .. }));
        assert_eq!((evidence.containers["main"].kills, evidence.lost), (4, 2));
    }

    #[test]
    fn the_same_kill_twice_changes_nothing() {
        let mut evidence = Evidence::default();
        assert_eq!(merge(&mut evidence, &kill(476, Some("main"))), Merged::First);
        let once = evidence.clone();
        assert_eq!(merge(&mut evidence, &kill(476, Some("main"))), Merged::Known);
        assert_eq!(evidence, once);
    }

    #[test]
    fn the_pause_is_counted_from_the_kill_before() {
        let mut evidence = Evidence::default();
        merge(&mut evidence, &kill(1, Some("main")));
        assert_eq!(merge(&mut evidence, &kill(601, Some("main"))), Merged::More { pause_seconds: 600 });
    }

    #[test]
    fn a_group_kill_is_one_incident() {
        let mut evidence = Evidence::default();
        for seq in 1..=6 {
            merge(&mut evidence, &ConfirmedKill { starts_incident: seq == 1, ..kill(seq, Some("main")) });
        }
        let main = &evidence.containers["main"];
        assert_eq!((main.kills, main.incidents), (6, 1));
    }

    #[test]
    fn the_peak_is_the_highest_and_an_unknown_scope_keeps_the_known_one() {
        let mut evidence = Evidence::default();
        merge(&mut evidence, &kill(1, Some("main")));
        merge(&mut evidence, &ConfirmedKill { resident_kib: Some(1_000), scope: None, limit: None, ..kill(2, Some("main")) });
        let main = &evidence.containers["main"];
        assert_eq!((main.peak.as_deref(), main.scope.as_deref(), main.limit.as_deref()), (Some("31Mi"), Some("container"), Some("32Mi")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However often a log is read again from the beginning, and wherever the reader was stopped, every kill counts once.
        #[test]
        fn replays_change_nothing(
            kills in proptest::collection::vec((1_u64..5, proptest::option::of("[ab]")), 1..60),
            stops in proptest::collection::vec(0_usize..60, 0..6)
        ) {
            let mut seq = 0;
            let log: Vec<_> = kills.iter().map(|(step, container)| { seq += step; kill(seq, container.as_deref()) }).collect();
            let mut straight = Evidence::default();
            for kill in &log {
                merge(&mut straight, kill);
            }
            let mut broken = Evidence::default();
            for stop in stops.iter().map(|stop| stop % log.len()).chain([log.len()]) {
                for kill in &log[..stop] {
                    merge(&mut broken, kill);
                }
                // What a restarted agent knows is what it reads from the pod.
                broken = crate::annotation::read(&crate::annotation::write(&broken)).unwrap();
            }
            prop_assert_eq!(crate::annotation::write(&broken), crate::annotation::write(&straight));
        }

        /// The same log by syslog(2), without sequence numbers, read after /dev/kmsg: no kill counts again.
        #[test]
        fn another_reader_repeats_nothing(count in 1_u64..40) {
            let mut evidence = Evidence::default();
            for seq in 1..=count {
                merge(&mut evidence, &kill(seq, Some("main")));
            }
            let before = evidence.clone();
            for seq in 1..=count {
                let mut again = kill(seq, Some("main"));
                again.id.seq = None;
                prop_assert_eq!(merge(&mut evidence, &again), Merged::Known);
            }
            prop_assert_eq!(evidence, before);
        }
    }
}
