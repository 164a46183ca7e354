//! `request-exceeds-nodes`

use super::{Short, Unfit, verdict};
use crate::resources::shown_amount;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_cause::Cause;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods that ask for more of a resource than any node has for all its pods together, and for resources (GPUs) that no node has. It looks at the cluster's nodes, so it needs
    /// `--cluster` or the webhook with the right to list nodes.
    ///
    /// ## What happens without a change
    ///
    /// The pod waits: `Pending`, "Insufficient memory", "Insufficient nvidia.com/gpu".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Node
    /// metadata: {name: worker-1}
    /// status: {allocatable: {cpu: "4", memory: 16Gi, pods: 110}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", resources: {requests: {memory: 20Gi}}}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Node
    /// metadata: {name: worker-1}
    /// status: {allocatable: {cpu: "4", memory: 16Gi, pods: 110}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", resources: {requests: {memory: 2Gi}}}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// What other pods have taken is not counted. Where nodes bear the marks of an autoscaler or a node pool nothing is said: a larger node may come.
    RequestExceedsNodes {
        id: "request-exceeds-nodes", group: "scheduling", certainty: Likely, predicts: [UnschedulableResources, UnschedulableDevice],
        en: "a request that is larger than any node", zh: "超过任何节点容量的请求", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(Unfit::Size(shorts)) = verdict(subject).map(|verdict| verdict.unfit) else { return };
    findings.extend(shorts.into_iter().map(|short| finding(rule, subject, short)));
}

fn finding(rule: &dyn Rule, subject: &Subject<'_>, short: Short) -> Finding {
    let Short { resource, asked, most } = short;
    let causes: &'static [Cause] = if resource.contains('/') { &[Cause::UnschedulableDevice] } else { &[Cause::UnschedulableResources] };
    let (name, amount) = (shown(&resource, 40), shown_amount(&resource, asked));
    let (has_en, has_zh) = match most {
        Some(most) => (
            format!("no node for it has more than {}", shown_amount(&resource, most)),
            format!("可用节点最多只有 {}", shown_amount(&resource, most)),
        ),
        None => ("no node has any".to_owned(), "没有节点提供".to_owned()),
    };
    let finding = Finding::new(rule, String::new()).predicting(causes);
    let container =
        subject.containers.iter().find(|container| container.request(&resource).is_some() || container.limit(&resource).is_some());
    let finding = match container {
        Some(container) => {
            let key = resource.replace('~', "~0").replace('/', "~1");
            let lists = ["requests", "limits"].map(|list| format!("/resources/{list}/{key}"));
            let below = lists.into_iter().find(|below| container.value.pointer(below).is_some_and(|value: &Value| !value.is_null()));
            Finding { pointer: container.at(&below.unwrap_or_default()), ..finding.within(container) }
        }
        None => Finding { pointer: format!("{}/resources", subject.workload.pod_pointer), ..finding },
    };
    finding
        .saying(
            format!("Pending (Unschedulable): {name} {amount} requested, {has_en}"),
            format!("Pending（Unschedulable）：请求 {name} {amount}，{has_zh}"),
        )
        .helped_by("ask for less, or add a larger node", "降低请求，或添加更大的节点")
}
