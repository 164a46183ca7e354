//! `quota-violated`

use crate::admission::pod_refused;
use crate::facts::{ResourceQuota, Scope};
use crate::resources::{self, Amounts, Asked, shown_amount};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use podsight_spec::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods that a ResourceQuota of their namespace refuses: the quota counts a CPU or memory amount that a container does not set, one pod alone asks for more than the
    /// quota has in all, or the replicas together do. Defaults of LimitRanges are taken into account. Both are read from the cluster, where it is asked, and from the files of
    /// the same run.
    ///
    /// ## What happens without a change
    ///
    /// In a Deployment, CronJob or any other template it is accepted, and each pod is refused afterwards: `FailedCreate` on the ReplicaSet or Job, "failed quota: … must specify
    /// limits.memory" or "exceeded quota". There is no pod to look at. A Pod itself is refused at `kubectl apply`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: ResourceQuota
    /// metadata: {name: team}
    /// spec: {hard: {limits.memory: 4Gi}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: ResourceQuota
    /// metadata: {name: team}
    /// spec: {hard: {limits.memory: 4Gi}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", resources: {limits: {memory: 512Mi}}}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// What other pods have already taken is not counted: it changes, and an update gives back what it takes.
    QuotaViolated {
        id: "quota-violated", group: "admission", certainty: Certain, predicts: [],
        en: "a pod that a ResourceQuota of the namespace refuses", zh: "被命名空间的 ResourceQuota 拒绝的 Pod", check: check,
    }
}

/// Amounts that each container must set where a quota counts them (`quota/v1/evaluator/core/pods.go: validationSet`).
const MUST_BE_SET: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() || subject.workload.is_partial() {
        return;
    }
    let namespace = subject.workload.namespace;
    let quotas = subject.facts.resource_quotas(namespace);
    if quotas.items.is_empty() {
        return;
    }
    let ranges = subject.facts.limit_ranges(namespace);
    let asked = resources::asked(subject, &ranges.items);
    let (requests, limits) = resources::of_pod(subject.workload.pod, &asked);
    let usage = usage(&requests, &limits);
    let (refused_en, refused_zh) = pod_refused(subject);
    let certainty = if quotas.is_complete && ranges.is_complete { Certainty::Certain } else { Certainty::Likely };
    for quota in quotas.items.iter().filter(|quota| counts(quota, subject, &requests, &limits)) {
        let name = shown(&quota.name, 24);
        // A LimitRange that may not be read could give what the container does not set.
        let filled = quotas.is_complete && !ranges.is_complete;
        let missing = if filled || resources::has_own(subject.workload.pod) { None } else { unset(quota, &asked) };
        if let Some((amounts, container)) = missing.and_then(|(amounts, number)| Some((amounts, subject.containers.get(number)?))) {
            findings.push(
                Finding::new(rule, container.pointer.clone())
                    .at_most(certainty)
                    .within(container)
                    .saying(
                        format!("{refused_en}: quota {name} demands {amounts}, which is not set"),
                        format!("{refused_zh}：配额 {name} 要求设置 {amounts}"),
                    )
                    .helped_by("set it for each container", "为每个容器设置"),
            );
            continue;
        }
        let replicas = replicas(subject);
        for (resource, hard) in &quota.hard {
            let Some(used) = usage.get(resource) else { continue };
            let all = used.times(replicas);
            let (asks, has, what) = (shown_amount(resource, *used), shown_amount(resource, *hard), shown(resource, 28));
            let finding = Finding::new(rule, format!("{}/containers", subject.workload.pod_pointer))
                .helped_by("ask for less, or have the quota raised", "减少用量，或请求提高配额");
            if used > hard && !used.is_zero() {
                findings.push(finding.at_most(certainty).saying(
                    format!("{refused_en}: a pod asks for {what} {asks}, quota {name} has {has} in all"),
                    format!("{refused_zh}：一个 Pod 需要 {what} {asks}，配额 {name} 总共只有 {has}"),
                ));
                break;
            }
            if all > *hard && !used.is_zero() {
                findings.push(finding.at_most(Certainty::Likely).saying(
                    format!("too few pods (FailedCreate): {replicas} × {what} {asks}, quota {name} has {has}"),
                    format!("无法创建全部 Pod（FailedCreate）：{replicas} × {what} {asks}，配额 {name} 只有 {has}"),
                ));
                break;
            }
        }
    }
}

