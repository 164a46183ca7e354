//! Who ended a container: the first of a list of tests that holds, each with its evidence.
//!
//! The order goes from what was seen to what only fits: the placeholder of the kubelet, the restart rule, the kernel's own record, the
//! runtime's flag, the kubelet's events, the state of the pod and its node, the timing of the probes, and last that nobody knows.

use crate::candidate::say;
use crate::case::{Case, event_quote};
use crate::container::{Container, End, Role};
use crate::event::Event;
use crate::exit_code::Signal;
use crate::explanation::{Confidence, Evidence, Source};
use crate::memory::Proof;
use crate::probe::{self, Fit};
use crate::view::View as _;
use podsight_cause::Cause;
use podsight_cgroup::Scope;

/// Who ended a container.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) cause: Cause,
    pub(crate) confidence: Confidence,
    pub(crate) weight: u8,
    pub(crate) evidence: Vec<Evidence>,
}

/// A memory kill that lies further than this from the end did not end the container, in seconds. The kernel's and the runtime's clocks are
/// read by two programs, and the agent rounds.
const SAME_MOMENT: i64 = 10;

/// The kubelet writes an event about a stop at most so much after its grace period, in seconds.
const LATE_EVENT: i64 = 60;

/// So long a node may take to come back and say that it was restarted, in seconds.
const REBOOT: i64 = 15 * 60;

fn verdict(cause: Cause, confidence: Confidence, weight: u8, evidence: Vec<Evidence>) -> Verdict {
    Verdict { cause, confidence, weight, evidence }
}

/// Decides for one end of a container; nothing where the container ended by itself as far as anyone can tell.
pub(crate) fn decide(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    let stopped = matches!(end.code, Some(137 | 143)) || stop_signal(container, end);
    placeholder(end)
        .or_else(|| rule(end))
        .or_else(|| proven(case, container, end))
        .or_else(|| hook(case, container, end))
        .or_else(|| probe_event(case, container, end))
        .or_else(|| flagged(case, container, end))
        .or_else(|| if stopped { deletion(case, end) } else { None })
        .or_else(|| node(case, container, end))
        .or_else(|| if stopped { timing(case, container, end) } else { None })
        .or_else(|| if stopped { stopping(case, container) } else { None })
        .or_else(|| if stopped { outside(case) } else { None })
        .or_else(|| (stopped || unasked_signal(end)).then(|| verdict(Cause::KillerUnknown, Confidence::Medium, 50, Vec::new())))
}

/// Whether the container ended by the signal that its pod or image names as the stop signal (`ContainerStopSignals`, 1.33); the status has the
/// one that is in force.
pub(crate) fn stop_signal(container: &Container<'_>, end: &End<'_>) -> bool {
    let named = [container.status.text("stopSignal"), container.spec.get_or_null("lifecycle").text("stopSignal")];
    let named = named.into_iter().find(|name| !name.is_empty()).and_then(Signal::from_name);
    named.is_some() && named == end.code.and_then(crate::exit_code::signal)
}

/// HUP, INT and QUIT are sent by somebody, as KILL and TERM are.
fn unasked_signal(end: &End<'_>) -> bool {
    matches!(end.code, Some(129..=131 | -1_073_741_510 | 3_221_225_786))
}

fn placeholder(end: &End<'_>) -> Option<Verdict> {
    (end.reason == "ContainerStatusUnknown").then(|| verdict(Cause::ContainerRecordLost, Confidence::Medium, 85, Vec::new()))
}

fn rule(end: &End<'_>) -> Option<Verdict> {
    (end.reason == "RestartingAllContainers").then(|| verdict(Cause::RestartAllRule, Confidence::High, 95, Vec::new()))
}

