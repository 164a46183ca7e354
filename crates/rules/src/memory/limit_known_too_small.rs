//! `limit-known-too-small`

use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use podsight_cause::Cause;
use podsight_history::{Judgement, Shortfall};
use podsight_spec::{Container, Quantity, Role, Workload};

/// The id. What it finds is told by an update that leaves it as it was, too: the workload fails.
pub const LIMIT_KNOWN_TOO_SMALL: &str = "limit-known-too-small";

declare_rule! {
    /// ## What it does
    ///
    /// Finds memory limits that were tried before and were not enough: the kernel killed this container of this workload, with the same image, at this limit or
    /// at a higher one. The webhook knows it from the evidence that the agent writes on the pods, and keeps it when the pods are gone. `podsight check` knows it
    /// from the pods among its files (`kubectl get pods -l podsight.dev/oom-killed -o yaml`), and with `--cluster` from the cluster itself.
    ///
    /// ## What happens without a change
    ///
    /// The kernel kills it again as soon as it needs as much again: `OOMKilled`, exit code 137, `CrashLoopBackOff`. Where it kills a child process and the container
    /// goes on, Kubernetes shows nothing at all.
    ///
    /// ## Example
    ///
    /// A pod as it was found in a cluster:
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: worker
    ///   namespace: default
    ///   annotations:
    ///     podsight.dev/oom: '{"v": 1, "containers": {"main": {"kills": 3, "incidents": 3, "scope": "container", "limit": "256Mi", "peak": "255Mi",
    ///       "first": "2026-11-22T10:00:00Z", "last": "2026-11-22T10:05:00Z"}}}'
    /// spec:
    ///   containers:
    ///   - name: main
    ///     image: registry.example/worker:1.4
    ///     resources: {limits: {memory: 256Mi}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// A higher limit. Killed at 256Mi, the container is only known to need at least that: 1.15 times the peak or 1.25 times the limit, whichever is more, is a
    /// first try, and 1.5 times that where the limit was raised before and was not enough again. What is suggested is rounded up, and never more than the largest
    /// node has.
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: worker
    ///   namespace: default
    ///   annotations:
    ///     podsight.dev/oom: '{"v": 1, "containers": {"main": {"kills": 3, "incidents": 3, "scope": "container", "limit": "256Mi", "peak": "255Mi",
    ///       "first": "2026-11-22T10:00:00Z", "last": "2026-11-22T10:05:00Z"}}}'
    /// spec:
    ///   containers:
    ///   - name: main
    ///     image: registry.example/worker:1.4
    ///     resources: {limits: {memory: 384Mi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// A new image ends it, since it may need less; a tag that is used again for another image does not. It tells of kills of the last 90 days. Kills because the
    /// node or a group of pods ran out of memory say nothing about the limit, unless the container held more at that time than the limit would allow.
    LimitKnownTooSmall {
        id: "limit-known-too-small", group: "memory", certainty: Likely, predicts: [OomContainerLimit, OomPodLimit],
        en: "a memory limit at which the kernel killed the container before", zh: "容器曾在此内存限制下被内核杀死", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let (Some(name), Some(image)) = (container.name, container.image()) else { continue };
        let Some(past) = subject.facts.past_kills(subject.workload, name) else { continue };
        let Some((limit, pointer)) = subject.workload.memory_limit(container) else { continue };
        let pod_limit = pod_limit(subject);
        let Some(judgement) = past.judge(image, bytes(limit), pod_limit.map(bytes)) else { continue };
        findings.push(finding(rule, container, limit, pod_limit, pointer, &judgement));
    }
}

fn finding(
    rule: &dyn Rule,
    container: &Container<'_>,
    limit: Quantity,
    pod_limit: Option<Quantity>,
    pointer: String,
    judgement: &Judgement,
) -> Finding {
    let needed = shown(judgement.needed);
    let day = judgement.last_day();
    let (peak_en, peak_zh) = judgement.peak.map_or_else(Default::default, |peak| {
        let peak = shown(peak);
        (format!(", peak {peak}"), format!("，峰值 {peak}"))
    });
    let (try_en, try_zh) = judgement.suggestion.map_or_else(Default::default, |suggestion| {
        let suggestion = shown(suggestion);
        (format!("; try {suggestion}"), format!("；试试 {suggestion}"))
    });
    let (times_en, times_zh) = (times_en(judgement.times), format!("{} 次", judgement.times));
    let known_en = format!("too small {times_en} (last {day}{peak_en}){try_en}");
    let known_zh = format!("{times_zh}（最近 {day}{peak_zh}）{try_zh}");
    let (en, zh) = match judgement.shortfall {
        Shortfall::ContainerLimit if judgement.needed > bytes(limit) => {
            (format!("limit {limit}: even {needed} was {known_en}"), format!("内存限制 {limit}：连 {needed} 也曾不够 {known_zh}"))
        }
        Shortfall::ContainerLimit => (format!("limit {limit} was {known_en}"), format!("内存限制 {limit} 曾不够 {known_zh}")),
        Shortfall::PodLimit => {
            let limit = pod_limit.unwrap_or(limit);
            (format!("the pod's limit {limit}: {needed} was {known_en}"), format!("Pod 的内存限制 {limit}：{needed} 曾不够 {known_zh}"))
        }
        Shortfall::Peak => (
            format!("limit {limit} is below the {needed} it held when it was killed (last {day}){try_en}"),
            format!("内存限制 {limit} 低于它被杀死时占用的 {needed}（最近 {day}）{try_zh}"),
        ),
    };
    let (help_en, help_zh) = judgement.suggestion.map_or_else(
        || ("find out what it needs the memory for: no node has more".to_owned(), "查明内存用在何处：没有节点有更多内存".to_owned()),
        |suggestion| {
            let suggestion = shown(suggestion);
            (
                format!("raise the limit to {suggestion} and watch it, or find out what it needs the memory for"),
                format!("把限制提高到 {suggestion} 并观察，或查明内存用在何处"),
            )
        },
    );
    let causes: &'static [Cause] = match judgement.shortfall {
        Shortfall::PodLimit => &[Cause::OomPodLimit],
        Shortfall::ContainerLimit | Shortfall::Peak => &[Cause::OomContainerLimit],
    };
    Finding::new(rule, pointer).within(container).predicting(causes).saying(en, zh).helped_by(help_en, help_zh)
}

/// The limit of the pod as a whole: its own, or the sum of its containers' where each has one (`pkg/kubelet/cm/helpers_linux.go`:
/// `ResourceConfigForPod`). Init containers that end count where one is larger than all that run after it.
fn pod_limit(subject: &Subject<'_>) -> Option<Quantity> {
    let workload: &Workload<'_> = subject.workload;
    let own = workload.pod.pointer("/resources/limits/memory").and_then(Quantity::of);
    if own.is_some() {
        return own;
    }
    let mut sum: i64 = 0;
    let mut largest: i64 = 0;
    for container in subject.containers.iter().filter(|container| container.role != Role::Ephemeral) {
        let limit = container.limit("memory")?.value();
        match container.role {
            Role::Init => largest = largest.max(limit),
            _ => sum = sum.saturating_add(limit),
        }
    }
    Some(Quantity::from_units(sum.max(largest)))
}

fn bytes(quantity: Quantity) -> u64 {
    u64::try_from(quantity.value()).unwrap_or(0)
}

fn shown(bytes: u64) -> String {
    Quantity::from_units(i64::try_from(bytes).unwrap_or(i64::MAX)).to_string()
}

fn times_en(times: u64) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{times} times"),
    }
}
