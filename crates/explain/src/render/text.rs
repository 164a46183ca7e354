//! Text for a terminal: the answer first.

use super::{clean, words};
use crate::explanation::{Confidence, Explained, Explanation};
use crate::quote::bounded;
use podsight_cause::{Group, Lang};

const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const GREEN: &str = "\u{1b}[32m";
const RESET: &str = "\u{1b}[0m";

/// The longest evidence in the text, in characters; the JSON has all of it.
const EVIDENCE: usize = 220;

/// One explanation: the answer in the first line, then what it rests on and what to do. Styles are in it as escape sequences.
pub fn text(explanation: &Explanation, lang: Lang) -> String {
    let words = words::words(lang);
    let columns = &explanation.columns;
    let title = words::title(explanation, lang);
    let mut out = String::new();
    let Some((best, others)) = explanation.causes.split_first() else { return out };
    let color = color(best);
    append!(out, "{BOLD}{color}{title}{RESET}{BOLD}: {}{RESET}\n", clean(&best.summary));
    let restarts = match lang {
        Lang::En => format!("{} {}", columns.restarts, words.restarts),
        Lang::Zh => format!("{}{}", columns.restarts, words.restarts),
    };
    let status = clean(&columns.status);
    if explanation.kind == "Pod" {
        let confidence = words::confidence(best.confidence, lang);
        append!(out, "  {status} · {} {} · {restarts} · {} ({confidence})\n", columns.ready, words.ready, best.cause);
    } else {
        append!(out, "  {}\n", clean(&explanation.kind));
    }
    for (place, evidence) in best.evidence.iter().enumerate() {
        if place == 0 {
            append!(out, "  {}\n", words.because);
        }
        let text = bounded(&clean(&evidence.text), EVIDENCE);
        let source = words::source(evidence.source, lang);
        append!(out, "    {text}  {DIM}{source} {}{RESET}\n", clean(&evidence.pointer));
    }
    for doubt in &best.against {
        append!(out, "  {}: {}\n", words.but, clean(doubt));
    }
    for (place, step) in best.next.iter().enumerate() {
        if place == 0 {
            append!(out, "  {}\n", words.next);
        }
        let changes = if step.changes_something { format!("  {YELLOW}# {}{RESET}", words.changes) } else { String::new() };
        append!(out, "    {BOLD}{}{RESET}{changes}\n      {}\n", clean(&step.command), clean(&step.why));
    }
    if !best.warned_by.is_empty() {
        append!(out, "  {}: {}\n", words.warned, best.warned_by.join(", "));
    }
    for (place, line) in explanation.log.iter().enumerate() {
        if place == 0 {
            append!(out, "  {}\n", words.log);
        }
        append!(out, "    {DIM}|{RESET} {}\n", clean(line));
    }
    for other in others.iter().filter(|other| other.cause.group() != Group::Unknown) {
        append!(
            out,
            "  {} ({}): {} {DIM}{}{RESET}\n",
            words.or,
            words::confidence(other.confidence, lang),
            clean(&other.summary),
            other.cause
        );
    }
    out
}

/// One line: the columns, the cause and the answer.
pub fn line(explanation: &Explanation, lang: Lang) -> String {
    let columns = &explanation.columns;
    let Some(best) = explanation.causes.first() else { return String::new() };
    let title = words::title(explanation, lang);
    let color = color(best);
    format!(
        "{color}{title}{RESET}  {}  {}  {}  {BOLD}{}{RESET}  {}\n",
        clean(&columns.status),
        columns.ready,
        columns.restarts,
        best.cause,
        clean(&best.summary)
    )
}

fn color(best: &Explained) -> &'static str {
    match (best.cause.group(), best.confidence) {
        (Group::Normal, _) => GREEN,
        (Group::Unknown, _) | (_, Confidence::Low) => YELLOW,
        _ => RED,
    }
}
