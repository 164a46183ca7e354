//! `field-unknown`

use crate::admission::{fields, is_pod_template, list, refused};
use crate::near::is_near;
use crate::rule::{Subject, declare_rule};
use crate::runtime::probes;
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds misspelt fields (`imagePullpolicy`, `enviroment`) and fields at the wrong level (`limits` in the container instead of its `resources`) in pod
    /// specs, containers, probes, mounts and security contexts.
    ///
    /// ## What happens without a change
    ///
    /// `kubectl apply` refuses the object ("strict decoding error: unknown field"); other clients drop the field without a word, and the setting has no effect.
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
    ///     limits: {memory: 128Mi}
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
    ///     resources: {limits: {memory: 128Mi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// A hint, since kubectl says it, too. Fields that resemble no known one are let through: a newer Kubernetes may know them.
    FieldUnknown {
        id: "field-unknown", group: "admission", certainty: Hint, predicts: [],
        en: "a field that Kubernetes does not know", zh: "Kubernetes 不认识的字段", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !is_pod_template(subject.workload) {
        return;
    }
    let pod = subject.workload.pod;
    let pointer = &subject.workload.pod_pointer;
    judge(rule, subject, pod, &fields::POD_SPEC, pointer, findings);
    if let Some(context) = pod.get("securityContext") {
        judge(rule, subject, context, &fields::POD_SECURITY_CONTEXT, &format!("{pointer}/securityContext"), findings);
    }
    for (number, volume) in list(pod, "volumes") {
        judge(rule, subject, volume, &fields::VOLUME, &format!("{pointer}/volumes/{number}"), findings);
    }
    for container in subject.containers {
        let mut own = Vec::new();
        judge(rule, subject, container.value, &fields::CONTAINER, &container.pointer, &mut own);
        for (field, known) in [
            ("resources", &fields::RESOURCES[..]),
            ("securityContext", &fields::SECURITY_CONTEXT[..]),
            ("lifecycle", &fields::LIFECYCLE[..]),
        ] {
            if let Some(value) = container.value.get(field) {
                judge(rule, subject, value, known, &container.at(&format!("/{field}")), &mut own);
            }
        }
        for (field, known) in [("ports", &fields::PORT[..]), ("volumeMounts", &fields::VOLUME_MOUNT[..]), ("env", &fields::ENV_VAR[..])] {
            for (number, value) in list(container.value, field) {
                judge(rule, subject, value, known, &container.at(&format!("/{field}/{number}")), &mut own);
            }
        }
        for probe in probes::of(container) {
            judge(rule, subject, probe.value, &fields::PROBE, &probe.pointer, &mut own);
        }
        findings.extend(own.into_iter().map(|finding| finding.within(container)));
    }
}

/// Fields that people put one level too high, and where they belong.
const MISPLACED: [(&str, &str); 7] = [
    ("limits", "resources.limits"),
    ("limit", "resources.limits"),
    ("requests", "resources.requests"),
    ("request", "resources.requests"),
    ("runAsNonRoot", "securityContext.runAsNonRoot"),
    ("runAsUser", "securityContext.runAsUser"),
    ("privileged", "securityContext.privileged"),
];

fn judge(rule: &dyn Rule, subject: &Subject<'_>, value: &Value, known: &[&str], pointer: &str, findings: &mut Vec<Finding>) {
    let Some(present) = value.as_object() else { return };
    for field in present.keys() {
        if known.contains(&field.as_str()) || field.starts_with('$') || field == "targetContainerName" {
            continue;
        }
        let above = MISPLACED
            .iter()
            .find(|(name, _)| name == field && (known.contains(&"resources") || known.contains(&"securityContext")))
            .map(|(_, place)| *place);
        let meant = above.or_else(|| known.iter().copied().find(|name| name.eq_ignore_ascii_case(field) || is_near(field, name)));
        let Some(meant) = meant else { continue };
        let (en, zh) = if subject.workload.is_pod() || subject.workload.api_version.contains('/') {
            ("refused by kubectl apply, or dropped", "kubectl apply 会拒绝，或被忽略")
        } else {
            refused(subject)
        };
        let field_shown = shown(field, 40);
        findings.push(
            Finding::new(rule, format!("{pointer}/{}", field.replace('~', "~0").replace('/', "~1")))
                .saying(format!("{en}: there is no field {field_shown} here"), format!("{zh}：这里没有字段 {field_shown}"))
                .helped_by(format!("did you mean {meant}?"), format!("是否想写 {meant}？")),
        );
    }
}
