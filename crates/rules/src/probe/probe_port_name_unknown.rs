//! `probe-port-name-unknown`

use crate::admission::name_rejected::is_refused_port;
use crate::rule::{Subject, declare_rule};
use crate::runtime::probes::{self, ProbeKind};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use podsight_cause::Cause;
use podsight_spec::Container;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds probes and hooks that name a port which the container does not declare.
    ///
    /// ## What happens without a change
    ///
    /// The kubelet cannot resolve the name and throws the probe's result away each time. Readiness and startup never succeed: the pod runs and is never `Ready`.
    /// A liveness probe never acts: a hang is never noticed. A hook fails: after postStart the container is killed.
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
    ///     ports: [{name: http, containerPort: 80}]
    ///     readinessProbe: {httpGet: {path: /, port: web}}
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
    ///     ports: [{name: http, containerPort: 80}]
    ///     readinessProbe: {httpGet: {path: /, port: http}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Port numbers need not be declared and are not looked at. Silent in patches, whose ports may stand elsewhere. For a liveness probe it is a hint: nothing
    /// fails by itself.
    ProbePortNameUnknown {
        id: "probe-port-name-unknown", group: "probe", certainty: Certain, predicts: [ReadinessFailing, PostStartHookFailed],
        en: "a probe at a port name that is not declared", zh: "探针使用了未声明的端口名", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.is_partial() {
        return;
    }
    for container in subject.containers {
        for probe in probes::of(container) {
            let Some((name, pointer)) = unknown_port(container, probe.value, &probe.pointer) else { continue };
            let finding = Finding::new(rule, pointer).within(container).predicting(&[Cause::ReadinessFailing]);
            let name = shown(name, 20);
            let field = probe.kind.field();
            findings.push(help(
                if probe.kind == ProbeKind::Liveness {
                    finding.at_most(Certainty::Hint).saying(
                        format!("hangs go unnoticed: {field} at port {name}, which is not declared"),
                        format!("卡死也不会被发现：{field} 的端口 {name} 没有声明"),
                    )
                } else {
                    finding.saying(
                        format!("never Ready: {field} at port {name}, which is not declared"),
                        format!("永远不会 Ready：{field} 的端口 {name} 没有声明"),
                    )
                },
                container,
            ));
        }
        if let Some((hook, pointer)) = probes::hook(container, "postStart")
            && let Some((name, pointer)) = unknown_port(container, hook, &pointer)
        {
            let name = shown(name, 20);
            findings.push(help(
                Finding::new(rule, pointer).within(container).predicting(&[Cause::PostStartHookFailed]).saying(
                    format!("PostStartHookError: postStart at port {name}, which is not declared"),
                    format!("PostStartHookError：postStart 的端口 {name} 没有声明"),
                ),
                container,
            ));
        }
    }
}

/// The name of a port that the action names and the container does not declare.
fn unknown_port<'a>(container: &Container<'_>, action: &'a Value, pointer: &str) -> Option<(&'a str, String)> {
    for kind in ["httpGet", "tcpSocket"] {
        let Some(name) = action.get(kind).and_then(|action| action.get("port")).and_then(Value::as_str) else { continue };
        // What can be no port's name is refused before: probe-rejected says it.
        if is_refused_port(name) || names(container).any(|declared| declared == name) {
            continue;
        }
        return Some((name, format!("{pointer}/{kind}/port")));
    }
    None
}

fn names<'a>(container: &Container<'a>) -> impl Iterator<Item = &'a str> {
    container.value.get("ports").and_then(Value::as_array).into_iter().flatten().filter_map(|port| port.get("name").and_then(Value::as_str))
}

fn help(finding: Finding, container: &Container<'_>) -> Finding {
    let declared: Vec<String> = names(container).take(5).map(|name| shown(name, 20)).collect();
    if declared.is_empty() {
        finding.helped_by("give the port that name in ports, or use its number", "在 ports 里给端口命名，或直接写端口号")
    } else {
        let declared = declared.join(", ");
        finding.helped_by(format!("declared are: {declared}"), format!("已声明的有：{declared}"))
    }
}
