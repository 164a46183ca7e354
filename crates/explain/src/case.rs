//! The case that the matchers look at: a pod with all that is known of it.

use crate::candidate::{Candidate, Level};
use crate::container::{Container, End, NOT_YET, Role};
use crate::event::Event;
use crate::explanation::{Confidence, Evidence, Source, Step};
use crate::input::Input;
use crate::killer::Verdict;
use crate::kubectl::Kubectl;
use crate::memory::Proof;
use crate::pod::Pod;
use crate::quote::Quote;
use crate::view::View as _;
use podsight_cause::{Cause, Lang};
use std::cell::OnceCell;

/// The waiting reasons of a failing pull.
const PULL: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "RegistryUnavailable",
    "SignatureValidationFailed",
    "ErrImageNeverPull",
    "ImageInspectError",
    "InvalidImageName",
];
/// The waiting reasons between configuration and start.
const START: [&str; 5] =
    ["CreateContainerError", "PreCreateHookError", "PreStartHookError", "m.internalLifecycle.PreStartContainer", "RunContainerError"];
/// The terminated reasons of a container that never ran.
const NEVER_RAN: [&str; 2] = ["StartError", "ContainerCannotRun"];

/// A pod with all that is known of it.
pub(crate) struct Case<'a> {
    pub(crate) lang: Lang,
    pub(crate) pod: Pod<'a>,
    pub(crate) events: Vec<&'a Event>,
    /// The containers that need to be looked at, worst first, as places in `pod.containers`.
    pub(crate) troubled: Vec<usize>,
    pub(crate) proofs: Vec<Proof>,
    /// Whether a kernel log was given.
    pub(crate) kernel_log: bool,
    pub(crate) kubectl: Kubectl<'a>,
    texts: Vec<Vec<Quote>>,
    pub(crate) pod_texts: Vec<Quote>,
    verdicts: OnceCell<Vec<(usize, Verdict)>>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(input: &Input<'a>) -> Self {
        let pod = Pod::new(input.pod);
        let events: Vec<&Event> = input.events.iter().copied().filter(|event| event.concerns(input.pod)).collect();
        let mut troubled: Vec<usize> = (0..pod.containers.len()).collect();
        let trouble = |place: usize| pod.containers.get(place).map_or(0, |container| container.trouble(pod.restart_policy, pod.phase));
        troubled.retain(|place| trouble(*place) > 0);
        // Where one failure ended the pod, the others were stopped for it.
        let first_end = |place: usize| {
            let end =
                pod.containers.get(place)?.ended.as_ref().filter(|end| pod.phase == "Failed" && pod.reason.is_empty() && !end.clean())?;
            Some(end.finished?.as_second())
        };
        troubled.sort_by_key(|place| match first_end(*place) {
            Some(finished) => (std::cmp::Reverse(98), finished),
            None => (std::cmp::Reverse(trouble(*place)), i64::MAX),
        });
        let texts = pod.containers.iter().map(|container| texts_of(&pod, container, &events, input.logs)).collect();
        let pod_texts = pod_texts(&pod, &events);
        let proofs = crate::memory::proofs(&pod, input);
        let kubectl = Kubectl { flags: input.kubectl_flags, namespace: pod.namespace };
        Self {
            lang: input.lang,
            troubled,
            texts,
            pod_texts,
            proofs,
            kernel_log: input.kills.is_some(),
            events,
            pod,
            kubectl,
            verdicts: OnceCell::new(),
        }
    }

    pub(crate) fn candidate(&self, cause: Cause, level: Level, weight: u8, confidence: Confidence) -> Candidate {
        Candidate::new(self.lang, cause, level, weight, confidence)
    }

    /// Who ended the containers that ran, by their rank.
    pub(crate) fn verdicts(&self) -> &[(usize, Verdict)] {
        self.verdicts.get_or_init(|| {
            self.exited().filter_map(|(rank, container, end)| Some((rank, crate::killer::decide(self, container, end)?))).collect()
        })
    }

    /// The containers that need to be looked at, worst first, with their rank.
    pub(crate) fn troubled(&self) -> impl Iterator<Item = (usize, &Container<'a>)> {
        self.troubled.iter().enumerate().filter_map(|(rank, place)| Some((rank, self.pod.containers.get(*place)?)))
    }

    /// What is said about a container: its messages first, then its events.
    pub(crate) fn texts(&self, container: &Container<'_>) -> &[Quote] {
        let place =
            self.pod.containers.iter().position(|other| other.status_pointer == container.status_pointer && other.role == container.role);
        place.and_then(|place| self.texts.get(place)).map_or(&[], Vec::as_slice)
    }

    /// The first text about a container that holds one of these, in lower case.
    pub(crate) fn text(&self, container: &Container<'_>, needles: &[&str]) -> Option<&Quote> {
        self.texts(container).iter().find(|quote| quote.has(needles))
    }

    /// The first text about the pod as a whole that holds one of these, in lower case.
    pub(crate) fn pod_text(&self, needles: &[&str]) -> Option<&Quote> {
        self.pod_texts.iter().find(|quote| quote.has(needles))
    }

    /// Containers whose image does not come.
    pub(crate) fn pulling(&self) -> impl Iterator<Item = (usize, &Container<'a>)> {
        self.troubled().filter(|(_, container)| {
            PULL.contains(&container.waiting)
                || (container.is_waiting
                    && NOT_YET.contains(&container.waiting)
                    && self.texts(container).iter().any(|quote| {
                        // The sandbox has an image of its own.
                        quote.has(&["failed to pull image", "failed to apply default image tag", "failed to inspect image"])
                            && !quote.has(&["sandbox"])
                    }))
        })
    }

    /// Containers whose configuration cannot be put together.
    pub(crate) fn configuring(&self) -> impl Iterator<Item = (usize, &Container<'a>)> {
        self.troubled().filter(|(_, container)| {
            // Until Kubernetes 1.6 all that fails before the start had one reason.
            container.waiting == "CreateContainerConfigError" || container.waiting_message.starts_with("GenerateRunContainerOptions")
        })
    }

    /// Containers that the runtime cannot make or start.
    pub(crate) fn starting(&self) -> impl Iterator<Item = (usize, &Container<'a>)> {
        self.troubled().filter(|(_, container)| {
            let never_ran = container.end().is_some_and(|end| NEVER_RAN.contains(&end.reason));
            START.contains(&container.waiting)
                || (never_ran && !blocked_earlier(container))
                || (container.is_waiting && container.waiting.contains(' ') && !container.waiting.starts_with("PostStartHookError"))
        })
    }

    /// Containers that ran and ended, where nothing that comes before running is in the way now.
    pub(crate) fn exited(&self) -> impl Iterator<Item = (usize, &Container<'a>, &End<'a>)> {
        self.troubled().filter_map(|(rank, container)| {
            let end = container.end()?;
            let never_ran = NEVER_RAN.contains(&end.reason);
            let here = !never_ran && !blocked_earlier(container) && !START.contains(&container.waiting);
            // A stop for a change of the spec is no failure.
            (here && crate::killer::redefined(self, container, end).is_none()).then_some((rank, container, end))
        })
    }

    /// Whether the pod has no node yet.
    pub(crate) fn unscheduled(&self) -> bool {
        let refused =
            self.pod.condition("PodScheduled").is_some_and(|condition| condition.status == "False" || condition.reason == "Unschedulable");
        // A manifest that nobody has applied has no status at all.
        let known = self.pod.status.as_object().is_some_and(|status| !status.is_empty());
        let pending = known && matches!(self.pod.phase, "Pending" | "");
        !self.pod.over()
            && matches!(self.pod.reason.as_str(), "" | "Unschedulable")
            && !self.pod.any_container_tried()
            && (refused || (pending && self.pod.node.is_empty() && self.no_statuses()))
    }

    fn no_statuses(&self) -> bool {
        self.pod.containers.iter().all(|container| container.status.is_null())
            && self.pod.condition("PodScheduled").is_none_or(|condition| condition.status != "True")
    }

    /// Whether the pod has a node, and none of its containers has come as far as its image, in this sandbox.
    pub(crate) fn setting_up(&self) -> bool {
        !self.unscheduled()
            && !self.pod.over()
            && !self.pod.deleting
            && (!self.pod.any_container_tried() || self.pod.set_up_again())
            && self.pod.reason.is_empty()
    }

    /// The container that a trouble of the whole pod is put down to: the only one, or none.
    pub(crate) fn only_container(&self) -> Option<&Container<'a>> {
        let mut mains = self.pod.containers.iter().filter(|container| container.role == Role::Main);
        mains.next().filter(|_| mains.next().is_none())
    }

    /// The events about this container or the whole pod, newest first.
    pub(crate) fn events_about(&self, container: Option<&Container<'_>>) -> impl Iterator<Item = &'a Event> {
        self.events.iter().copied().rev().filter(move |event| container.is_none_or(|container| about(&self.pod, event, container)))
    }

    /// The newest event with one of these reasons, about this container or the whole pod.
    pub(crate) fn event(&self, reasons: &[&str], container: Option<&Container<'_>>) -> Option<&'a Event> {
        self.events_about(container).find(|event| reasons.contains(&event.reason.as_str()))
    }

    pub(crate) fn read(&self, words: &[&str], why: String) -> Option<Step> {
        self.kubectl.step(false, words, why)
    }

    pub(crate) fn change(&self, words: &[&str], why: String) -> Option<Step> {
        self.kubectl.step(true, words, why)
    }

    /// A command on something that belongs to no namespace.
    pub(crate) fn read_cluster(&self, words: &[&str], why: String) -> Option<Step> {
        Kubectl { namespace: "", ..self.kubectl }.step(false, words, why)
    }

    /// The log of the run that ended.
    pub(crate) fn logs(&self, container: &Container<'_>, why: String) -> Option<Step> {
        let previous = container.ended.is_none() && container.last.is_some();
        let mut words = vec!["logs", self.pod.name, "-c", container.name, "--tail=50"];
        words.extend(previous.then_some("--previous"));
        self.read(&words, why)
    }

    pub(crate) fn pod_events(&self, why: String) -> Option<Step> {
        if self.pod.name.is_empty() {
            return None;
        }
        let selector = format!("involvedObject.name={}", self.pod.name);
        self.read(&["get", "events", "--field-selector", &selector, "--sort-by=.lastTimestamp"], why)
    }

    /// What made the pod, as `kind/name`: a Deployment where the names of its ReplicaSet say so.
    pub(crate) fn owner(&self) -> Option<String> {
        let owners = self.pod.value.get_or_null("metadata").list("ownerReferences");
        let owner = owners.iter().find(|owner| owner.is_true("controller")).or_else(|| owners.first())?;
        let (kind, name) = (owner.text("kind"), owner.text("name"));
        let hash = self.pod.label("pod-template-hash");
        if kind == "ReplicaSet"
            && let Some(deployment) = name.strip_suffix(hash).and_then(|rest| rest.strip_suffix('-')).filter(|_| !hash.is_empty())
        {
            return Some(format!("deployment/{deployment}"));
        }
        (!kind.is_empty() && !name.is_empty()).then(|| format!("{}/{name}", kind.to_lowercase()))
    }

    /// A piece of evidence from the pod itself.
    pub(crate) fn fact(pointer: impl Into<String>, text: impl Into<String>) -> Evidence {
        let pointer = pointer.into();
        let source = if pointer.starts_with("/spec") { Source::Spec } else { Source::Pod };
        // A reason without its message ends in the colon between them.
        let text = text.into();
        Evidence { source, pointer, text: crate::quote::bounded(text.trim_end().trim_end_matches(':'), 1000) }
    }
}

/// Whether the container's image or configuration is in the way now.
fn blocked_earlier(container: &Container<'_>) -> bool {
    PULL.contains(&container.waiting) || container.waiting == "CreateContainerConfigError"
}

/// Whether an event is about a container: by its field path, by name or image in the text, or because there is only one.
fn about(pod: &Pod<'_>, event: &Event, container: &Container<'_>) -> bool {
    if let Some(name) = &event.container {
        return name == container.name;
    }
    if pod.containers.len() <= 1 {
        return true;
    }
    let named = |container: &Container<'_>| {
        let name = container.name;
        !name.is_empty()
            && ([
                format!("container {name}"),
                format!("container=\"{name}\""),
                format!("container={name}"),
                format!("Container \"{name}\""),
                format!("container: {name}"),
            ]
            .iter()
            .any(|form| event.message.to_lowercase().contains(&form.to_lowercase())))
            || (!container.image().is_empty() && event.message.contains(&format!("\"{}\"", container.image())))
    };
    if named(container) {
        return true;
    }
    // An event that names none belongs to the one container that is in trouble.
    !pod.containers.iter().any(named) && {
        let mut troubled = pod.containers.iter().filter(|container| container.trouble(pod.restart_policy, pod.phase) > 0);
        troubled.next().is_some_and(|first| first.status_pointer == container.status_pointer) && troubled.next().is_none()
    }
}

