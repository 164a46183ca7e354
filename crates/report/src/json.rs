//! `podsight check -o json`: the shape `podsight.dev/check/v1`.

use crate::{Item, Report};
use podsight_cause::Lang;
use serde::Serialize;

#[derive(Serialize)]
struct Check<'a> {
    schema: &'static str,
    summary: Summary,
    findings: Vec<Finding<'a>>,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    workloads: usize,
    findings: usize,
    problems: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    certainty: &'static str,
    predicts: Vec<&'static str>,
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    pointer: &'a str,
    object: Object<'a>,
    container: Option<&'a str>,
    message: &'a str,
    help: &'a str,
}

#[derive(Serialize)]
struct Object<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct Problem<'a> {
    file: &'a str,
    line: Option<u32>,
    message: &'a str,
}

/// The report as one JSON object with a line break behind it.
pub fn render(report: &Report, lang: Lang) -> String {
    let check = Check {
        schema: "podsight.dev/check/v1",
        summary: Summary {
            files: report.files.len(),
            workloads: report.workloads,
            findings: report.items.len(),
            problems: report.problems.len(),
        },
        findings: report.items.iter().map(|item| finding(item, lang)).collect(),
        problems: report
            .problems
            .iter()
            .map(|problem| Problem { file: &problem.file, line: problem.line, message: &problem.message })
            .collect(),
    };
    // Serialising texts and numbers to memory cannot fail.
    let mut text = serde_json::to_string_pretty(&check).unwrap_or_default();
    text.push('\n');
    text
}

fn finding(item: &Item, lang: Lang) -> Finding<'_> {
    let finding = &item.finding;
    Finding {
        rule: finding.rule,
        certainty: finding.certainty.id(),
        predicts: finding.predicts.iter().map(|cause| cause.id()).collect(),
        file: &item.file,
        line: item.position.map(|position| position.line),
        column: item.position.map(|position| position.column),
        pointer: &finding.pointer,
        object: Object {
            api_version: &item.api_version,
            kind: &item.kind,
            namespace: item.namespace.as_deref(),
            name: item.name.as_deref(),
        },
        container: finding.container.as_deref(),
        message: finding.message(lang),
        help: finding.help(lang),
    }
}
