//! `restart-policy-rejected`

use crate::admission::{refused, text};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `restartPolicy` that the kind does not allow: Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers take `Always` alone, Jobs and
    /// CronJobs `OnFailure` or `Never`.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`. For a kind that it does not know (Rollout, DeploymentConfig, Knative) it accepts the object and refuses
    /// its pods: `FailedCreate`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: once}
    /// spec:
    ///   template:
    ///     spec:
    ///       containers: [{name: once, image: "example.com/once:1.0"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: once}
    /// spec:
    ///   template:
    ///     spec:
    ///       restartPolicy: Never
    ///       containers: [{name: once, image: "example.com/once:1.0"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent in patches.
    RestartPolicyRejected {
        id: "restart-policy-rejected", group: "admission", certainty: Certain, predicts: [],
        en: "a restartPolicy that the kind does not allow", zh: "该类型不允许的 restartPolicy", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.is_partial() {
        return;
    }
    let given = text(subject.workload.pod, "restartPolicy");
    let (wrong, allowed) = match (subject.workload.kind, subject.workload.api_version) {
        ("Job" | "CronJob", version) if version.starts_with("batch/") => {
            (!matches!(given, Some("OnFailure" | "Never")), "OnFailure, Never")
        }
        ("Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet", version) if version.starts_with("apps/") => {
            (!matches!(given, None | Some("Always")), "Always")
        }
        ("ReplicationController", "v1") => (!matches!(given, None | Some("Always")), "Always"),
        _ => return,
    };
    if !wrong {
        return;
    }
    let (en, zh) = refused(subject);
    let kind = subject.workload.kind;
    let given = shown(given.unwrap_or("Always"), 20);
    findings.push(
        Finding::new(rule, format!("{}/restartPolicy", subject.workload.pod_pointer))
            .saying(format!("{en}: a {kind} cannot have restartPolicy {given}"), format!("{zh}：{kind} 不能使用 restartPolicy {given}"))
            .helped_by(format!("allowed: {allowed}"), format!("允许的值：{allowed}")),
    );
}