/// The kernel's own record, by annotation or log. That the agent does not know, either, proves nothing: it sees no events.
fn proven(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    let proof = case.proofs.iter().find(|proof| is_about(proof, container, end) && proof.verdict != Some(Cause::KillerUnknown))?;
    let proven = cause_of(proof, end.code);
    // The counter alone tells of a kill and not of its limit: then the limits that there are say which is likely.
    let unclear = proven == Cause::OomUnattributed && proof.kills > 0 && end.code == Some(137);
    match by_limits(case, container).filter(|_| unclear) {
        Some(likely) => {
            let evidence = proof.evidence.iter().cloned().chain(likely.evidence).collect();
            Some(verdict(likely.cause, Confidence::Medium, 98, evidence))
        }
        None => Some(verdict(proven, Confidence::High, 98, proof.evidence.clone())),
    }
}

/// What a proven kill means for a container that ended with this code, or still runs.
pub(crate) fn cause_of(proof: &Proof, code: Option<i64>) -> Cause {
    proof.verdict.unwrap_or_else(|| match proof.scope {
        Some(Scope::Node) => Cause::OomNode,
        Some(Scope::Pod | Scope::Qos | Scope::NodeAllocatable | Scope::Cgroup) => Cause::OomPodLimit,
        Some(Scope::Container) if code == Some(137) => Cause::OomContainerLimit,
        _ if code != Some(137) => Cause::OomChildProcess,
        _ => Cause::OomUnattributed,
    })
}

fn is_about(proof: &Proof, container: &Container<'_>, end: &End<'_>) -> bool {
    if proof.container != container.name {
        return false;
    }
    if let Some(id) = &proof.container_id {
        return end.container_id.is_empty() || id == end.container_id;
    }
    match (proof.last, end.finished) {
        (Some(last), Some(finished)) => (finished.as_second() - last.as_second()).abs() <= SAME_MOMENT,
        _ => end.oom_killed() || end.code == Some(137),
    }
}

fn hook(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    if end.oom_killed() {
        return None;
    }
    let (event, confidence) = newest(case, Some(container), end, LATE_EVENT, |event| event.reason == "FailedPostStartHook")?;
    Some(verdict(Cause::PostStartHookFailed, confidence, 92, vec![event_quote(event).evidence()]))
}

/// The kubelet says in an event that it stops the container for a probe.
fn probe_event(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    if end.oom_killed() && end.code == Some(137) {
        return None;
    }
    let find = |holds: &dyn Fn(&Event) -> bool| newest(case, Some(container), end, LATE_EVENT, holds);
    let failed = find(&|event| {
        event.reason == "Unhealthy" && ["Liveness probe", "Startup probe"].iter().any(|start| event.message.starts_with(start))
    });
    let killing = find(&|event| {
        let said = event.message.to_lowercase();
        ["failed liveness probe", "failed startup probe"].iter().any(|text| said.contains(text))
    });
    if let Some((killing, confidence)) = killing {
        let evidence = [Some(killing), failed.map(|(failed, _)| failed)].into_iter().flatten().map(|event| event_quote(event).evidence());
        return Some(verdict(Cause::ProbeKill, confidence, 95, evidence.collect()));
    }
    let (unhealthy, confidence) = failed?;
    let threshold = probe::threshold(container, if unhealthy.message.starts_with("Liveness") { "livenessProbe" } else { "startupProbe" });
    let often = unhealthy.count >= threshold;
    let stopped = matches!(end.code, Some(137 | 143));
    // Failing probes before an end with the program's own code may only be its agony.
    (often && container.restarts > 0 || stopped).then(|| {
        let sure = often && stopped;
        verdict(
            Cause::ProbeKill,
            if sure { confidence } else { Confidence::Medium },
            if sure { 93 } else { 65 },
            vec![event_quote(unhealthy).evidence()],
        )
    })
}

