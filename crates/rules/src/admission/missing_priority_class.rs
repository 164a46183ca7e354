//! `missing-priority-class`

use crate::admission::absent;
use crate::facts::RefKind;
use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods whose `priorityClassName` does not exist: in the cluster, where it is asked; among the files of the same run only where a PriorityClass of nearly the
    /// same name is there that nothing refers to.
    ///
    /// ## What happens without a change
    ///
    /// In a Deployment, CronJob or any other template it is accepted, and each pod is refused afterwards: `FailedCreate` on the ReplicaSet or Job, "no PriorityClass with name … was found". There is
    /// no pod to look at.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: scheduling.k8s.io/v1
    /// kind: PriorityClass
    /// metadata: {name: batch-work}
    /// value: 1000
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   priorityClassName: batch-wrok
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: scheduling.k8s.io/v1
    /// kind: PriorityClass
    /// metadata: {name: batch-work}
    /// value: 1000
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   priorityClassName: batch-work
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// The two classes that every cluster has (`system-node-critical`, `system-cluster-critical`) are let through.
    MissingPriorityClass {
        id: "missing-priority-class", group: "admission", certainty: Likely, predicts: [],
        en: "a PriorityClass that does not exist", zh: "不存在的 PriorityClass", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    findings.extend(absent(rule, subject, RefKind::PriorityClass));
}
