//! `probe-rejected`

use crate::admission::refused;
use crate::rule::{Subject, declare_rule};
use crate::runtime::probes::{self, ProbeKind};
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds probes and hooks that the API server refuses: without a handler or with two, with numbers below zero, a liveness or startup probe with a
    /// `successThreshold` above 1, a port that is no port.
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
    ///     livenessProbe: {initialDelaySeconds: 20}
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
    ///     livenessProbe: {initialDelaySeconds: 20, httpGet: {path: /, port: 80}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// A handler may be missing in a patch.
    ProbeRejected {
        id: "probe-rejected", group: "admission", certainty: Certain, predicts: [],
        en: "a probe or hook that the API server refuses", zh: "API 服务器拒绝的探针或钩子", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // Knative fills in the handler and the port.
    if subject.workload.api_version.starts_with("serving.knative.dev/") {
        return;
    }
    let partial = subject.workload.is_partial();
    let (en, zh) = refused(subject);
    for container in subject.containers {
        let mut push = |pointer: String, what: String, what_zh: String| {
            findings.push(
                Finding::new(rule, pointer)
                    .within(container)
                    .saying(format!("{en}: {what}"), format!("{zh}：{what_zh}"))
                    .helped_by("a probe has one of exec, httpGet, tcpSocket and grpc", "探针只能有 exec、httpGet、tcpSocket、grpc 之一"),
            );
        };
        for probe in probes::of(container) {
            let field = probe.kind.field();
            let handlers = ["exec", "httpGet", "tcpSocket", "grpc"]
                .iter()
                .filter(|handler| probe.value.get(**handler).is_some_and(|value| !value.is_null()))
                .count();
            if handlers != 1 && !partial {
                push(probe.pointer.clone(), format!("{field} has {handlers} handlers"), format!("{field} 有 {handlers} 个处理方式"));
            }
            for number in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
                let value = probe.value.get(number).and_then(Value::as_i64).unwrap_or(0);
                if value < 0 {
                    push(
                        format!("{}/{number}", probe.pointer),
                        format!("{field} has {number} {value}"),
                        format!("{field} 的 {number} 为 {value}"),
                    );
                }
            }
            let threshold = probe.value.get("successThreshold").and_then(Value::as_i64).unwrap_or(1);
            if probe.kind != ProbeKind::Readiness && threshold > 1 {
                push(
                    format!("{}/successThreshold", probe.pointer),
                    format!("{field} has successThreshold {threshold}, not 1"),
                    format!("{field} 的 successThreshold 为 {threshold}，必须是 1"),
                );
            }
            for handler in ["httpGet", "tcpSocket", "grpc"] {
                let Some(port) = probe.value.get(handler).and_then(|handler| handler.get("port")).and_then(Value::as_i64) else { continue };
                if !(1..=65_535).contains(&port) {
                    push(
                        format!("{}/{handler}/port", probe.pointer),
                        format!("{field} has the port {port}"),
                        format!("{field} 的端口为 {port}"),
                    );
                }
            }
        }
    }
}
