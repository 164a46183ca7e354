//! What a kill means, in the words of the catalogue of causes.

use crate::annotation::{ContainerEvidence, RecentKill};
use crate::attribute::Infrastructure;
use crate::merge::show_attribution;
use crate::pods::{Container, Ended, Pod};
use jiff::Timestamp;
use podsight_cause::Cause;
use podsight_cgroup::Scope;
use podsight_oom::Attribution;

/// The exit code of a process that SIGKILL ended.
pub const SIGKILL_EXIT: i32 = 137;

/// How long after a kill a container that still runs is taken to go on, in seconds. The kubelet shows an end after one to two
/// (`pkg/kubelet/kubelet.go: genericPlegRelistPeriod` is one second).
const GOES_ON_AFTER_SECONDS: i64 = 5;
/// How far the end in the status may lie from the kill, in seconds: both are cut to whole seconds, and a large process dies slowly.
const BEFORE_KILL_SECONDS: i64 = 2;
/// See [`BEFORE_KILL_SECONDS`].
const AFTER_KILL_SECONDS: i64 = 5;
/// The same where the node itself had no memory left, and the runtime says that this was the end: then it is as slow as everything else there.
const AFTER_KILL_ON_NODE_SECONDS: i64 = 30;

/// The verdict when a kill becomes known, before the API has said anything.
///
/// `was_child` tells what the report's table of tasks shows. `earlier` is the container's verdict so far: where its children were killed before and it
/// has run on since, this is taken for one more of them.
pub fn at_kill(scope: Option<Scope>, infrastructure: Option<Infrastructure>, earlier: Option<Cause>, was_child: Option<bool>) -> Cause {
    match (infrastructure, was_child, earlier) {
        (Some(Infrastructure::RuntimeInit), ..) => Cause::MemoryLimitBelowStart,
        (_, Some(true), _) | (_, None, Some(Cause::OomChildProcess)) => Cause::OomChildProcess,
        _ => by_scope(scope),
    }
}

/// The verdict that the limit's level gives.
pub const fn by_scope(scope: Option<Scope>) -> Cause {
    match scope {
        Some(Scope::Container) => Cause::OomContainerLimit,
        Some(Scope::Pod | Scope::Qos | Scope::NodeAllocatable | Scope::Cgroup) => Cause::OomPodLimit,
        Some(Scope::Node) => Cause::OomNode,
        None => Cause::OomUnattributed,
    }
}

/// What the API's status adds to the evidence of a container: whether it ever showed the kill, and the verdict after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Review {
    /// Whether the API showed the container as terminated by it.
    pub visible: bool,
    /// The verdict now.
    pub verdict: Cause,
}

/// Looks at the status of a container with kills again.
pub fn review(container: &Container, evidence: &ContainerEvidence, now: Timestamp) -> Review {
    let verdict = Cause::from_id(&evidence.verdict).unwrap_or(Cause::OomUnattributed);
    let unchanged = Review { visible: evidence.visible, verdict };
    if verdict == Cause::MemoryLimitBelowStart {
        return Review { visible: evidence.visible || container.ended.iter().any(is_of_memory), verdict };
    }
    let scope = evidence.scope.as_deref().and_then(read_scope);
    let Some(last) = evidence.last.parse::<Timestamp>().ok() else { return unchanged };
    if let Some(ended) = container.ended.iter().rev().find(|ended| is_by_kill_of(evidence, ended, last)) {
        // A main process that was killed ends with 137. With another code a child was killed, and the runtime saw the counter.
        return if ended.exit_code == SIGKILL_EXIT {
            Review { visible: true, verdict: by_scope(scope) }
        } else {
            Review { visible: is_of_memory(ended), verdict: Cause::OomChildProcess }
        };
    }
    // A group kill takes the whole container: while it still shows as running, the kubelet is late.
    let of_group = |at: Timestamp| {
        let members = evidence.recent.iter().filter(|kill| kill.attribution == show_attribution(Attribution::KernelGroup));
        members.filter_map(time).any(|member| (member.as_second() - at.as_second()).abs() <= BEFORE_KILL_SECONDS)
    };
    let goes_on = |since: Timestamp| {
        let settled = |at: &Timestamp| *at > since && now.as_second() - at.as_second() >= GOES_ON_AFTER_SECONDS;
        evidence.recent.iter().filter_map(time).filter(settled).any(|at| !of_group(at))
    };
    if container.running_since.is_some_and(goes_on) {
        return Review { visible: evidence.visible, verdict: Cause::OomChildProcess };
    }
    unchanged
}

