//! What a STATUS or reason means: every waiting, terminated, pod-level and condition reason, the forms that only
//! kubectl's column has, and the reasons of events that are worth reading.

mod condition;
mod display;
mod event;
mod pod;
mod terminated;
mod waiting;

use podsight_cause::{Cause, Lang};
use serde::Serialize;

/// Where a reason is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// `state.waiting.reason` of a container; the kubelet writes it.
    Waiting,
    /// `state.terminated.reason` of a container; the runtime writes it, or the kubelet in its place.
    Terminated,
    /// `status.reason` of the pod.
    Pod,
    /// The reason of a condition of the pod.
    Condition,
    /// Only the STATUS column of `kubectl get pods`; the API server computes it.
    Display,
    /// A condition of the node's runtime, never of a pod.
    Node,
    /// The reason of an event.
    Event,
}

impl Channel {
    /// Where that is, in words.
    pub const fn words(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Waiting, Lang::En) => "waiting reason of a container",
            (Self::Terminated, Lang::En) => "terminated reason of a container",
            (Self::Pod, Lang::En) => "reason of the pod (status.reason)",
            (Self::Condition, Lang::En) => "reason of a pod condition",
            (Self::Display, Lang::En) => "STATUS column only",
            (Self::Node, Lang::En) => "condition of the node's runtime, never of a pod",
            (Self::Event, Lang::En) => "reason of an event",
            (Self::Waiting, Lang::Zh) => "容器的等待原因",
            (Self::Terminated, Lang::Zh) => "容器的终止原因",
            (Self::Pod, Lang::Zh) => "Pod 的原因（status.reason）",
            (Self::Condition, Lang::Zh) => "Pod 条件的原因",
            (Self::Display, Lang::Zh) => "只出现在 STATUS 列",
            (Self::Node, Lang::Zh) => "节点运行时的状况，不属于 Pod",
            (Self::Event, Lang::Zh) => "事件的原因",
        }
    }
}

/// One reason.
#[derive(Debug)]
pub struct Reason {
    /// The name as it is shown. `OutOf` and `ExitCode:` stand for all that begin so.
    pub name: &'static str,
    /// Other names for the same.
    pub aliases: &'static [&'static str],
    /// Where it is seen.
    pub channel: Channel,
    /// Where it comes from: component and file.
    pub origin: &'static str,
    /// The first version of Kubernetes that has it, where it is not old.
    pub since: Option<&'static str>,
    /// The last version that has it, where it is gone.
    pub until: Option<&'static str>,
    /// The usual causes, the most frequent first.
    pub causes: &'static [Cause],
    /// What it means, in English and Chinese.
    pub meaning: (&'static str, &'static str),
    /// What tells its causes apart, in English and Chinese.
    pub apart: (&'static str, &'static str),
    /// The command that shows it; POD stands for the pod's name.
    pub command: &'static str,
}

impl Reason {
    /// What it means.
    pub const fn meaning(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.meaning.0,
            Lang::Zh => self.meaning.1,
        }
    }

    /// What tells its causes apart.
    pub const fn apart(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.apart.0,
            Lang::Zh => self.apart.1,
        }
    }
}

/// A reason as JSON.
#[derive(Debug, Serialize)]
pub struct Entry {
    name: &'static str,
    aliases: &'static [&'static str],
    channel: Channel,
    origin: &'static str,
    since: Option<&'static str>,
    until: Option<&'static str>,
    meaning: &'static str,
    tells_apart: &'static str,
    causes: Vec<Usual>,
    command: &'static str,
}

#[derive(Debug, Serialize)]
struct Usual {
    cause: &'static str,
    meaning: &'static str,
}

impl Entry {
    /// The reason in one language.
    pub fn new(reason: &Reason, lang: Lang) -> Self {
        Self {
            name: reason.name,
            aliases: reason.aliases,
            channel: reason.channel,
            origin: reason.origin,
            since: reason.since,
            until: reason.until,
            meaning: reason.meaning(lang),
            tells_apart: reason.apart(lang),
            causes: reason.causes.iter().map(|cause| Usual { cause: cause.id(), meaning: cause.meaning(lang) }).collect(),
            command: reason.command,
        }
    }
}

/// All reasons, by channel.
pub fn all() -> impl Iterator<Item = &'static Reason> {
    [waiting::REASONS, terminated::REASONS, pod::REASONS, condition::REASONS, display::REASONS, event::REASONS].into_iter().flatten()
}

/// The reasons with this name, in any case and with or without blanks. `Init:` stands before any container's reason; one name can have
/// more than one channel.
pub fn find(name: &str) -> Vec<&'static Reason> {
    let bare = squeeze(name);
    let exact = |wanted: &str| {
        all()
            .filter(|reason| squeeze(reason.name) == wanted || reason.aliases.iter().any(|alias| squeeze(alias) == wanted))
            .collect::<Vec<_>>()
    };
    let mut found = exact(&bare);
    if found.is_empty()
        && let Some(rest) = bare.strip_prefix("init:")
    {
        found = if rest
            .split_once('/')
            .is_some_and(|(done, total)| [done, total].iter().all(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit())))
        {
            exact("init:i/n")
        } else {
            exact(rest)
        };
        if found.is_empty() {
            found = beginning(rest);
        }
    }
    if found.is_empty() {
        found = beginning(&bare);
    }
    found
}

