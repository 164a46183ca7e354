//! `memory-unlimited`

use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use podsight_spec::Role;

declare_rule! {
    /// ## What it does
    ///
    /// Finds containers without a memory limit, their own or the pod's.
    ///
    /// ## What happens without a change
    ///
    /// Nothing fails by itself. A leak takes the whole node into an out-of-memory kill or an eviction, and other pods with it.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
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
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", resources: {limits: {memory: 128Mi}}}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// A hint: shown with `--profile hygiene` alone. A LimitRange of the namespace may set a default.
    MemoryUnlimited {
        id: "memory-unlimited", group: "memory", certainty: Hint, predicts: [OomNode, NodePressure],
        en: "a container without a memory limit", zh: "没有内存限制的容器", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.is_partial() {
        return;
    }
    for container in subject.containers.iter().filter(|container| matches!(container.role, Role::Main | Role::Sidecar)) {
        let written = container.value.pointer("/resources/limits/memory").is_some();
        if !written && subject.workload.memory_limit(container).is_none() {
            findings.push(
                Finding::new(rule, container.at("/resources"))
                    .within(container)
                    .saying("a leak takes the node down: no memory limit", "内存泄漏会拖垮节点：没有内存限制")
                    .helped_by("set resources.limits.memory", "设置 resources.limits.memory"),
            );
        }
    }
}