/// The runtime says `OOMKilled`, and no kernel record says more.
fn flagged(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    if !end.oom_killed() {
        return None;
    }
    let stale = case.proofs.iter().find(|proof| {
        proof.container == container.name
            // A kill before the start was of another run: each has a flag of its own.
            && end.started.is_none_or(|started| proof.last.is_none_or(|last| last >= started))
            && matches!((proof.last, end.finished), (Some(last), Some(finished)) if finished.as_second() - last.as_second() > SAME_MOMENT)
    });
    if let Some(stale) = stale {
        return Some(verdict(Cause::OomFlagFalse, Confidence::Medium, 90, stale.evidence.clone()));
    }
    match end.code {
        Some(143) => return Some(verdict(Cause::OomFlagFalse, Confidence::Medium, 88, Vec::new())),
        Some(code) if code != 137 => return Some(verdict(Cause::OomChildProcess, Confidence::Medium, 88, Vec::new())),
        _ => {}
    }
    if let Some((event, _)) = newest(case, None, end, LATE_EVENT, |event| event.reason == "SystemOOM") {
        return Some(verdict(Cause::OomNode, Confidence::Medium, 89, vec![event_quote(event).evidence()]));
    }
    Some(by_limits(case, container).unwrap_or_else(|| verdict(Cause::OomUnattributed, Confidence::Medium, 85, Vec::new())))
}

/// Which limit a memory kill was for, as far as the limits that there are can tell. Nothing where the pod is a fragment without them.
fn by_limits(case: &Case<'_>, container: &Container<'_>) -> Option<Verdict> {
    let pod_limit = case.pod.spec.get_or_null("resources").get_or_null("limits").text("memory");
    let tmpfs = case.pod.spec.list("volumes").iter().any(|volume| volume.get_or_null("emptyDir").text("medium") == "Memory");
    if let Some(limit) = container.written_memory_limit() {
        let evidence = vec![Case::fact(
            format!("{}/resources/limits/memory", container.spec_pointer),
            say!(case, "memory limit {limit}", "内存上限 {limit}"),
        )];
        let alone = pod_limit.is_empty() && !tmpfs;
        return Some(verdict(Cause::OomContainerLimit, if alone { Confidence::High } else { Confidence::Medium }, 88, evidence));
    }
    if !pod_limit.is_empty() {
        let evidence = vec![Case::fact(
            "/spec/resources/limits/memory",
            say!(case, "memory limit of the pod {pod_limit}", "Pod 的内存上限 {pod_limit}"),
        )];
        // A kill that no container could be named for is one of this pod all the same.
        let unnamed = case.proofs.iter().filter(|proof| proof.container.is_empty()).flat_map(|proof| proof.evidence.clone());
        return Some(verdict(Cause::OomPodLimit, Confidence::Medium, 88, evidence.into_iter().chain(unnamed).collect()));
    }
    // The API server always writes `resources`, so that its absence means a fragment.
    container.spec.get_or_null("resources").is_object().then(|| {
        let evidence = vec![Case::fact(format!("{}/resources", container.spec_pointer), say!(case, "no memory limit", "没有内存上限"))];
        verdict(Cause::OomNode, Confidence::Medium, 86, evidence)
    })
}

/// The event that says that the kubelet restarted the container for a change of its spec, such as a new image (`containerChanged`).
pub(crate) fn redefined<'a>(case: &Case<'a>, container: &Container<'_>, end: &End<'_>) -> Option<&'a Event> {
    let said = |event: &Event| event.reason == "Killing" && event.message.to_lowercase().contains("definition changed");
    if end.oom_killed() || container.end().is_none_or(|last| last.pointer != end.pointer) {
        return None;
    }
    // Without times the run is not known, and a crash after the change would be passed over.
    newest(case, Some(container), end, LATE_EVENT, said).filter(|(_, confidence)| *confidence == Confidence::High).map(|(event, _)| event)
}

