//! Markdown for an issue.

use super::{clean, words};
use crate::explanation::Explanation;
use crate::quote::bounded;
use podsight_cause::Lang;

/// One explanation as a section.
pub fn markdown(explanation: &Explanation, lang: Lang) -> String {
    let words = words::words(lang);
    let columns = &explanation.columns;
    let mut out = format!(
        "### {}\n\n| STATUS | READY | RESTARTS |\n|---|---|---|\n| {} | {} | {} |\n\n",
        escape(&words::title(explanation, lang)),
        escape(&columns.status),
        columns.ready,
        columns.restarts
    );
    for (place, cause) in explanation.causes.iter().enumerate() {
        let container = cause.container.as_deref().map(|name| format!(" · {}", code(name))).unwrap_or_default();
        let head = if place == 0 { String::new() } else { format!("{}: ", words.or) };
        append!(
            out,
            "**{head}{}** ({}){container}\n\n{}\n\n",
            cause.cause,
            words::confidence(cause.confidence, lang),
            escape(&cause.summary)
        );
        for evidence in &cause.evidence {
            append!(
                out,
                "- {} {}: {}\n",
                words::source(evidence.source, lang),
                code(&evidence.pointer),
                code(&bounded(&evidence.text, 400))
            );
        }
        for doubt in &cause.against {
            append!(out, "- {}: {}\n", words.but, escape(doubt));
        }
        if !cause.evidence.is_empty() || !cause.against.is_empty() {
            out.push('\n');
        }
        if !cause.next.is_empty() {
            append!(out, "{}\n\n```sh\n", words.next);
            for step in &cause.next {
                let changes = if step.changes_something { format!(" ({})", words.changes) } else { String::new() };
                append!(out, "# {}{changes}\n{}\n", clean(&step.why).replace("```", "'''"), clean(&step.command).replace("```", "'''"));
            }
            out.push_str("```\n\n");
        }
        if !cause.warned_by.is_empty() {
            append!(out, "{}: {}\n\n", words.warned, cause.warned_by.iter().map(|rule| code(rule)).collect::<Vec<_>>().join(", "));
        }
    }
    if !explanation.log.is_empty() {
        append!(out, "{}\n\n```\n", words.log);
        for line in &explanation.log {
            append!(out, "{}\n", clean(line).replace("```", "'''"));
        }
        out.push_str("```\n");
    }
    out
}

/// Text whose marks stay marks: no link, no image, no mention, no HTML.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // A word joiner keeps a mention from calling somebody.
            '@' => out.push_str("@\u{2060}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A code span that its text cannot leave.
fn code(text: &str) -> String {
    let text = clean(text).replace('`', "'").replace('|', "\\|");
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}
