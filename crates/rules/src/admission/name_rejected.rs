//! `name-rejected`

use crate::admission::{is_placeholder, list, refused, text};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds names that Kubernetes does not allow: of objects (RFC 1123 subdomain), containers and volumes (RFC 1123 label: lower case, digits and `-`, at most 63
    /// characters), ports (at most 15) and environment variables (not empty, no `=`).
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
    ///   containers: [{name: Web_Server, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web-server, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Placeholders (`${NAME}`, `REPLACE_ME`) are let through: such a file is filled in before it is applied.
    NameRejected {
        id: "name-rejected", group: "admission", certainty: Certain, predicts: [],
        en: "a name that Kubernetes does not allow", zh: "Kubernetes 不允许的名称", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if let Some(name) = subject.workload.object.pointer("/metadata/name").and_then(Value::as_str)
        && !(name.len() <= 253 && name.split('.').all(|label| is_label(label, 253)))
    {
        findings.extend(finding(rule, subject, ("object name", "对象名"), name, "/metadata/name".to_owned()));
    }
    for (number, volume) in list(subject.workload.pod, "volumes") {
        if let Some(name) = text(volume, "name").filter(|name| !is_label(name, 63)) {
            findings.extend(finding(
                rule,
                subject,
                ("volume name", "卷名"),
                name,
                format!("{}/volumes/{number}/name", subject.workload.pod_pointer),
            ));
        }
    }
    for container in subject.containers {
        if let Some(name) = container.name.filter(|name| !is_label(name, 63)) {
            findings.extend(
                finding(rule, subject, ("container name", "容器名"), name, container.at("/name")).map(|finding| finding.within(container)),
            );
        }
        for (number, port) in list(container.value, "ports") {
            if let Some(name) = text(port, "name").filter(|name| !name.is_empty() && !is_port_name(name)) {
                findings.extend(
                    finding(rule, subject, ("port name", "端口名"), name, container.at(&format!("/ports/{number}/name")))
                        .map(|finding| finding.within(container)),
                );
            }
        }
        for (number, entry) in list(container.value, "env") {
            if let Some(name) = text(entry, "name").filter(|name| name.is_empty() || name.contains('=')) {
                findings.extend(
                    finding(rule, subject, ("variable name", "变量名"), name, container.at(&format!("/env/{number}/name")))
                        .map(|finding| finding.within(container)),
                );
            }
        }
    }
}

fn finding(rule: &dyn Rule, subject: &Subject<'_>, what: (&str, &str), name: &str, pointer: String) -> Option<Finding> {
    if is_placeholder(name) {
        return None;
    }
    let (en, zh) = refused(subject);
    let name = shown(name, 40);
    let finding = Finding::new(rule, pointer)
        .saying(format!("{en}: {} \"{name}\" is not allowed", what.0), format!("{zh}：{} \"{name}\" 不合法", what.1))
        .helped_by(
            "use lower-case letters, digits and '-', beginning and ending with a letter or digit",
            "只用小写字母、数字和 '-'，首尾为字母或数字",
        );
    Some(finding)
}

/// A label of RFC 1123 as `IsDNS1123Label` reads it.
fn is_label(name: &str, longest: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = name.bytes().next().is_some_and(inner) && name.bytes().last().is_some_and(inner);
    ends && name.len() <= longest && name.bytes().all(|byte| inner(byte) || byte == b'-')
}

/// Whether the API server refuses the name of a port that a probe or hook asks for, and it is none that is still to be filled in.
pub(crate) fn is_refused_port(name: &str) -> bool {
    !is_port_name(name) && !is_placeholder(name)
}

/// As `IsValidPortName`: at most 15 characters, one letter at least, no two `-` side by side.
fn is_port_name(name: &str) -> bool {
    is_label(name, 15) && name.bytes().any(|byte| byte.is_ascii_lowercase()) && !name.contains("--")
}
