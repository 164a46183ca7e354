//! `missing-service-account`

use crate::admission::absent;
use crate::facts::RefKind;
use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods whose `serviceAccountName` does not exist: in the cluster, where it is asked; among the files of the same run only where a ServiceAccount of nearly the
    /// same name is there that nothing refers to.
    ///
    /// ## What happens without a change
    ///
    /// In a Deployment, CronJob or any other template it is accepted, and each pod is refused afterwards: `FailedCreate` on the ReplicaSet or Job, "error looking up service account". There is
    /// no pod to look at.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: batch-work}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   serviceAccountName: batch-wrok
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: batch-work}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   serviceAccountName: batch-work
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Another file of the same `kubectl apply` may make the object a moment later: the message says "not there now". Without the cluster only slips towards another
    /// file are found.
    MissingServiceAccount {
        id: "missing-service-account", group: "admission", certainty: Likely, predicts: [],
        en: "a ServiceAccount that does not exist", zh: "不存在的 ServiceAccount", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    findings.extend(absent(rule, subject, RefKind::ServiceAccount));
}