/// The open forms: `OutOfcpu`, `ExitCode:3`, `Signal:9`.
fn beginning(bare: &str) -> Vec<&'static Reason> {
    all().filter(|reason| matches!(reason.name, "OutOf" | "ExitCode:" | "Signal:") && bare.starts_with(&squeeze(reason.name))).collect()
}

/// Up to three names that look like this one.
pub fn like(name: &str) -> Vec<&'static str> {
    let bare: String = squeeze(name).chars().take(100).collect();
    let mut near: Vec<(usize, &str)> = all()
        .map(|reason| (distance(&bare, &squeeze(reason.name)), reason.name))
        .filter(|(distance, _)| *distance <= bare.len() / 3 + 1)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

fn squeeze(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// How many letters have to be put in, taken out or changed.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (place, a) in left.chars().enumerate() {
        let mut next = vec![place + 1];
        for (b, pair) in right.iter().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let before = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(a != *b)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_is_written_in_both_languages_and_once() {
        let mut seen = HashSet::new();
        for reason in all() {
            let name = reason.name;
            assert!(seen.insert((reason.channel, name)), "{name} twice");
            assert!(reason.meaning.0.is_ascii() && reason.apart.0.is_ascii(), "{name}");
            assert!(reason.meaning.1.ends_with('。') && reason.apart.1.ends_with(['。', '？']), "{name}");
            assert!(!reason.origin.is_empty() && reason.command.starts_with("kubectl "), "{name}");
            assert!(!reason.command.contains(['<', '>']), "{name}");
        }
    }

    /// Every status and reason that Kubernetes 1.28 to 1.37 and its runtimes show, old names among them, with the open forms filled in.
    const SHOWN: &str = "CrashLoopBackOff InvalidImageName ImageInspectError ErrImageNeverPull ImagePullBackOff RegistryUnavailable \
        ErrImagePull CreateContainerConfigError CreateContainerError m.internalLifecycle.PreStartContainer RunContainerError \
        PostStartHookError ContainersNotInitialized ContainersNotReady ContainerCreating PodInitializing DockerDaemonNotReady \
        NetworkPluginNotReady PreCreateHookError PreStartHookError SignatureValidationFailed RestartingAllContainers Completed Error \
        OOMKilled StartError ContainerCannotRun Unknown ContainerStatusUnknown DeadlineExceeded Evicted Terminated Shutdown NodeShutdown \
        Preempting OutOfcpu OutOfmemory OutOfephemeral-storage OutOfpods OutOfnvidia.com/gpu UnexpectedAdmissionError NodeAffinity NodeName \
        NodePorts TaintToleration MatchNodeSelector TopologyAffinityError SMTAlignmentError EmptyPodSharedPoolError SysctlForbidden AppArmor \
        PodOSSelectorNodeLabelDoesNotMatch PodOSNotSupported SupplementalGroupsPolicyNotSupported PodLevelResourcesNotSupported \
        PodFeatureUnsupported InitContainerRestartPolicyForbidden FailedNodeDeclaredFeaturesCheck VolumeAttachmentLimitExceeded \
        InvalidNodeInfo UnknownReason UnexpectedPredicateFailureType NodeLost Unschedulable SchedulingGated SchedulerError \
        UnknownContainerStatuses PodCompleted PodFailed ReadinessGatesNotReady RestartAllContainersStarted TerminationByKubelet \
        PreemptionByScheduler DeletionByTaintManager EvictionByEvictionAPI DeletionByPodGC Deferred Infeasible DisruptionTarget \
        PodResizePending PodResizeInProgress AllContainersRestarting PodReadyToStartContainers Init:0/1 Init:Error Init:CrashLoopBackOff \
        Init:OOMKilled Init:ImagePullBackOff Init:CreateContainerConfigError Init:StartError Init:RunContainerError \
        Init:ContainerStatusUnknown Init:ExitCode:3 Init:Signal:9 ExitCode:3 Signal:9 Terminating NotReady Pending Running \
        CreatePodSandboxError ConfigPodSandboxError KillContainerError KillPodSandboxError RemoveContainerError ResizePodInPlaceError \
        Failed FailedCreatePodSandBox FailedMount FailedAttachVolume FailedScheduling BackOff Unhealthy Killing ExceededGracePeriod \
        NodeNotReady Rebooted FailedPostStartHook FailedPreStopHook FailedPrepareDynamicResources SandboxChanged InspectFailed \
        NetworkNotReady SystemOOM TaintManagerEviction FailedSync OOMKillConfirmed";

    #[test]
    fn every_status_and_reason_has_a_page() {
        for name in SHOWN.split_whitespace().chain(["seccomp killed", "Topology Affinity Error"]) {
            assert!(!find(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn old_and_new_names_are_found() {
        for (given, name) in [
            ("crashloopbackoff", "CrashLoopBackOff"),
            ("Init:CrashLoopBackOff", "CrashLoopBackOff"),
            ("m.internalLifecycle.PreStartContainer", "PreStartHookError"),
            ("Topology Affinity Error", "TopologyAffinityError"),
            ("OutOfmemory", "OutOf"),
            ("Init:0/3", "Init:i/N"),
            ("Init:ExitCode:7", "ExitCode:"),
            ("MatchNodeSelector", "NodeAffinity"),
        ] {
            assert_eq!(find(given).first().map(|reason| reason.name), Some(name), "{given}");
        }
        assert!(find("NoSuchThing").is_empty());
        assert_eq!(like("CrashLopBackof").first(), Some(&"CrashLoopBackOff"));
    }
}
