//! The report as SARIF 2.1.0, for code scanning.

use crate::{Item, Report};
use podsight_cause::Lang;
use podsight_rules::{Certainty, RULES};
use serde_json::{Value, json};

/// The report as one SARIF log.
pub fn render(report: &Report, lang: Lang) -> String {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id(),
                "shortDescription": {"text": rule.summary(lang)},
                "help": {"text": rule.summary(lang), "markdown": rule.page()},
                "defaultConfiguration": {"level": level(rule.certainty())},
                "properties": {"tags": [rule.group()], "precision": precision(rule.certainty())},
            })
        })
        .collect();
    let notifications: Vec<Value> = report
        .problems
        .iter()
        .map(|problem| {
            let mut place = json!({"artifactLocation": {"uri": uri(&problem.file)}});
            if let (Some(line), Some(place)) = (problem.line, place.as_object_mut()) {
                place.insert("region".to_owned(), json!({"startLine": line}));
            }
            json!({"level": "warning", "message": {"text": problem.message}, "locations": [{"physicalLocation": place}]})
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "podsight", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "results": report.items.iter().map(|item| result(item, lang)).collect::<Vec<_>>(),
        }],
    });
    // Serialising a value to memory cannot fail.
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn result(item: &Item, lang: Lang) -> Value {
    let finding = &item.finding;
    let mut place = json!({"artifactLocation": {"uri": uri(&item.file)}});
    if let (Some(position), Some(place)) = (item.position, place.as_object_mut()) {
        place.insert("region".to_owned(), json!({"startLine": position.line, "startColumn": position.column}));
    }
    // The same finding keeps its print while lines are added above it.
    let print = format!("{}/{}/{}/{}", finding.rule, item.kind, item.name.as_deref().unwrap_or_default(), finding.pointer);
    json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id() == finding.rule),
        "level": level(finding.certainty),
        "message": {"text": format!("{}: {}. {}", item.subject(), finding.message(lang), finding.help(lang))},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": item.subject(), "kind": "resource"}]}],
        "partialFingerprints": {"podsight/v1": print},
    })
}

fn level(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "error",
        Certainty::Likely => "warning",
        Certainty::Hint => "note",
    }
}

fn precision(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "very-high",
        Certainty::Likely => "high",
        Certainty::Hint => "medium",
    }
}

/// A path as a relative URI reference (RFC 3986): what is not allowed in a path is percent-encoded.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
            out.push('%');
            out.extend([byte >> 4, byte & 15].iter().filter_map(|digit| HEX.get(usize::from(*digit))));
        }
    }
    out
}
