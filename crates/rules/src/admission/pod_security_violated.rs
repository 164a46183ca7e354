//! `pod-security-violated`

use crate::admission::pod_refused;
use crate::pod_security::violations;
use crate::rule::{Subject, declare_rule};
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods that the Pod Security level of their namespace (label `pod-security.kubernetes.io/enforce`) refuses. The checks are those of Kubernetes, in the version that the
    /// namespace asks for or the server has. The namespace is read from the cluster, where it is asked, and from the files of the same run.
    ///
    /// ## What happens without a change
    ///
    /// In a Deployment, CronJob or any other template it is accepted, at most with a warning, and each pod is refused afterwards: `FailedCreate` on the ReplicaSet or Job, "violates
    /// PodSecurity". There is no pod to look at. A Pod itself is refused at `kubectl apply`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       hostNetwork: true
    ///       containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: baseline}}
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Exemptions in the API server's configuration, and other webhooks that fill in a security context, are not known: the finding is never `certain`.
    PodSecurityViolated {
        id: "pod-security-violated", group: "admission", certainty: Likely, predicts: [],
        en: "a pod that the Pod Security level of its namespace refuses", zh: "被命名空间的 Pod Security 级别拒绝的 Pod", check: check,
    }
}

/// From this minor version on the API server itself warns about templates whose pods the enforced level will refuse, unless the namespace asks for another
/// level of warnings (`PolicyToEvaluate` of `k8s.io/pod-security-admission`; older versions may do so as well).
const WARNS_OF_ENFORCED_LEVEL: u32 = 37;

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() || subject.workload.is_partial() {
        return;
    }
    let Some(enforced) = subject.facts.pod_security(subject.workload.namespace) else { return };
    let is_built_in = matches!(subject.workload.api_version.split_once('/').map_or("", |(group, _)| group), "" | "apps" | "batch");
    if is_built_in && subject.facts.admitting_minor().is_some_and(|minor| minor >= WARNS_OF_ENFORCED_LEVEL) {
        return;
    }
    let found = violations(subject, enforced);
    let Some(first) = found.first() else { return };
    let level = enforced.level.name();
    let reasons: Vec<&str> = found.iter().map(|violation| violation.reason).collect();
    // A warning has room for one.
    let (shown, rest) = reasons.split_at(reasons.len().min(1));
    let more = if rest.is_empty() {
        (String::new(), String::new())
    } else {
        (format!(" and {} more", rest.len()), format!(" 等 {} 项", reasons.len()))
    };
    let (refused_en, refused_zh) = pod_refused(subject);
    let (all_en, all_zh) = (reasons.join(", "), reasons.join("、"));
    let container = subject
        .containers
        .iter()
        .find(|container| first.pointer.strip_prefix(&container.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let finding = Finding::new(rule, first.pointer.clone())
        .saying(
            format!("{refused_en}: PodSecurity {level}: {}{}", shown.join(", "), more.0),
            format!("{refused_zh}：违反 PodSecurity {level}：{}{}", shown.join("、"), more.1),
        )
        .helped_by(format!("the level forbids: {all_en}"), format!("该级别禁止：{all_zh}"));
    // Of several the first alone is in that container.
    findings.push(match container {
        Some(container) if found.len() == 1 => finding.within(container),
        _ => finding,
    });
}
