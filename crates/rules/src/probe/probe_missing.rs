//! `probe-missing`

use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};
use podsight_spec::{RestartPolicy, Role};

declare_rule! {
    /// ## What it does
    ///
    /// Finds long-running containers that declare ports and have no readiness probe.
    ///
    /// ## What happens without a change
    ///
    /// Nothing fails by itself. During a rollout requests reach a program that has not finished its start.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]
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
    ///     ports: [{containerPort: 80}]
    ///     readinessProbe: {httpGet: {path: /, port: 80}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// A hint: shown with `--profile hygiene` alone.
    ProbeMissing {
        id: "probe-missing", group: "probe", certainty: Hint, predicts: [AppError],
        en: "a server without a readiness probe", zh: "没有就绪探针的服务", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.restart_policy() != Some(RestartPolicy::Always) || subject.workload.is_partial() {
        return;
    }
    for container in subject.containers.iter().filter(|container| container.role == Role::Main) {
        let serves = container.value.get("ports").and_then(serde_json::Value::as_array).is_some_and(|ports| !ports.is_empty());
        if serves && container.value.get("readinessProbe").is_none() {
            findings.push(
                Finding::new(rule, container.at("/ports"))
                    .within(container)
                    .saying("requests arrive before it is ready: no readinessProbe", "尚未就绪就会收到请求：没有 readinessProbe")
                    .helped_by("add a readinessProbe", "加一个 readinessProbe"),
            );
        }
    }
}