/// The verdict for an end that looks like a kill (137, or `OOMKilled`) although no kill of the kernel is known for it.
///
/// `counted` is how many kills the container's own counter shows beyond those that the log told of.
pub fn without_kill(pod: &Pod, ended: &Ended, counted: u64) -> Cause {
    if counted > 0 {
        return Cause::OomUnattributed;
    }
    match (ended.reason.as_str(), ended.exit_code) {
        ("ContainerStatusUnknown", _) => Cause::ContainerRecordLost,
        ("RestartingAllContainers", _) => Cause::RestartAllRule,
        ("OOMKilled", _) => Cause::OomFlagFalse,
        _ => disruption(pod).unwrap_or(if pod.is_deleted { Cause::StopGraceExceeded } else { Cause::KillerUnknown }),
    }
}

/// Whether an end asks for a verdict of ours.
pub fn asks_for_verdict(ended: &Ended) -> bool {
    ended.exit_code == SIGKILL_EXIT || is_of_memory(ended)
}

/// Whether a kill at `at` can have caused this end.
pub fn is_by(ended: &Ended, at: Timestamp) -> bool {
    is_within(ended, at, AFTER_KILL_SECONDS)
}

/// The same for a kill at `at` in the container of this evidence, of which the level of the limit is known.
pub fn is_by_kill_of(evidence: &ContainerEvidence, ended: &Ended, at: Timestamp) -> bool {
    let is_of_node = evidence.scope.as_deref().and_then(read_scope) == Some(Scope::Node);
    let most = if is_of_node && is_of_memory(ended) { AFTER_KILL_ON_NODE_SECONDS } else { AFTER_KILL_SECONDS };
    is_within(ended, at, most)
}

fn is_within(ended: &Ended, at: Timestamp, most: i64) -> bool {
    let after = ended.at.as_second().saturating_sub(at.as_second());
    (-BEFORE_KILL_SECONDS..=most).contains(&after)
}

/// `status.reason` and the reasons of `DisruptionTarget` (`k8s.io/api/core/v1`, `pkg/kubelet/types/constants.go`).
fn disruption(pod: &Pod) -> Option<Cause> {
    match pod.disruption.as_deref()? {
        "Evicted" | "TerminationByKubelet" => Some(Cause::NodePressure),
        "DeadlineExceeded" => Some(Cause::DeadlineExceeded),
        "PreemptionByScheduler" | "Preempting" => Some(Cause::Preempted),
        "EvictionByEvictionAPI" | "DeletionByTaintManager" => Some(Cause::EvictedOnRequest),
        "NodeShutdown" | "Terminated" | "Shutdown" => Some(Cause::NodeShutdownOrRestart),
        "NodeLost" | "DeletionByPodGC" => Some(Cause::NodeUnreachable),
        _ => None,
    }
}

fn is_of_memory(ended: &Ended) -> bool {
    ended.reason == "OOMKilled"
}

fn time(kill: &RecentKill) -> Option<Timestamp> {
    kill.at.parse().ok()
}

