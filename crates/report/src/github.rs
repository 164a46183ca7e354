//! Annotations of GitHub Actions: `::error file=…,line=…::message`.

use crate::Report;
use crate::report::add_line;
use podsight_cause::Lang;
use podsight_rules::Certainty;

/// One line a finding and a problem.
pub fn render(report: &Report, lang: Lang) -> String {
    let mut out = String::new();
    for item in &report.items {
        let level = match item.finding.certainty {
            Certainty::Certain => "error",
            Certainty::Likely => "warning",
            Certainty::Hint => "notice",
        };
        let place = item.position.map(|position| format!(",line={},col={}", position.line, position.column)).unwrap_or_default();
        let message = format!("{}: {}\n{}", item.subject(), item.finding.message(lang), item.finding.help(lang));
        add_line(
            &mut out,
            &format!(
                "::{level} file={}{place},title={}::{}",
                property(item.file.trim_start_matches("./")),
                item.finding.rule,
                data(&message)
            ),
        );
    }
    for problem in &report.problems {
        let place = problem.line.map(|line| format!(",line={line}")).unwrap_or_default();
        add_line(
            &mut out,
            &format!(
                "::warning file={}{place},title=podsight::{}",
                property(problem.file.trim_start_matches("./")),
                data(&problem.message)
            ),
        );
    }
    out
}

/// As `escapeData` of actions/toolkit.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As `escapeProperty` of actions/toolkit.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
