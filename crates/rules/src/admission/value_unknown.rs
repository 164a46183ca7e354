//! `value-unknown`

use crate::admission::{list, refused, text};
use crate::near::is_near;
use crate::rule::{Subject, declare_rule};
use crate::runtime::probes;
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds words that are none of those that a field takes: `imagePullPolicy: ifNotPresent`, `restartPolicy: always`, `protocol: HTTP`.
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
    ///     imagePullPolicy: ifNotPresent
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
    ///     imagePullPolicy: IfNotPresent
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only the fields that pods are mostly written with are known.
    ValueUnknown {
        id: "value-unknown", group: "admission", certainty: Certain, predicts: [],
        en: "a word that the field does not take", zh: "字段不接受的取值", check: check,
    }
}

/// The fields with a fixed set of words.
const PULL_POLICY: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const RESTART_POLICY: [&str; 3] = ["Always", "OnFailure", "Never"];
const DNS_POLICY: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const MESSAGE_POLICY: [&str; 2] = ["File", "FallbackToLogsOnError"];
const PROTOCOL: [&str; 3] = ["TCP", "UDP", "SCTP"];
const SCHEME: [&str; 2] = ["HTTP", "HTTPS"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let pod = subject.workload.pod;
    let pointer = &subject.workload.pod_pointer;
    for (field, words) in [("restartPolicy", &RESTART_POLICY[..]), ("dnsPolicy", &DNS_POLICY[..])] {
        findings.extend(judge(rule, subject, pod, field, words, pointer));
    }
    for container in subject.containers {
        let mut own = Vec::new();
        own.extend(judge(rule, subject, container.value, "imagePullPolicy", &PULL_POLICY, &container.pointer));
        own.extend(judge(rule, subject, container.value, "terminationMessagePolicy", &MESSAGE_POLICY, &container.pointer));
        for (number, port) in list(container.value, "ports") {
            own.extend(judge(rule, subject, port, "protocol", &PROTOCOL, &container.at(&format!("/ports/{number}"))));
        }
        for probe in probes::of(container) {
            if let Some(action) = probe.value.get("httpGet") {
                own.extend(judge(rule, subject, action, "scheme", &SCHEME, &format!("{}/httpGet", probe.pointer)));
            }
        }
        findings.extend(own.into_iter().map(|finding| finding.within(container)));
    }
}

fn judge(rule: &dyn Rule, subject: &Subject<'_>, value: &Value, field: &str, words: &[&str], pointer: &str) -> Option<Finding> {
    let given = text(value, field).filter(|given| !given.is_empty() && !words.contains(given) && !given.contains(['$', '<', '{', '%']))?;
    let (en, zh) = refused(subject);
    let meant = words.iter().find(|word| word.eq_ignore_ascii_case(given) || is_near(given, word));
    let all = words.join(", ");
    let help = meant.map_or_else(
        || (format!("one of {all}"), format!("可用的值：{all}")),
        |meant| (format!("did you mean {meant}?"), format!("是否想写 {meant}？")),
    );
    let same = words.iter().find(|word| word.eq_ignore_ascii_case(given)).map(|word| (*word).to_owned());
    let given = shown(given, 30);
    Some(
        Finding::new(rule, format!("{pointer}/{field}"))
            .saying(format!("{en}: {field} {given} is unknown"), format!("{zh}：{field} 没有 {given} 这个值"))
            .helped_by(help.0, help.1)
            .fixed_by(same),
    )
}
