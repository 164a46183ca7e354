//! `probe-rejected`

use crate::admission::name_rejected::is_refused_port;
use crate::admission::{list, refused, text};
use crate::rule::{Subject, declare_rule};
use crate::runtime::probes::{self, Probe, ProbeKind};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::{Container, Role};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds probes and hooks that the API server refuses: without a handler or with two, with numbers below zero, a liveness or startup probe with a
    /// `successThreshold` above 1, a readiness probe with a grace period, an action without its port or command, a port that is no port (`"8080"` in quotes is a name, and no
    /// name has digits alone), and any probe or hook of an init container that is no sidecar.
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
    /// A handler or a port may be missing in a patch, and so may the `restartPolicy` that makes an init container a sidecar.
    ProbeRejected {
        id: "probe-rejected", group: "admission", certainty: Certain, predicts: [],
        en: "a probe or hook that the API server refuses", zh: "API 服务器拒绝的探针或钩子", check: check,
    }
}

/// The actions of a probe and those of a hook.
const OF_PROBES: [&str; 4] = ["exec", "httpGet", "tcpSocket", "grpc"];
const OF_HOOKS: [&str; 4] = ["exec", "httpGet", "tcpSocket", "sleep"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // Knative fills in the handler and the port.
    if subject.workload.api_version.starts_with("serving.knative.dev/") {
        return;
    }
    for container in subject.containers {
        let mut judge = Judge { rule, subject, container, findings };
        // Whether the container restarts may stand in the base of a patch.
        if container.role == Role::Init && !subject.workload.is_partial() {
            judge.init_container();
            continue;
        }
        for probe in probes::of(container) {
            judge.probe(&probe);
        }
        for name in ["postStart", "preStop"] {
            if let Some((hook, pointer)) = probes::hook(container, name) {
                judge.action(hook, &pointer, name, &OF_HOOKS);
            }
        }
    }
}

/// One container is judged.
struct Judge<'a, 'f> {
    rule: &'a dyn Rule,
    subject: &'a Subject<'a>,
    container: &'a Container<'a>,
    findings: &'f mut Vec<Finding>,
}

impl Judge<'_, '_> {
    fn push(&mut self, pointer: String, (what_en, what_zh): (String, String), help: (String, String)) {
        let (en, zh) = refused(self.subject);
        self.findings.push(
            Finding::new(self.rule, pointer)
                .within(self.container)
                .saying(format!("{en}: {what_en}"), format!("{zh}：{what_zh}"))
                .helped_by(help.0, help.1),
        );
    }

    /// An init container ends before anything is probed or stopped (`validateInitContainers`).
    fn init_container(&mut self) {
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if self.container.value.get(field).is_some_and(|value| !value.is_null()) {
                self.push(
                    self.container.at(&format!("/{field}")),
                    (format!("{field} in an init container"), format!("初始化容器不能有 {field}")),
                    (
                        format!("take {field} away, or make it a sidecar with restartPolicy: Always"),
                        format!("去掉 {field}，或用 restartPolicy: Always 把它变成边车"),
                    ),
                );
            }
        }
    }

    fn probe(&mut self, probe: &Probe<'_>) {
        let field = probe.kind.field();
        self.action(probe.value, &probe.pointer, field, &OF_PROBES);
        for number in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
            let value = probe.value.get(number).and_then(Value::as_i64).unwrap_or(0);
            if value < 0 {
                self.push(
                    format!("{}/{number}", probe.pointer),
                    (format!("{field} has {number} {value}"), format!("{field} 的 {number} 为 {value}")),
                    ("a number of a probe is not below zero".to_owned(), "探针的数值不能小于零".to_owned()),
                );
            }
        }
        let threshold = probe.value.get("successThreshold").and_then(Value::as_i64).unwrap_or(1);
        if probe.kind != ProbeKind::Readiness && threshold > 1 {
            self.push(
                format!("{}/successThreshold", probe.pointer),
                (
                    format!("{field} has successThreshold {threshold}, not 1"),
                    format!("{field} 的 successThreshold 为 {threshold}，必须是 1"),
                ),
                ("leave successThreshold out".to_owned(), "去掉 successThreshold".to_owned()),
            );
        }
        let grace = probe.value.get("terminationGracePeriodSeconds").filter(|grace| !grace.is_null());
        if probe.kind == ProbeKind::Readiness && grace.is_some() {
            self.push(
                format!("{}/terminationGracePeriodSeconds", probe.pointer),
                (format!("{field} has terminationGracePeriodSeconds"), format!("{field} 不能有 terminationGracePeriodSeconds")),
                ("a readiness probe stops nothing: leave it out".to_owned(), "就绪探针不会停止容器：去掉它".to_owned()),
            );
        }
    }

    /// The action of a probe or hook: one, with a port where it needs one (`validateHandler`).
    fn action(&mut self, value: &Value, pointer: &str, field: &str, actions: &[&str]) {
        let given: Vec<&str> =
            actions.iter().copied().filter(|action| value.get(*action).is_some_and(|action| !action.is_null())).collect();
        let partial = self.subject.workload.is_partial();
        if given.len() != 1 && !partial {
            let (all, count) = (actions.join(", "), given.len());
            self.push(
                pointer.to_owned(),
                (format!("{field} has {count} handlers"), format!("{field} 有 {count} 个处理方式")),
                (format!("it has one of {all}"), format!("只能有 {all} 之一")),
            );
        }
        for action in given {
            let at = format!("{pointer}/{action}");
            let Some(action_value) = value.get(action) else { continue };
            if action == "exec" {
                let command = action_value.get("command").filter(|command| !command.is_null());
                if !partial && command.is_none_or(|command| command.as_array().is_some_and(Vec::is_empty)) {
                    self.push(
                        format!("{at}/command"),
                        (format!("{field} has exec without a command"), format!("{field} 的 exec 没有 command")),
                        ("give the command, one word an item".to_owned(), "写出 command，每个词一项".to_owned()),
                    );
                }
            } else if action != "sleep" {
                self.port(action_value.get("port"), &at, field, action);
            }
        }
    }

    fn port(&mut self, port: Option<&Value>, at: &str, field: &str, action: &str) {
        let what = match port {
            None | Some(Value::Null) if self.subject.workload.is_partial() => return,
            None | Some(Value::Null) => (format!("{field} has {action} without a port"), format!("{field} 的 {action} 没有 port")),
            Some(Value::Number(port)) if port.as_i64().is_some_and(|port| (1..=65_535).contains(&port)) => return,
            Some(Value::Number(port)) => {
                let port = shown(&port.to_string(), 24);
                (format!("{field} has the port {port}"), format!("{field} 的端口为 {port}"))
            }
            // A name that the container gives to a port is name-rejected's to judge.
            Some(Value::String(name)) if !is_refused_port(name) || self.declares(name) => return,
            Some(Value::String(name)) => {
                let name = shown(name, 24);
                (format!("{field} has the port \"{name}\", which is no port's name"), format!("{field} 的端口 \"{name}\" 不是端口名"))
            }
            Some(_) => return,
        };
        let digits = port.and_then(Value::as_str).filter(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let help = match digits {
            Some(port) => (format!("write the number without quotes: {port}"), format!("数字不加引号：{port}")),
            None => (
                "a port is a number from 1 to 65535 or the name of a declared one".to_owned(),
                "端口是 1 到 65535 的数，或已声明端口的名称".to_owned(),
            ),
        };
        self.push(format!("{at}/port"), what, help);
    }

    fn declares(&self, name: &str) -> bool {
        list(self.container.value, "ports").any(|(_, port)| text(port, "name") == Some(name))
    }
}
