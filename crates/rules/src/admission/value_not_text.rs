//! `value-not-text`

use crate::admission::{list, refused, text, written};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds numbers and booleans where the API wants text: values of environment variables, words of `command` and `args`, labels and annotations.
    /// YAML reads `8080`, `true`, `yes` and `1.0` as such unless they stand in quotes, and a word with a colon and a blank (`- name: value`) as a mapping.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object: "cannot unmarshal number into Go struct field EnvVar.value of type string".
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
    ///     env: [{name: PORT, value: 8080}]
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
    ///     env: [{name: PORT, value: "8080"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only objects that run pods are looked at.
    ValueNotText {
        id: "value-not-text", group: "admission", certainty: Certain, predicts: [],
        en: "a number or boolean where text is due", zh: "应为文本处写了数字或布尔值", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let is_wrong = |value: &Value| value.is_number() || value.is_boolean();
    for container in subject.containers {
        for (number, entry) in list(container.value, "env") {
            if let Some(value) = entry.get("value").filter(|value| is_wrong(value)) {
                let what = shown(text(entry, "name").unwrap_or_default(), 40);
                findings.push(
                    finding(rule, subject, &format!("env {what}"), value, container.at(&format!("/env/{number}/value"))).within(container),
                );
            }
        }
        for field in ["command", "args"] {
            for (number, value) in list(container.value, field) {
                let at = container.at(&format!("/{field}/{number}"));
                if is_wrong(value) {
                    findings.push(finding(rule, subject, field, value, at).within(container));
                } else if is_mapping(value) {
                    findings.push(mapping(rule, subject, field, at).within(container));
                }
            }
        }
    }
    let template = subject.workload.pod_pointer.strip_suffix("/spec").unwrap_or_default();
    let mut places = vec![String::new()];
    if !template.is_empty() {
        places.push(template.to_owned());
    }
    for place in places {
        for field in ["labels", "annotations"] {
            let pointer = format!("{place}/metadata/{field}");
            let Some(values) = subject.workload.object.pointer(&pointer).and_then(Value::as_object) else { continue };
            for (key, value) in values.iter().filter(|(_, value)| is_wrong(value)) {
                let at = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                findings.push(finding(rule, subject, &shown(key, 40), value, at));
            }
        }
    }
}

/// Whether a word became a mapping: by a colon and a blank in it. One without any value is a placeholder, `{NAME}`.
fn is_mapping(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.iter().any(|(field, value)| !field.starts_with('$') && !value.is_null()))
}

fn mapping(rule: &dyn Rule, subject: &Subject<'_>, field: &str, pointer: String) -> Finding {
    let (en, zh) = refused(subject);
    Finding::new(rule, pointer)
        .saying(format!("{en}: a word of {field} is a mapping, not text"), format!("{zh}：{field} 的一项是映射，不是文本"))
        .helped_by("put it in quotes: YAML takes \": \" for a key and its value", "加上引号：YAML 把 \": \" 看作键和值")
}

fn finding(rule: &dyn Rule, subject: &Subject<'_>, what: &str, value: &Value, pointer: String) -> Finding {
    let (en, zh) = refused(subject);
    let written = written(value);
    Finding::new(rule, pointer)
        .saying(format!("{en}: {what} is {written}, not text"), format!("{zh}：{what} 的值 {written} 不是文本"))
        .helped_by(format!("put it in quotes: \"{written}\""), format!("加上引号：\"{written}\""))
        .fixed_by_quotes()
}
