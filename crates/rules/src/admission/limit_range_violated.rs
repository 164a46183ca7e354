//! `limit-range-violated`

use crate::admission::pod_refused;
use crate::facts::{LimitRangeItem, LimitType};
use crate::resources::{self, Amounts, shown_amount};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use podsight_spec::Quantity;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods that a LimitRange of their namespace refuses: a request or limit below its `min` or above its `max`, a limit that is more times the request than
    /// `maxLimitRequestRatio`, and a request above the default limit that the LimitRange gives the container. LimitRanges are read from the cluster, where it is asked, and
    /// from the files of the same run.
    ///
    /// ## What happens without a change
    ///
    /// In a Deployment, CronJob or any other template it is accepted, and each pod is refused afterwards: `FailedCreate` on the ReplicaSet or Job, "maximum memory usage per
    /// Container is …" or "must be less than or equal to memory limit". There is no pod to look at. A Pod itself is refused at `kubectl apply`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: LimitRange
    /// metadata: {name: small}
    /// spec: {limits: [{type: Container, default: {memory: 512Mi}}]}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", resources: {requests: {memory: 1Gi}}}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: LimitRange
    /// metadata: {name: small}
    /// spec: {limits: [{type: Container, default: {memory: 512Mi}}]}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// What another webhook changes in the pod (a vertical autoscaler, a sidecar) is not known.
    LimitRangeViolated {
        id: "limit-range-violated", group: "admission", certainty: Certain, predicts: [],
        en: "a request or limit that a LimitRange of the namespace refuses", zh: "被命名空间的 LimitRange 拒绝的请求或限制", check: check,
    }
}

/// A sentence in both languages.
type Said = (String, String);

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() || subject.workload.is_partial() {
        return;
    }
    let ranges = subject.facts.limit_ranges(subject.workload.namespace);
    if ranges.items.is_empty() {
        return;
    }
    let certainty = if ranges.is_complete { Certainty::Certain } else { Certainty::Likely };
    let (refused_en, refused_zh) = pod_refused(subject);
    let say = |pointer: String, (en, zh): Said| {
        Finding::new(rule, pointer)
            .at_most(certainty)
            .saying(format!("{refused_en}: {en}"), format!("{refused_zh}：{zh}"))
            .helped_by("keep within the LimitRange, or set both request and limit", "遵守 LimitRange，或同时设置请求和限制")
    };
    let asked = resources::asked(subject, &ranges.items);
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for one in &asked {
        let Some(container) = subject.containers.get(one.container) else { continue };
        // Of several reasons for one resource the first is enough.
        let mut reasons: BTreeMap<&str, Said> = BTreeMap::new();
        for (resource, range) in &one.default_limits {
            if let (Some(request), Some(limit)) = (one.requests.get(resource), one.limits.get(resource))
                && request > limit
            {
                let (name, request, limit) = (shown(range, 20), shown_amount(resource, *request), shown_amount(resource, *limit));
                let what = shown(resource, 20);
                reasons.insert(
                    resource,
                    (
                        format!("{what} request {request} exceeds default limit {limit} of LimitRange {name}"),
                        format!("{what} 请求 {request} 超过 LimitRange {name} 的默认限制 {limit}"),
                    ),
                );
            }
        }
        for range in &ranges.items {
            for item in range.items.iter().filter(|item| item.applies_to == LimitType::Container) {
                for (resource, said) in violations(item, &range.name, &one.requests, &one.limits) {
                    reasons.entry(resource).or_insert(said);
                }
            }
        }
        named.extend(reasons.keys().copied());
        findings.extend(
            reasons.into_iter().map(|(resource, said)| say(place(container.value, &container.pointer, resource), said).within(container)),
        );
    }
    let (requests, limits) = resources::of_pod(subject.workload.pod, &asked);
    for range in &ranges.items {
        for item in range.items.iter().filter(|item| item.applies_to == LimitType::Pod) {
            // Where one container alone is too large, the pod is as well.
            for (_, (en, zh)) in
                violations(item, &range.name, &requests, &limits).into_iter().filter(|(resource, _)| !named.contains(resource))
            {
                let said = (format!("the pod's {en}"), format!("整个 Pod 的 {zh}"));
                findings.push(say(format!("{}/containers", subject.workload.pod_pointer), said));
            }
        }
    }
}

