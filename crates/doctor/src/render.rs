//! The answer, for people and for programs.

use crate::finding::{Finding, Level};
use crate::seen::Seen;
use podsight_cause::Lang;
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
struct Summary {
    wrong: usize,
    risky: usize,
    unread: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    check: &'static str,
    level: Level,
    object: &'a str,
    message: String,
    next: String,
}

#[derive(Serialize)]
struct Unread<'a> {
    what: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    summary: Summary,
    findings: Vec<Row<'a>>,
    unread: Vec<Unread<'a>>,
}

fn count(findings: &[Finding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.check.level() == level).count()
}

/// One object with a schema.
pub fn json(seen: &Seen, findings: &[Finding], lang: Lang) -> Result<String, serde_json::Error> {
    let rows = findings.iter().map(|finding| Row {
        check: finding.check.id(),
        level: finding.check.level(),
        object: &finding.object,
        message: finding.message(lang),
        next: finding.next(&seen.namespace),
    });
    let unread: Vec<Unread<'_>> = seen.refused().into_iter().map(|(what, why)| Unread { what, why }).collect();
    let summary = Summary { wrong: count(findings, Level::Wrong), risky: count(findings, Level::Risky), unread: unread.len() };
    let report = Report { schema: "podsight.dev/doctor/v1", summary, findings: rows.collect(), unread };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

/// The answer first, then each finding with what to do next.
pub fn text(seen: &Seen, findings: &[Finding], lang: Lang) -> String {
    let (wrong, risky) = (count(findings, Level::Wrong), count(findings, Level::Risky));
    let refused = seen.refused();
    let mut text = match (lang, wrong, risky) {
        (Lang::En, 0, 0) => "podsight is well: nothing wrong or risky was found\n".to_owned(),
        (Lang::Zh, 0, 0) => "podsight 正常：没有发现错误或风险\n".to_owned(),
        (Lang::En, _, _) => format!("podsight is not well: {wrong} wrong, {risky} risky\n"),
        (Lang::Zh, _, _) => format!("podsight 有问题：{wrong} 处错误，{risky} 处风险\n"),
    };
    let mut line = |line: std::fmt::Arguments<'_>| {
        let written = writeln!(text, "{line}");
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    };
    for finding in findings {
        let level = match (finding.check.level(), lang) {
            (Level::Wrong, Lang::En) => "wrong",
            (Level::Risky, Lang::En) => "risky",
            (Level::Wrong, Lang::Zh) => "错误",
            (Level::Risky, Lang::Zh) => "风险",
        };
        line(format_args!("\n{level}  {}: {} [{}]", clean(&finding.object), clean(&finding.message(lang)), finding.check.id()));
        line(format_args!("       {}", finding.next(&seen.namespace)));
    }
    for (what, why) in refused {
        match lang {
            Lang::En => line(format_args!("\nnot looked at: {what}: {}", clean(why))),
            Lang::Zh => line(format_args!("\n未检查：{what}：{}", clean(why))),
        }
    }
    text
}

/// What comes from a cluster, without anything that a terminal could take for a command.
fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}
