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
    absent: Vec<&'static str>,
}

/// How an installation is, as an exit status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong or risky in what could be looked at.
    Well,
    /// Something is wrong or risky.
    NotWell,
    /// Nothing of it could be looked at.
    Unknown,
}

impl Verdict {
    /// How an installation is in which this was found.
    pub fn of(seen: &Seen, findings: &[Finding]) -> Self {
        match findings {
            [] if seen.is_blind() => Self::Unknown,
            [] => Self::Well,
            _ => Self::NotWell,
        }
    }

    /// The exit status.
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::NotWell => 1,
            Self::Unknown => 2,
        }
    }
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
    let report = Report { schema: "podsight.dev/doctor/v1", summary, findings: rows.collect(), unread, absent: seen.absent() };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

/// The answer first, and what it does not cover; then each finding with what to do next.
pub fn text(seen: &Seen, findings: &[Finding], lang: Lang) -> String {
    let refused = seen.refused();
    let mut text = first_line(seen, findings, lang) + "\n";
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
    let absent = seen.absent();
    if !absent.is_empty() {
        match lang {
            Lang::En => line(format_args!("\nnot installed: {}", absent.join(", "))),
            Lang::Zh => line(format_args!("\n未安装：{}", absent.join("、"))),
        }
    }
    text
}

/// How it is, and what that does not cover.
fn first_line(seen: &Seen, findings: &[Finding], lang: Lang) -> String {
    let (wrong, risky) = (count(findings, Level::Wrong), count(findings, Level::Risky));
    let refused: Vec<&str> = seen.refused().into_iter().map(|(what, _)| what).collect();
    let answer = match (Verdict::of(seen, findings), lang) {
        (Verdict::Unknown, Lang::En) => "podsight could not be judged: nothing of the installation could be looked at".to_owned(),
        (Verdict::Unknown, Lang::Zh) => "无法判断 podsight：安装的任何部分都无法检查".to_owned(),
        (Verdict::Well, Lang::En) if refused.is_empty() => "podsight is well: nothing wrong or risky was found".to_owned(),
        (Verdict::Well, Lang::Zh) if refused.is_empty() => "podsight 正常：没有发现错误或风险".to_owned(),
        (Verdict::Well, Lang::En) => "nothing wrong or risky was found in what could be looked at".to_owned(),
        (Verdict::Well, Lang::Zh) => "在能检查的部分没有发现错误或风险".to_owned(),
        (Verdict::NotWell, Lang::En) => format!("podsight is not well: {wrong} wrong, {risky} risky"),
        (Verdict::NotWell, Lang::Zh) => format!("podsight 有问题：{wrong} 处错误，{risky} 处风险"),
    };
    match lang {
        _ if refused.is_empty() => answer,
        Lang::En => format!("{answer}; not looked at: {}", refused.join(", ")),
        Lang::Zh => format!("{answer}；未检查：{}", refused.join("、")),
    }
}

/// What comes from a cluster, without anything that a terminal could take for a command.
fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}
