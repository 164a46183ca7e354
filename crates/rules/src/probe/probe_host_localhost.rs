//! `probe-host-localhost`

use crate::rule::{Subject, declare_rule};
use crate::runtime::probes::{self, ProbeKind};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_cause::Cause;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds HTTP and TCP probes with `host: localhost` or `127.0.0.1` in pods that do not share the node's network. The kubelet makes the connection: its
    /// localhost is the node's, not the pod's.
    ///
    /// ## What happens without a change
    ///
    /// "connection refused" from the node. Liveness and startup: the container is killed again and again; readiness: the pod is never `Ready`.
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
    ///     readinessProbe: {httpGet: {host: localhost, path: /, port: 80}}
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
    ///     readinessProbe: {httpGet: {path: /, port: 80}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent with `hostNetwork: true`. If something on the node happens to listen on the port, the probe answers for that: just as wrong.
    ProbeHostLocalhost {
        id: "probe-host-localhost", group: "probe", certainty: Likely, predicts: [ProbeKill, ReadinessFailing],
        en: "a probe that asks the node instead of the pod", zh: "探针访问的是节点而不是 Pod", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.pod.get("hostNetwork").and_then(Value::as_bool) == Some(true) || subject.workload.is_partial() {
        return;
    }
    for container in subject.containers {
        for probe in probes::of(container) {
            for action in ["httpGet", "tcpSocket"] {
                let Some(host) = probe.value.get(action).and_then(|action| action.get("host")).and_then(Value::as_str) else { continue };
                if !(host == "localhost" || host == "::1" || host.starts_with("127.")) {
                    continue;
                }
                let (fate, fate_zh, cause): (_, _, &'static [Cause]) = match probe.kind {
                    ProbeKind::Readiness => ("never Ready", "永远不会 Ready", &[Cause::ReadinessFailing]),
                    ProbeKind::Liveness | ProbeKind::Startup => ("killed again and again", "会被反复杀死", &[Cause::ProbeKill]),
                };
                let host = shown(host, 20);
                findings.push(
                    Finding::new(rule, format!("{}/{action}/host", probe.pointer))
                        .within(container)
                        .predicting(cause)
                        .saying(
                            format!("{fate}: {} asks {host}, which is the node's", probe.kind.field()),
                            format!("{fate_zh}：{} 访问 {host}，那是节点自己", probe.kind.field()),
                        )
                        .helped_by("leave host out: the pod's own address is the default", "去掉 host：默认就是 Pod 的地址"),
                );
            }
        }
    }
}