/// What a quota counts of one pod (`PodUsageFunc`).
fn usage(requests: &Amounts<'_>, limits: &Amounts<'_>) -> BTreeMap<String, Quantity> {
    let one = Quantity::from_units(1);
    let mut usage = BTreeMap::from([("pods".to_owned(), one), ("count/pods".to_owned(), one)]);
    for (name, amount) in requests {
        let plain = matches!(*name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
        if plain {
            usage.insert((*name).to_owned(), *amount);
        }
        if plain || name.contains('/') {
            usage.insert(format!("requests.{name}"), *amount);
        }
    }
    for (name, amount) in limits.iter().filter(|(name, _)| matches!(**name, "cpu" | "memory" | "ephemeral-storage")) {
        usage.insert(format!("limits.{name}"), *amount);
    }
    usage
}

/// What the quota demands and a container does not set, and the first such container.
fn unset(quota: &ResourceQuota, asked: &[Asked<'_>]) -> Option<(String, usize)> {
    let mut missing: Vec<&str> = Vec::new();
    let mut first = None;
    for one in asked {
        for name in quota.hard.keys().map(String::as_str).filter(|name| MUST_BE_SET.contains(name)) {
            let is_set = match name.split_once('.') {
                Some(("limits", resource)) => one.limits.contains_key(resource),
                Some((_, resource)) => one.requests.contains_key(resource),
                None => one.requests.contains_key(name),
            };
            if !is_set {
                first = first.or(Some(one.container));
                if !missing.contains(&name) {
                    missing.push(name);
                }
            }
        }
    }
    Some((missing.join(", "), first?))
}

/// Whether the quota counts such pods. A scope that is not known counts none.
fn counts(quota: &ResourceQuota, subject: &Subject<'_>, requests: &Amounts<'_>, limits: &Amounts<'_>) -> bool {
    quota.scopes.iter().all(|scope| matches_scope(scope, subject, requests, limits))
}

fn matches_scope(scope: &Scope, subject: &Subject<'_>, requests: &Amounts<'_>, limits: &Amounts<'_>) -> bool {
    let pod = subject.workload.pod;
    let terminating = pod.get("activeDeadlineSeconds").and_then(Value::as_i64).is_some_and(|seconds| seconds >= 0);
    let sets = |amounts: &Amounts<'_>| ["cpu", "memory"].iter().any(|name| amounts.get(name).is_some_and(|amount| !amount.is_zero()));
    let best_effort = !sets(requests) && !sets(limits);
    match scope.name.as_str() {
        "Terminating" => terminating,
        "NotTerminating" => !terminating,
        "BestEffort" => best_effort,
        "NotBestEffort" => !best_effort,
        "PriorityClass" => {
            let class = pod.get("priorityClassName").and_then(Value::as_str).filter(|class| !class.is_empty());
            let is_in = class.is_some_and(|class| scope.values.iter().any(|value| value == class));
            match (scope.operator.as_str(), class) {
                ("Exists", class) => class.is_some(),
                // The cluster's default class may still be given to the pod.
                ("In", Some(_)) => is_in,
                ("NotIn", Some(_)) => !is_in,
                _ => false,
            }
        }
        _ => false,
    }
}

/// How many pods the object keeps at a time, where it says so.
fn replicas(subject: &Subject<'_>) -> u32 {
    let field = match subject.workload.kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController" | "DeploymentConfig" | "Rollout" => "/spec/replicas",
        "Job" => "/spec/parallelism",
        _ => return 1,
    };
    let count = subject.workload.object.pointer(field).and_then(Value::as_u64);
    // A scale of nothing makes no pods now, and some later.
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1)
}