fn read_scope(text: &str) -> Option<Scope> {
    [Scope::Container, Scope::Pod, Scope::Qos, Scope::NodeAllocatable, Scope::Cgroup, Scope::Node]
        .into_iter()
        .find(|scope| scope.name() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_763_805_600 + second).unwrap()
    }

    fn evidence(last: i64) -> ContainerEvidence {
        ContainerEvidence {
            kills: 1,
            incidents: 1,
            last: at(last).to_string(),
            scope: Some("container".to_owned()),
            verdict: "oom-container-limit".to_owned(),
            recent: vec![RecentKill { at: at(last).to_string(), ..RecentKill::default() }],
            ..ContainerEvidence::default()
        }
    }

    fn ended(second: i64, exit_code: i32, reason: &str) -> Ended {
        Ended { id: None, at: at(second), exit_code, reason: reason.to_owned() }
    }

    #[test]
    fn where_the_node_has_no_memory_the_end_is_shown_late() {
        let of_node = ContainerEvidence { scope: Some("node".to_owned()), verdict: "oom-node".to_owned(), ..evidence(10) };
        for (evidence, second, reason, is_by_it) in [
            (&of_node, 18, "OOMKilled", true),
            (&of_node, 41, "OOMKilled", false),
            (&of_node, 18, "Error", false),
            (&evidence(10), 18, "OOMKilled", false),
        ] {
            let container = Container { ended: vec![ended(second, 137, reason)], ..Container::default() };
            let is_so = review(&container, evidence, at(50)) == Review { visible: true, verdict: Cause::OomNode };
            assert_eq!(is_so, is_by_it, "{second} {reason}");
        }
    }

    #[test]
    fn an_end_with_137_at_the_kill_is_the_kill() {
        let container = Container { ended: vec![ended(11, 137, "OOMKilled")], ..Container::default() };
        assert_eq!(review(&container, &evidence(10), at(12)), Review { visible: true, verdict: Cause::OomContainerLimit });
        let silent = Container { ended: vec![ended(11, 137, "Error")], ..Container::default() };
        assert_eq!(review(&silent, &evidence(10), at(12)), Review { visible: true, verdict: Cause::OomContainerLimit });
    }

    #[test]
    fn another_code_at_the_kill_is_a_child() {
        let container = Container { ended: vec![ended(11, 1, "OOMKilled")], ..Container::default() };
        assert_eq!(review(&container, &evidence(10), at(12)), Review { visible: true, verdict: Cause::OomChildProcess });
        let plain = Container { ended: vec![ended(11, 1, "Error")], ..Container::default() };
        assert_eq!(review(&plain, &evidence(10), at(12)), Review { visible: false, verdict: Cause::OomChildProcess });
    }

    #[test]
    fn a_container_that_goes_on_lost_a_child() {
        let container = Container { running_since: Some(at(0)), ..Container::default() };
        assert_eq!(review(&container, &evidence(10), at(12)).verdict, Cause::OomContainerLimit, "too early to tell");
        assert_eq!(review(&container, &evidence(10), at(15)), Review { visible: false, verdict: Cause::OomChildProcess });
    }

    #[test]
    fn a_group_kill_leaves_nothing_that_could_go_on() {
        let container = Container { running_since: Some(at(0)), ..Container::default() };
        let mut group = evidence(10);
        group.recent.push(RecentKill { at: at(11).to_string(), attribution: "kernel-group".to_owned(), ..RecentKill::default() });
        assert_eq!(review(&container, &group, at(60)).verdict, Cause::OomContainerLimit);
        group.recent.push(RecentKill { at: at(30).to_string(), ..RecentKill::default() });
        assert_eq!(review(&container, &group, at(60)).verdict, Cause::OomChildProcess, "another kill, later");
    }

    #[test]
    fn a_container_started_after_the_kill_says_nothing() {
        let container = Container { running_since: Some(at(11)), ended: vec![ended(-60, 137, "OOMKilled")], ..Container::default() };
        assert_eq!(review(&container, &evidence(10), at(30)), Review { visible: false, verdict: Cause::OomContainerLimit });
    }

    #[test]
    fn an_end_without_a_kill_is_somebody_elses() {
        let pod = Pod::default();
        assert_eq!(without_kill(&pod, &ended(0, 137, "OOMKilled"), 0), Cause::OomFlagFalse);
        assert_eq!(without_kill(&pod, &ended(0, 137, "OOMKilled"), 2), Cause::OomUnattributed);
        assert_eq!(without_kill(&pod, &ended(0, 137, "Error"), 0), Cause::KillerUnknown);
        assert_eq!(without_kill(&Pod { is_deleted: true, ..Pod::default() }, &ended(0, 137, "Error"), 0), Cause::StopGraceExceeded);
        assert_eq!(
            without_kill(&Pod { disruption: Some("Evicted".to_owned()), ..Pod::default() }, &ended(0, 137, "Error"), 0),
            Cause::NodePressure
        );
        assert_eq!(without_kill(&pod, &ended(0, 137, "ContainerStatusUnknown"), 0), Cause::ContainerRecordLost);
    }
}
