//! `root-contradiction`

use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use podsight_spec::Container;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds containers that must not run as root (`runAsNonRoot: true`) and are told to run as root (`runAsUser: 0`). A container's own setting goes before
    /// the pod's, as in the kubelet (`DetermineEffectiveSecurityContext`).
    ///
    /// ## What happens without a change
    ///
    /// The API server accepts it. The kubelet refuses to make the container: `CreateContainerConfigError`, "container's runAsUser breaks non-root policy". It
    /// never recovers by itself.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   securityContext: {runAsNonRoot: true}
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     securityContext: {runAsUser: 0}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   securityContext: {runAsNonRoot: true}
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     securityContext: {runAsUser: 101}
    /// ```
    ///
    /// ## Known limits
    ///
    /// `runAsNonRoot` without `runAsUser` is fine where the image names a numeric user; the image is not looked at.
    RootContradiction {
        id: "root-contradiction", group: "security", certainty: Certain, predicts: [RunAsNonrootViolation],
        en: "runAsNonRoot together with runAsUser 0", zh: "runAsNonRoot 与 runAsUser 0 互相矛盾", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let pod = subject.workload.pod;
    if pod.pointer("/os/name").and_then(Value::as_str) == Some("windows") {
        return;
    }
    for container in subject.containers {
        let (Some((non_root, _)), Some((user, pointer))) =
            (effective(subject, container, "runAsNonRoot"), effective(subject, container, "runAsUser"))
        else {
            continue;
        };
        if non_root.as_bool() == Some(true) && user.as_i64() == Some(0) {
            findings.push(
                Finding::new(rule, pointer)
                    .within(container)
                    .saying(
                        "runAsNonRoot forbids runAsUser 0: CreateContainerConfigError",
                        "runAsNonRoot 不允许 runAsUser 0：CreateContainerConfigError",
                    )
                    .helped_by("give a runAsUser above 0, or take runAsNonRoot away", "把 runAsUser 改成大于 0，或去掉 runAsNonRoot"),
            );
        }
    }
}

/// A setting of the container's security context, else of the pod's, with its JSON pointer.
fn effective<'a>(subject: &Subject<'a>, container: &Container<'a>, field: &str) -> Option<(&'a Value, String)> {
    let of = |value: &'a Value| value.get("securityContext").and_then(|context| context.get(field)).filter(|value| !value.is_null());
    of(container.value)
        .map(|value| (value, container.at(&format!("/securityContext/{field}"))))
        .or_else(|| of(subject.workload.pod).map(|value| (value, format!("{}/securityContext/{field}", subject.workload.pod_pointer))))
}