/// What one item refuses, by resource (`limitranger/admission.go: minConstraint, maxConstraint, limitRequestRatioConstraint`).
fn violations<'i>(item: &'i LimitRangeItem, range: &str, requests: &Amounts<'_>, limits: &Amounts<'_>) -> BTreeMap<&'i str, Said> {
    let range = shown(range, 20);
    let mut found = BTreeMap::new();
    let compared = |resource: &str, what: (&str, &str), value: Quantity, bound: Quantity, relation: (&str, &str)| {
        let (resource_shown, value, bound) = (shown(resource, 20), shown_amount(resource, value), shown_amount(resource, bound));
        (
            format!("{resource_shown} {} {value} is {} {bound} of LimitRange {range}", what.0, relation.0),
            format!("{resource_shown} {} {value} {} LimitRange {range} 的 {bound}", what.1, relation.1),
        )
    };
    let unset = |resource: &str, what: (&str, &str)| {
        let resource = shown(resource, 20);
        (
            format!("{resource} {} that LimitRange {range} demands is not set", what.0),
            format!("LimitRange {range} 要求设置 {resource} {}", what.1),
        )
    };
    let (request_name, limit_name) = (("request", "请求"), ("limit", "限制"));
    let (below, above) = (("below min", "低于最小值"), ("above max", "超过最大值"));
    for (resource, least) in &item.min {
        let said = match (requests.get(resource.as_str()), limits.get(resource.as_str())) {
            (None, _) => unset(resource, request_name),
            (Some(request), _) if request < least => compared(resource, request_name, *request, *least, below),
            (_, Some(limit)) if limit < least => compared(resource, limit_name, *limit, *least, below),
            _ => continue,
        };
        found.insert(resource.as_str(), said);
    }
    for (resource, most) in &item.max {
        let said = match (requests.get(resource.as_str()), limits.get(resource.as_str())) {
            (_, None) => unset(resource, limit_name),
            (_, Some(limit)) if limit > most => compared(resource, limit_name, *limit, *most, above),
            (Some(request), _) if request > most => compared(resource, request_name, *request, *most, above),
            _ => continue,
        };
        found.entry(resource.as_str()).or_insert(said);
    }
    for (resource, most) in &item.max_ratio {
        let said = match (requests.get(resource.as_str()), limits.get(resource.as_str())) {
            (None, _) => unset(resource, request_name),
            (Some(request), _) if request.is_zero() => unset(resource, request_name),
            (_, None) => unset(resource, limit_name),
            (Some(request), Some(limit)) if limit.to_f64() / request.to_f64() > most.to_f64() => {
                let ratio = format!("{:.1}", limit.to_f64() / request.to_f64());
                let (resource, most) = (shown(resource, 20), most.to_f64());
                (
                    format!("{resource} limit is {ratio} times the request, LimitRange {range} allows {most}"),
                    format!("{resource} 限制是请求的 {ratio} 倍，LimitRange {range} 只允许 {most} 倍"),
                )
            }
            _ => continue,
        };
        found.entry(resource.as_str()).or_insert(said);
    }
    found
}

/// The value that is to be changed: the resource's limit or request, else the container.
fn place(container: &Value, pointer: &str, resource: &str) -> String {
    let key = resource.replace('~', "~0").replace('/', "~1");
    for list in ["limits", "requests"] {
        let below = format!("/resources/{list}/{key}");
        if container.pointer(&below).is_some() {
            return format!("{pointer}{below}");
        }
    }
    pointer.to_owned()
}
