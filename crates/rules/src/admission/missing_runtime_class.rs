//! `missing-runtime-class`

use crate::admission::absent;
use crate::facts::RefKind;
use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods whose `runtimeClassName` does not exist: in the cluster, where it is asked; among the files of the same run only where a RuntimeClass of nearly the
    /// same name is there that nothing refers to.
    ///
    /// ## What happens without a change
    ///
    /// In a Deployment, CronJob or any other template it is accepted, and each pod is refused afterwards: `FailedCreate` on the ReplicaSet or Job, "RuntimeClass … not found". There is
    /// no pod to look at.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: node.k8s.io/v1
    /// kind: RuntimeClass
    /// metadata: {name: batch-work}
    /// handler: kata
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   runtimeClassName: batch-wrok
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: node.k8s.io/v1
    /// kind: RuntimeClass
    /// metadata: {name: batch-work}
    /// handler: kata
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   runtimeClassName: batch-work
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Another file of the same `kubectl apply` may make the object a moment later: the message says "not there now". Without the cluster only slips towards another
    /// file are found.
    MissingRuntimeClass {
        id: "missing-runtime-class", group: "admission", certainty: Likely, predicts: [],
        en: "a RuntimeClass that does not exist", zh: "不存在的 RuntimeClass", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    findings.extend(absent(rule, subject, RefKind::RuntimeClass));
}
