//! Findings as warnings of an admission response. Only this module knows their limits.

use podsight_cause::Lang;
use podsight_rules::{Certainty, Finding, shown};
use podsight_spec::Workload;

/// A warning of this many characters is wanted (KEP-1693, k8s.io/api/admission/v1).
const WANTED: usize = 120;

/// A warning of more characters than this is cut by the API server once the sum of all is too long.
const LONGEST: usize = 256;

/// So many warnings are given for one request; what is more is counted.
const MOST: usize = 5;

/// What is left of a long name.
const SHORT_NAME: usize = 32;

/// The warnings for one request: `Kind/name[container]: what happens and why [rule-id]`, at most five and then
/// `+N more: run podsight check`; each of at most 256 characters without control characters (one control character and the API server drops the warning
/// without a word). Hints are no warnings. The surest come first, then the order of the findings.
pub fn warnings(workload: &Workload<'_>, findings: &[Finding]) -> Vec<String> {
    let mut ordered: Vec<&Finding> = findings.iter().filter(|finding| finding.certainty > Certainty::Hint).collect();
    ordered.sort_by_key(|finding| std::cmp::Reverse(finding.certainty));
    let mut texts: Vec<String> = Vec::new();
    for finding in ordered {
        let text = warning(workload, finding);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.len() > MOST {
        let more = texts.len() - MOST;
        texts.truncate(MOST);
        texts.push(format!("+{more} more: run podsight check"));
    }
    texts
}

fn warning(workload: &Workload<'_>, finding: &Finding) -> String {
    let message = finding.message(Lang::En);
    let whole = text(workload, finding, message, usize::MAX);
    if whole.chars().count() <= WANTED {
        return whole;
    }
    let short = text(workload, finding, message, SHORT_NAME);
    let over = short.chars().count().saturating_sub(LONGEST);
    if over == 0 {
        return short;
    }
    let left = message.chars().count().saturating_sub(over);
    text(workload, finding, &shown(message, left), SHORT_NAME)
}

fn text(workload: &Workload<'_>, finding: &Finding, message: &str, name_length: usize) -> String {
    let mut text = shown(workload.kind, name_length);
    if let Some(name) = workload.name {
        text.push('/');
        text.push_str(&shown(name, name_length));
    }
    if let Some(container) = &finding.container {
        text.push('[');
        text.push_str(&shown(container, name_length));
        text.push(']');
    }
    text.push_str(": ");
    text.push_str(&shown(message, usize::MAX));
    text.push_str(" [");
    text.push_str(finding.rule);
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use podsight_spec::workloads;
    use serde_json::{Value, json};

    fn of(value: &Value) -> Vec<String> {
        workloads(value).iter().flat_map(|workload| warnings(workload, &podsight_rules::check(workload))).collect()
    }

    #[test]
    fn says_who_what_and_which_rule() {
        let value = json!({"kind": "Deployment", "metadata": {"name": "ledger-writer"}, "spec": {"template": {"spec": {"containers": [
            {"name": "ledgerwriter", "image": "a", "env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx512m"}], "resources": {"limits": {"memory": "512Mi"}}},
            {"name": "tiny", "image": "a", "resources": {"limits": {"memory": "128m"}}}]}}}});
        assert_eq!(
            of(&value),
            [
                "Deployment/ledger-writer[tiny]: memory limit 128m = 1 byte (m = milli) is too small to start: hangs in ContainerCreating [memory-tiny]",
                "Deployment/ledger-writer[ledgerwriter]: -Xmx512m equals memory limit 512Mi: will be OOMKilled (exit 137) [heap-over-limit]",
            ]
        );
    }

    #[test]
    fn hostile_names_stay_within_the_limits() {
        let containers: Vec<Value> = (0..500)
            .map(|n| json!({"name": format!("c\u{1b}[31m\n{n}{}", "x".repeat(300)), "image": format!("\u{7}{}A:", "y/".repeat(500))}))
            .collect();
        let value = json!({"kind": "P\u{202e}od".repeat(100), "metadata": {"name": "n\u{0}".repeat(300)}, "spec": {"template": {"spec": {"containers": containers}}}});
        let warnings = of(&value);
        assert_eq!(warnings.len(), 6);
        assert_eq!(warnings[5], "+996 more: run podsight check");
        for warning in warnings {
            assert!(warning.chars().count() <= LONGEST && !warning.contains(char::is_control), "{warning:?}");
        }
    }
}
