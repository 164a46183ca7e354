//! The report as Markdown, for a comment on a change or a job's summary.

use crate::Report;
use crate::report::add_line;
use podsight_cause::Lang;
use podsight_rules::shown;

/// A table of the findings and a list of the problems.
pub fn render(report: &Report, lang: Lang) -> String {
    let (title, head, problems) = match lang {
        Lang::En => ("podsight", "| | Where | What happens and why | Rule |", "Not read"),
        Lang::Zh => ("podsight", "| | 位置 | 会发生什么，为什么 | 规则 |", "无法读取"),
    };
    let mut out = format!("## {title}\n\n");
    if report.items.is_empty() {
        out.push_str(match lang {
            Lang::En => "Nothing found.\n",
            Lang::Zh => "没有发现问题。\n",
        });
    } else {
        out.push_str(head);
        out.push_str("\n|---|---|---|---|\n");
    }
    for item in &report.items {
        let place = item.position.map_or_else(|| cell(&item.file), |position| format!("{}:{}", cell(&item.file), position.line));
        let finding = &item.finding;
        add_line(
            &mut out,
            &format!(
                "| {} | `{place}`<br>{} | {}<br>*{}* | `{}` |",
                finding.certainty.id(),
                cell(&item.subject()),
                cell(finding.message(lang)),
                cell(finding.help(lang)),
                finding.rule
            ),
        );
    }
    if !report.problems.is_empty() {
        add_line(&mut out, &format!("\n### {problems}\n"));
    }
    for problem in &report.problems {
        let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
        add_line(&mut out, &format!("- `{}{line}`: {}", cell(&problem.file), cell(&problem.message)));
    }
    out
}

/// A text that cannot end the cell, the code span or the line.
fn cell(text: &str) -> String {
    shown(text, 300).replace('|', "\\|").replace('`', "'").replace('<', "&lt;").replace('>', "&gt;")
}
