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

/// The words of the fields, from `pkg/apis/*/validation` of Kubernetes.
const PULL_POLICY: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const RESTART_POLICY: [&str; 3] = ["Always", "OnFailure", "Never"];
const DNS_POLICY: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const MESSAGE_POLICY: [&str; 2] = ["File", "FallbackToLogsOnError"];
const PROTOCOL: [&str; 3] = ["TCP", "UDP", "SCTP"];
const SCHEME: [&str; 2] = ["HTTP", "HTTPS"];
const PREEMPTION_POLICY: [&str; 2] = ["PreemptLowerPriority", "Never"];
const MOUNT_PROPAGATION: [&str; 3] = ["None", "HostToContainer", "Bidirectional"];
const HOST_PATH: [&str; 7] = ["DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"];
const SECCOMP: [&str; 3] = ["RuntimeDefault", "Unconfined", "Localhost"];
const OPERATOR: [&str; 4] = ["Exists", "Equal", "Lt", "Gt"];
const EFFECT: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const UNSATISFIABLE: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
const DEPLOYMENT_STRATEGY: [&str; 2] = ["RollingUpdate", "Recreate"];
const UPDATE_STRATEGY: [&str; 2] = ["RollingUpdate", "OnDelete"];
const POD_MANAGEMENT: [&str; 2] = ["OrderedReady", "Parallel"];
const CONCURRENCY: [&str; 3] = ["Allow", "Forbid", "Replace"];
const COMPLETION: [&str; 2] = ["NonIndexed", "Indexed"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let pod = subject.workload.pod;
    let pointer = &subject.workload.pod_pointer;
    for (field, words) in
        [("restartPolicy", &RESTART_POLICY[..]), ("dnsPolicy", &DNS_POLICY[..]), ("preemptionPolicy", &PREEMPTION_POLICY[..])]
    {
        findings.extend(judge(rule, subject, pod, field, words, pointer));
    }
    for (number, toleration) in list(pod, "tolerations") {
        for (field, words) in [("operator", &OPERATOR[..]), ("effect", &EFFECT[..])] {
            findings.extend(judge(rule, subject, toleration, field, words, &format!("{pointer}/tolerations/{number}")));
        }
    }
    for (number, spread) in list(pod, "topologySpreadConstraints") {
        let at = format!("{pointer}/topologySpreadConstraints/{number}");
        findings.extend(judge(rule, subject, spread, "whenUnsatisfiable", &UNSATISFIABLE, &at));
    }
    for (number, volume) in list(pod, "volumes") {
        if let Some(path) = volume.get("hostPath") {
            findings.extend(judge(rule, subject, path, "type", &HOST_PATH, &format!("{pointer}/volumes/{number}/hostPath")));
        }
    }
    findings.extend(seccomp(rule, subject, pod, pointer));
    of_kind(rule, subject, findings);
    for container in subject.containers {
        let mut own = Vec::new();
        for (field, words) in [
            ("imagePullPolicy", &PULL_POLICY[..]),
            ("terminationMessagePolicy", &MESSAGE_POLICY[..]),
            ("restartPolicy", &RESTART_POLICY[..]),
        ] {
            own.extend(judge(rule, subject, container.value, field, words, &container.pointer));
        }
        own.extend(seccomp(rule, subject, container.value, &container.pointer));
        for (number, port) in list(container.value, "ports") {
            own.extend(judge(rule, subject, port, "protocol", &PROTOCOL, &container.at(&format!("/ports/{number}"))));
        }
        for (number, mount) in list(container.value, "volumeMounts") {
            let at = container.at(&format!("/volumeMounts/{number}"));
            own.extend(judge(rule, subject, mount, "mountPropagation", &MOUNT_PROPAGATION, &at));
        }
        let probes = probes::of(container).into_iter().map(|probe| (probe.value, probe.pointer));
        let hooks = ["postStart", "preStop"].into_iter().filter_map(|name| probes::hook(container, name));
        for (action, at) in probes.chain(hooks) {
            if let Some(get) = action.get("httpGet") {
                own.extend(judge(rule, subject, get, "scheme", &SCHEME, &format!("{at}/httpGet")));
            }
        }
        findings.extend(own.into_iter().map(|finding| finding.within(container)));
    }
}

/// The seccomp profile of a pod or a container.
fn seccomp(rule: &dyn Rule, subject: &Subject<'_>, value: &Value, pointer: &str) -> Option<Finding> {
    let profile = value.get("securityContext")?.get("seccompProfile")?;
    judge(rule, subject, profile, "type", &SECCOMP, &format!("{pointer}/securityContext/seccompProfile"))
}

/// The fields of the kind's own, outside of its pods.
fn of_kind(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let fields: &[(&str, &str, &[&str])] = match (subject.workload.api_version, subject.workload.kind) {
        ("apps/v1", "Deployment") => &[("/spec/strategy", "type", &DEPLOYMENT_STRATEGY)],
        ("apps/v1", "DaemonSet") => &[("/spec/updateStrategy", "type", &UPDATE_STRATEGY)],
        ("apps/v1", "StatefulSet") => {
            &[("/spec/updateStrategy", "type", &UPDATE_STRATEGY), ("/spec", "podManagementPolicy", &POD_MANAGEMENT)]
        }
        ("batch/v1", "CronJob") => {
            &[("/spec", "concurrencyPolicy", &CONCURRENCY), ("/spec/jobTemplate/spec", "completionMode", &COMPLETION)]
        }
        ("batch/v1", "Job") => &[("/spec", "completionMode", &COMPLETION)],
        _ => &[],
    };
    for (pointer, field, words) in fields {
        if let Some(value) = subject.workload.object.pointer(pointer) {
            findings.extend(judge(rule, subject, value, field, words, pointer));
        }
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
