//! `privilege-contradiction`

use crate::admission::refused;
use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds containers with `allowPrivilegeEscalation: false` that are privileged or add `CAP_SYS_ADMIN`.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`. For a kind that it does not know (Rollout, DeploymentConfig, Knative) it accepts the object and refuses
    /// its pods: `FailedCreate`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     securityContext: {privileged: true, allowPrivilegeEscalation: false}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     securityContext: {privileged: false, allowPrivilegeEscalation: false}
    /// ```
    ///
    /// ## Known limits
    ///
    /// The pod-level settings of a cluster (Pod Security) are not looked at.
    PrivilegeContradiction {
        id: "privilege-contradiction", group: "admission", certainty: Certain, predicts: [],
        en: "privileges asked for and forbidden at once", zh: "同时要求又禁止特权", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some(context) = container.value.get("securityContext") else { continue };
        if context.get("allowPrivilegeEscalation").and_then(Value::as_bool) != Some(false) {
            continue;
        }
        let privileged = context.get("privileged").and_then(Value::as_bool) == Some(true);
        let admin = context
            .pointer("/capabilities/add")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|capability| capability == "CAP_SYS_ADMIN");
        if !privileged && !admin {
            continue;
        }
        let (en, zh) = refused(subject);
        let with = if privileged { "privileged: true" } else { "CAP_SYS_ADMIN" };
        findings.push(
            Finding::new(rule, container.at("/securityContext/allowPrivilegeEscalation"))
                .within(container)
                .saying(
                    format!("{en}: allowPrivilegeEscalation false with {with}"),
                    format!("{zh}：allowPrivilegeEscalation 为 false 却有 {with}"),
                )
                .helped_by("take one of the two away", "去掉其中之一"),
        );
    }
}