/// The pod is being deleted: was the grace period used up?
fn deletion(case: &Case<'_>, end: &End<'_>) -> Option<Verdict> {
    let Some(deletion) = case.pod.deletion else {
        // Without its time the end may have come before the deletion.
        let requested = vec![Case::fact("/metadata/deletionTimestamp", say!(case, "deletion was requested", "已请求删除"))];
        let killed = case.pod.deleting && end.code == Some(137);
        return killed.then(|| verdict(Cause::StopGraceExceeded, Confidence::Medium, 80, requested));
    };
    // When all is over the kubelet deletes once more, with a grace of 0: then the time is that of the report, and not of the end of the grace.
    let reported = case.pod.value.get_or_null("metadata").integer("deletionGracePeriodSeconds") == Some(0);
    let early = if reported { case.pod.spec.integer("terminationGracePeriodSeconds").unwrap_or(30).clamp(0, 86_400) + 60 } else { 2 };
    let used_up = end.code == Some(137) && end.finished.is_none_or(|finished| finished.as_second() >= deletion.as_second() - early);
    let evidence = vec![Case::fact("/metadata/deletionTimestamp", say!(case, "grace ends {deletion}", "宽限期至 {deletion}"))];
    used_up.then(|| verdict(Cause::StopGraceExceeded, Confidence::High, 90, evidence))
}

/// The node or its runtime restarted under the container.
fn node(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    if end.oom_killed() {
        return None;
    }
    let odd = matches!(end.code, Some(255 | 137 | 143 | 2) | None);
    if end.reason == "Unknown" {
        return Some(verdict(
            Cause::NodeShutdownOrRestart,
            if end.code == Some(255) { Confidence::High } else { Confidence::Medium },
            90,
            Vec::new(),
        ));
    }
    let restarted = |event: &Event| ["Rebooted", "NodeShutdown", "Shutdown"].contains(&event.reason.as_str());
    if let Some((event, _)) = newest(case, None, end, REBOOT, restarted) {
        return Some(verdict(Cause::NodeShutdownOrRestart, Confidence::Medium, 82, vec![event_quote(event).evidence()]));
    }
    if !odd {
        return None;
    }
    // A kubelet that saw the pod for the first time after the container had ended was itself started in between.
    let seen = [
        ("/metadata/annotations/kubernetes.io~1config.seen", crate::view::time(case.pod.annotation("kubernetes.io/config.seen"))),
        ("/status/startTime", case.pod.status.time("startTime")),
    ];
    let later = seen
        .into_iter()
        .find_map(|(pointer, seen)| Some((pointer, seen.filter(|seen| end.finished.is_some_and(|finished| finished < *seen))?)));
    if let Some((pointer, seen)) = later {
        let evidence = vec![Case::fact(
            pointer,
            say!(
                case,
                "the kubelet first saw the pod {seen}, after the container had ended",
                "kubelet 首次看到该 Pod 是在 {seen}，晚于容器结束"
            ),
        )];
        return Some(verdict(Cause::NodeShutdownOrRestart, Confidence::Medium, 80, evidence));
    }
    let together = ended_together(case, container, end);
    if !together.is_empty() {
        return Some(verdict(Cause::NodeShutdownOrRestart, Confidence::Medium, 75, together));
    }
    if end.code == Some(255)
        && let Some(event) = case.event(&["SandboxChanged", "NodeNotReady"], None)
    {
        return Some(verdict(Cause::NodeShutdownOrRestart, Confidence::Medium, 78, vec![event_quote(event).evidence()]));
    }
    // The first restart follows at once: a long gap means that nobody was there to do it.
    let gap = container.running_since.zip(end.finished).map(|(since, finished)| since.as_second() - finished.as_second());
    if end.code == Some(255) && container.restarts == 1 && gap.is_some_and(|gap| gap >= 15) {
        let gap = gap.unwrap_or_default();
        let evidence = vec![Case::fact(
            format!("{}/state/running/startedAt", container.status_pointer),
            say!(
                case,
                "started {gap}s after the end, although the first restart follows at once",
                "结束 {gap} 秒后才启动，而首次重启本应立即进行"
            ),
        )];
        return Some(verdict(Cause::NodeShutdownOrRestart, Confidence::Medium, 74, evidence));
    }
    None
}

