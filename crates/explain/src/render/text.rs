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
        Lang::En if columns.restarts == 1 => "1 restart".to_owned(),
        Lang::En => format!("{} restarts", columns.restarts),
        Lang::Zh => format!("重启 {} 次", columns.restarts),
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

/// One pod in one line: the columns, the cause and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    cells: [String; 5],
    summary: String,
    color: &'static str,
}

/// The longest answer in a line, in characters; the explanation of the pod has all of it.
const ANSWER: usize = 160;

/// The widest cells that the others are lined up with, in characters: a longer one pushes its own line only.
const WIDEST: [usize; 5] = [48, 28, 7, 5, 32];

impl Line {
    /// The line of an explanation, without what it rests on.
    pub fn of(explanation: &Explanation, lang: Lang) -> Option<Self> {
        let columns = &explanation.columns;
        let best = explanation.causes.first()?;
        // What works again is no alarm.
        let works = columns.status == "Running" && columns.ready.split_once('/').is_some_and(|(ready, total)| ready == total);
        let color = if works && color(best) == RED { YELLOW } else { color(best) };
        let cells = [
            words::title(explanation, lang),
            clean(&columns.status).into_owned(),
            columns.ready.clone(),
            columns.restarts.to_string(),
            best.cause.id().to_owned(),
        ];
        Some(Self { cells, summary: begun(first_sentence(&clean(&best.summary))), color })
    }

    fn render(&self, widths: [usize; 5]) -> String {
        let [title, status, ready, restarts, cause] = &self.cells;
        let [of_title, of_status, of_ready, of_restarts, of_cause] = widths;
        let color = self.color;
        format!(
            "{color}{title:of_title$}{RESET}  {status:of_status$}  {ready:of_ready$}  {restarts:>of_restarts$}  {BOLD}{cause:of_cause$}{RESET}  {}\n",
            self.summary
        )
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.render([0; 5]))
    }
}

/// The lines below each other, their cells lined up. Styles are in them as escape sequences.
pub fn lines(lines: &[Line]) -> impl Iterator<Item = String> + '_ {
    let mut widths = [0; 5];
    for line in lines {
        for ((width, cell), widest) in widths.iter_mut().zip(&line.cells).zip(WIDEST) {
            *width = cell.chars().count().min(widest).max(*width);
        }
    }
    lines.iter().map(move |line| line.render(widths))
}

/// The text, ended by a mark where it is too long for a line.
fn begun(text: &str) -> String {
    match text.char_indices().nth(ANSWER) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text).trim_end()),
        None => text.to_owned(),
    }
}

/// The text up to the end of its first sentence.
fn first_sentence(text: &str) -> &str {
    let chinese = text.find('。').map(|end| end + '。'.len_utf8());
    let english = text.match_indices(". ").map(|(end, _)| end + 1).find(|end| {
        let next = text.get(*end..).and_then(|rest| rest.trim_start().chars().next());
        next.is_some_and(char::is_uppercase)
    });
    let end = chinese.into_iter().chain(english).min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

fn color(best: &Explained) -> &'static str {
    match (best.cause.group(), best.confidence) {
        (Group::Normal, _) => GREEN,
        (Group::Unknown, _) | (_, Confidence::Low) => YELLOW,
        _ => RED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_ends_where_the_next_begins() {
        assert_eq!(first_sentence("app was killed. It ignores SIGTERM."), "app was killed.");
        assert_eq!(first_sentence("no `docker.io. x` here, v1. 2 of 3"), "no `docker.io. x` here, v1. 2 of 3");
        assert_eq!(first_sentence("被杀死。不是内存问题。"), "被杀死。");
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn a_long_cell_pushes_its_own_line_only() {
        let line = |title: &str, summary: &str| Line {
            cells: [title.to_owned(), "Running".to_owned(), "1/1".to_owned(), "3".to_owned(), "healthy".to_owned()],
            summary: summary.to_owned(),
            color: GREEN,
        };
        let long = "x".repeat(60);
        let given = [line("a", "one"), line(&long, "two")];
        let bare: Vec<String> = lines(&given).map(|line| line.replace(GREEN, "").replace(RESET, "").replace(BOLD, "")).collect();
        assert_eq!(bare, [format!("{:48}  Running  1/1  3  healthy  one\n", "a"), format!("{long}  Running  1/1  3  healthy  two\n")]);
    }
}