fn texts_of(pod: &Pod<'_>, container: &Container<'_>, events: &[&Event], logs: &[(String, String)]) -> Vec<Quote> {
    let mut texts = Vec::new();
    let mut add = |pointer: String, text: &str| {
        if !text.trim().is_empty() {
            texts.push(Quote::new(Source::Pod, pointer, text));
        }
    };
    add(format!("{}/state/waiting/message", container.status_pointer), container.waiting_message);
    if container.waiting.contains(' ') {
        add(format!("{}/state/waiting/reason", container.status_pointer), container.waiting);
    }
    for end in [&container.ended, &container.last].into_iter().flatten() {
        add(format!("{}/message", end.pointer), end.message);
    }
    for (_, log) in logs.iter().filter(|(name, _)| name == container.name) {
        add(format!("log:{}", container.name), log);
    }
    for event in events.iter().rev().filter(|event| about(pod, event, container)) {
        texts.push(event_quote(event));
    }
    texts
}

fn pod_texts(pod: &Pod<'_>, events: &[&Event]) -> Vec<Quote> {
    let mut texts = Vec::new();
    if !pod.message.trim().is_empty() {
        texts.push(Quote::new(Source::Pod, "/status/message", pod.message));
    }
    for condition in pod.conditions.iter().filter(|condition| !condition.message.trim().is_empty()) {
        texts.push(Quote::new(Source::Pod, format!("{}/message", condition.pointer), condition.message));
    }
    for container in &pod.containers {
        if container.is_waiting && NOT_YET.contains(&container.waiting) && !container.waiting_message.trim().is_empty() {
            texts.push(Quote::new(Source::Pod, format!("{}/state/waiting/message", container.status_pointer), container.waiting_message));
        }
    }
    // What was in the way before the last run is so no more.
    let ended = pod.containers.iter().filter_map(|container| container.end()?.finished).max().filter(|_| pod.set_up_again());
    let present = |event: &&&Event| ended.is_none_or(|ended| event.last.is_none_or(|last| last >= ended));
    texts.extend(events.iter().rev().filter(present).map(|event| event_quote(event)));
    texts
}

pub(crate) fn event_quote(event: &Event) -> Quote {
    let times = if event.count > 1 { format!(" (x{})", event.count) } else { String::new() };
    // An event that was a document of its own is found by its reason.
    let pointer = if event.pointer.is_empty() { &event.reason } else { &event.pointer };
    Quote::new(Source::Event, pointer.clone(), &format!("{}: {}{times}", event.reason, event.message))
}
