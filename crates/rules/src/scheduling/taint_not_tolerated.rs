//! `taint-not-tolerated`

use super::{Unfit, verdict};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods that tolerate none of the nodes that they could run on: each has a taint of effect `NoSchedule` or `NoExecute`. It looks at the cluster's nodes, so it needs `--cluster`
    /// or the webhook with the right to list nodes.
    ///
    /// ## What happens without a change
    ///
    /// The pod waits: `Pending`, "node(s) had untolerated taint(s)".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Node
    /// metadata: {name: gpu-1, labels: {gpu: "yes"}}
    /// spec: {taints: [{key: example.com/gpu, effect: NoSchedule}]}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   nodeSelector: {gpu: "yes"}
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Node
    /// metadata: {name: gpu-1, labels: {gpu: "yes"}}
    /// spec: {taints: [{key: example.com/gpu, effect: NoSchedule}]}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   nodeSelector: {gpu: "yes"}
    ///   tolerations: [{key: example.com/gpu, operator: Exists}]
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Taints that come and go with a node's state (not ready, under pressure, cordoned) are not counted. Where nodes bear the marks of an autoscaler or a node pool nothing is
    /// said.
    TaintNotTolerated {
        id: "taint-not-tolerated", group: "scheduling", certainty: Likely, predicts: [UnschedulableTaint],
        en: "taints on every node that the pod could run on", zh: "所有可用节点都有 Pod 不能容忍的污点", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(Unfit::Taint(taint)) = verdict(subject).map(|verdict| verdict.unfit) else { return };
    let value = if taint.value.is_empty() { String::new() } else { format!("={}", shown(&taint.value, 20)) };
    let shown_taint = format!("{}{value}:{}", shown(&taint.key, 40), shown(&taint.effect, 12));
    let pointer = subject.workload.pod_pointer.to_string();
    let below = if subject.workload.pod.get("tolerations").is_some() { "/tolerations" } else { "" };
    findings.push(
        Finding::new(rule, format!("{pointer}{below}"))
            .saying(
                format!("Pending (Unschedulable): no toleration for the nodes' taint {shown_taint}"),
                format!("Pending（Unschedulable）：没有容忍节点的污点 {shown_taint}"),
            )
            .helped_by("add a toleration, or choose other nodes", "添加容忍，或选择其他节点"),
    );
}
