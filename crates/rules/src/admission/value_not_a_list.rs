//! `value-not-a-list`

use crate::admission::{is_placeholder, is_pod_template, refused};
use crate::rule::{Subject, declare_rule};
use crate::runtime::probes;
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::shell;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds text or a mapping where a list is due: `command: sleep 60`, `args: --verbose`, `env: {MODE: test}`.
    ///
    /// ## What happens without a change
    ///
    /// The API server cannot read the object and refuses it at `kubectl apply`: "cannot unmarshal string into Go struct field". For a kind that it does not know (Rollout,
    /// DeploymentConfig) it may accept the object and refuse its pods: `FailedCreate`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: wait}
    /// spec:
    ///   containers:
    ///   - name: wait
    ///     image: busybox:1.37
    ///     command: sleep 3600
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: wait}
    /// spec:
    ///   containers:
    ///   - name: wait
    ///     image: busybox:1.37
    ///     command: [sleep, "3600"]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Placeholders (`${ARGS}`) are let through: such a file is filled in before it is applied. Only the lists that pods are mostly written with are known.
    ValueNotAList {
        id: "value-not-a-list", group: "admission", certainty: Certain, predicts: [],
        en: "text or a mapping where a list is due", zh: "应为列表处写了文本或映射", check: check,
    }
}

/// The lists of a pod.
const POD: [&str; 6] = ["containers", "initContainers", "volumes", "imagePullSecrets", "tolerations", "topologySpreadConstraints"];

/// The lists of a container.
const CONTAINER: [&str; 7] = ["command", "args", "env", "envFrom", "ports", "volumeMounts", "volumeDevices"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !is_pod_template(subject.workload) {
        return;
    }
    for field in POD {
        findings.extend(judge(rule, subject, subject.workload.pod, field, &subject.workload.pod_pointer));
    }
    for container in subject.containers {
        let mut own: Vec<Finding> = Vec::new();
        for field in CONTAINER {
            own.extend(judge(rule, subject, container.value, field, &container.pointer));
        }
        let probes = probes::of(container).into_iter().map(|probe| (probe.value, probe.pointer));
        let hooks = ["postStart", "preStop"].into_iter().filter_map(|name| probes::hook(container, name));
        for (action, pointer) in probes.chain(hooks) {
            if let Some(exec) = action.get("exec") {
                own.extend(judge(rule, subject, exec, "command", &format!("{pointer}/exec")));
            }
        }
        findings.extend(own.into_iter().map(|finding| finding.within(container)));
    }
}

fn judge(rule: &dyn Rule, subject: &Subject<'_>, value: &Value, field: &str, pointer: &str) -> Option<Finding> {
    let given = value.get(field)?;
    let kind = match given {
        Value::Null | Value::Array(_) => return None,
        // Marks of a patch.
        Value::Object(fields) if fields.keys().any(|field| field.starts_with('$')) => return None,
        Value::Object(_) => ("a mapping", "映射"),
        Value::String(text) if !text.contains(char::is_whitespace) && is_placeholder(text) => return None,
        Value::String(_) => ("text", "文本"),
        Value::Bool(_) | Value::Number(_) => ("one value", "单个值"),
    };
    let (en, zh) = refused(subject);
    let (help_en, help_zh) = help(field, given);
    Some(
        Finding::new(rule, format!("{pointer}/{field}"))
            .saying(format!("{en}: {field} is {}, not a list", kind.0), format!("{zh}：{field} 是{}，不是列表", kind.1))
            .helped_by(help_en, help_zh),
    )
}

fn help(field: &str, given: &Value) -> (String, String) {
    if field == "env" {
        return ("write an item for each variable: - {name: …, value: …}".to_owned(), "每个变量写一项：- {name: …, value: …}".to_owned());
    }
    let line = given.as_str().filter(|_| matches!(field, "command" | "args"));
    let Some(line) = line else {
        return ("write an item for each, with \"- \" in front".to_owned(), "每项前面加 \"- \"".to_owned());
    };
    let list = match shell::words(line).filter(|words| !words.is_empty()) {
        Some(words) => serde_json::to_string(&words).unwrap_or_default().replace("\",\"", "\", \""),
        None if field == "command" => "[\"sh\", \"-c\", \"…\"]".to_owned(),
        None => "[\"…\", \"…\"]".to_owned(),
    };
    let list = shown(&list, 100);
    (format!("one word an item: {list}"), format!("每个词一项：{list}"))
}