/// Other containers of the pod that ended in the same two seconds, all with a code that a restart of the node leaves behind.
fn ended_together(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Vec<Evidence> {
    let Some(finished) = end.finished else { return Vec::new() };
    if container.ended.is_some() {
        return Vec::new();
    }
    let mut others = Vec::new();
    // Programs that depend on the same thing fail together as well; only these codes come from outside.
    let mut stopped = matches!(end.code, Some(255 | 137 | 143));
    for other in case
        .pod
        .containers
        .iter()
        .filter(|other| matches!(other.role, Role::Main | Role::Sidecar) && other.status_pointer != container.status_pointer)
    {
        match other.last.as_ref().filter(|last| !last.oom_killed()).and_then(|last| Some((last, last.finished?))) {
            Some((last, then))
                if (then.as_second() - finished.as_second()).abs() <= 2 && matches!(last.code, Some(255 | 137 | 143 | 2 | 0)) =>
            {
                stopped |= matches!(last.code, Some(255 | 137 | 143));
                others.push(Case::fact(last.pointer.clone(), crate::candidate::describe(last, case.lang)));
            }
            _ => return Vec::new(),
        }
    }
    if stopped { others } else { Vec::new() }
}

/// The newest event that may be about this end, and how sure that is: one of another run is left aside, and without times the run is not
/// known.
fn newest<'a>(
    case: &Case<'a>,
    container: Option<&Container<'_>>,
    end: &End<'_>,
    late: i64,
    holds: impl Fn(&Event) -> bool,
) -> Option<(&'a Event, Confidence)> {
    let grace = case.pod.spec.integer("terminationGracePeriodSeconds").unwrap_or(30).clamp(0, 86_400);
    case.events_about(container).filter(|event| holds(event)).find_map(|event| {
        let (Some(first), Some(last), Some(finished)) = (event.first, event.last, end.finished) else {
            return Some((event, Confidence::Medium));
        };
        let in_time = first.as_second() <= finished.as_second() + grace + late;
        // Both times are cut to whole seconds.
        let same_run = end.started.is_none_or(|started| last.as_second() + 1 >= started.as_second());
        (in_time && same_run).then_some((event, Confidence::High))
    })
}

/// No event is left, but the life of the container fits its probes.
fn timing(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Verdict> {
    // After a deletion or at the end of the pod nobody needs a probe to explain a stop.
    if case.pod.deleting || case.pod.over() || container.restarts == 0 {
        return None;
    }
    match probe::fit(case, container, end)? {
        Fit::Exact(evidence) => Some(verdict(Cause::ProbeKill, Confidence::Medium, 72, evidence)),
        // In place, the kubelet restarts a container that it stopped itself only for a probe or a changed spec.
        Fit::Possible(evidence) if end.code != Some(137) => Some(verdict(Cause::ProbeKill, Confidence::Medium, 66, evidence)),
        Fit::Possible(_) => None,
    }
}

/// The kubelet says that it stops the container, and 137 says that the process did not stop in time.
fn stopping(case: &Case<'_>, container: &Container<'_>) -> Option<Verdict> {
    let event = case.event(&["ExceededGracePeriod", "FailedPreStopHook"], Some(container)).or_else(|| {
        let killing = case.event(&["Killing"], Some(container))?;
        killing.message.starts_with("Stopping container").then_some(killing)
    })?;
    let killed = container.end().and_then(|end| end.code) == Some(137);
    killed.then(|| verdict(Cause::StopGraceExceeded, Confidence::Medium, 70, vec![event_quote(event).evidence()]))
}

/// A kernel log was given and nothing tells of a kill of this pod: then it was not the kernel's want of memory. An agent that saw an end by a
/// signal and no kill says the same.
fn outside(case: &Case<'_>) -> Option<Verdict> {
    let reads = case.kernel_log && case.proofs.iter().all(|proof| proof.kills == 0) && !case.pod.uid.is_empty();
    reads.then(|| {
        verdict(
            Cause::KilledExternally,
            Confidence::Low,
            52,
            vec![Evidence {
                source: Source::Kernel,
                pointer: "log".to_owned(),
                text: say!(case, "the kernel log holds no memory kill of this pod", "内核日志中没有该 Pod 的内存杀死记录"),
            }],
        )
    })
}
