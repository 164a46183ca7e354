//! `quantity-invalid`

use crate::admission::{refused, written};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::Quantity;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds requests, limits and sizes that are no quantities: `64MB`, `1 Gi`, `500MiB`, `1,5`, or less than nothing.
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
    ///     resources: {limits: {memory: 512MB}}
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
    ///     resources: {limits: {memory: 512Mi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Quantities are read by the grammar of `k8s.io/apimachinery/pkg/api/resource`. Placeholders (`${MEMORY}`, a word without a digit) are let through.
    QuantityInvalid {
        id: "quantity-invalid", group: "admission", certainty: Certain, predicts: [],
        en: "a quantity that Kubernetes cannot read", zh: "Kubernetes 无法解析的数量", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        for list in ["limits", "requests"] {
            let Some(amounts) = container.value.get("resources").and_then(|resources| resources.get(list)).and_then(Value::as_object)
            else {
                continue;
            };
            for (name, value) in amounts {
                let at = container.at(&format!("/resources/{list}/{}", name.replace('~', "~0").replace('/', "~1")));
                findings.extend(
                    judge(rule, subject, &format!("{list} {}", shown(name, 24)), value, at).map(|finding| finding.within(container)),
                );
            }
        }
    }
    for (number, volume) in subject.workload.pod.get("volumes").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if let Some(size) = volume.get("emptyDir").and_then(|volume| volume.get("sizeLimit")) {
            let at = format!("{}/volumes/{number}/emptyDir/sizeLimit", subject.workload.pod_pointer);
            findings.extend(judge(rule, subject, "sizeLimit", size, at));
        }
    }
}

fn judge(rule: &dyn Rule, subject: &Subject<'_>, what: &str, value: &Value, pointer: String) -> Option<Finding> {
    if value.is_null() || Quantity::of(value).is_some_and(|quantity| !quantity.is_negative()) {
        return None;
    }
    // A word without a digit, or with one of the marks, is filled in before the file is applied.
    if value.as_str().is_some_and(|text| text.contains(['$', '<', '{', '%']) || !text.bytes().any(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let (en, zh) = refused(subject);
    let written = written(value);
    let meant = written
        .strip_suffix("iB")
        .map(|number| format!("{number}i"))
        .or_else(|| written.strip_suffix('B').map(|number| format!("{number}i")));
    let meant = meant.map(|meant| meant.replace(' ', "")).filter(|meant| Quantity::parse(meant).is_ok());
    let help = match meant {
        Some(meant) => (format!("did you mean {meant}?"), format!("是否想写 {meant}？")),
        None => (
            "write a number and at most one of m k M G T P E Ki Mi Gi Ti Pi Ei, without a blank".to_owned(),
            "写数字加最多一个后缀：m k M G T P E Ki Mi Gi Ti Pi Ei，不含空格".to_owned(),
        ),
    };
    Some(
        Finding::new(rule, pointer)
            .saying(format!("{en}: {what} \"{written}\" is no quantity"), format!("{zh}：{what} \"{written}\" 不是有效数量"))
            .helped_by(help.0, help.1)
            .fixed_by(value.as_str().and_then(exactly)),
    )
}

/// The quantity that a text can only mean: `1GiB`, `1 Gi` and `1gi` are 1Gi. `1GB` is not among them: people write it for both 1G and 1Gi.
fn exactly(text: &str) -> Option<String> {
    // A blank may stand before the suffix, not among the digits.
    let text = text.trim();
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, suffix) = text.split_at_checked(digits)?;
    let suffix = suffix.trim_start();
    if suffix.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let binary = suffix.strip_suffix('B').unwrap_or(suffix);
    let mut letters = binary.chars();
    let suffix = match (letters.next(), letters.next(), letters.next()) {
        (Some(letter), Some('i' | 'I'), None) => format!("{}i", letter.to_ascii_uppercase()),
        _ => suffix.to_owned(),
    };
    let meant = format!("{number}{suffix}");
    Quantity::parse(&meant).is_ok().then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mends_what_can_mean_one_thing_only() {
        for (text, meant) in [
            ("1GiB", Some("1Gi")),
            ("1 Gi", Some("1Gi")),
            ("2 G", Some("2G")),
            ("64mi", Some("64Mi")),
            ("64MI", Some("64Mi")),
            ("1GB", None),
            ("1gb", None),
            ("x", None),
            ("1 2", None),
        ] {
            assert_eq!(exactly(text).as_deref(), meant, "{text}");
        }
    }
}
