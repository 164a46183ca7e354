//! The report as JUnit XML: a suite a file, a failed case a finding, an error a problem.

use crate::report::add_line;
use crate::{Item, Report};
use podsight_cause::Lang;
use std::collections::BTreeMap;

/// The report as one XML document.
pub fn render(report: &Report, lang: Lang) -> String {
    let mut findings: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in &report.items {
        findings.entry(&item.file).or_default().push(item);
    }
    let mut problems: BTreeMap<&str, Vec<&crate::FileProblem>> = BTreeMap::new();
    for problem in &report.problems {
        problems.entry(&problem.file).or_default().push(problem);
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = report.items.len() + report.problems.len();
    let files: Vec<&str> = report
        .files
        .iter()
        .map(String::as_str)
        .chain(problems.keys().copied().filter(|file| !report.files.iter().any(|read| read == file)))
        .collect();
    let quiet = files.iter().filter(|file| !findings.contains_key(**file) && !problems.contains_key(**file)).count();
    add_line(
        &mut out,
        &format!(
            "<testsuites name=\"podsight\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
            all + quiet,
            report.items.len(),
            report.problems.len()
        ),
    );
    for file in files {
        let found = findings.get(file).map_or(&[][..], Vec::as_slice);
        let unread = problems.get(file).map_or(&[][..], Vec::as_slice);
        let tests = (found.len() + unread.len()).max(1);
        add_line(
            &mut out,
            &format!("  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{}\" errors=\"{}\">", xml(file), found.len(), unread.len()),
        );
        if found.is_empty() && unread.is_empty() {
            add_line(&mut out, &format!("    <testcase name=\"podsight check\" classname=\"{}\"/>", xml(file)));
        }
        for item in found {
            let line = item.position.map_or(0, |position| position.line);
            add_line(
                &mut out,
                &format!("    <testcase name=\"{} {}\" classname=\"{}\">", xml(item.finding.rule), xml(&item.subject()), xml(file)),
            );
            add_line(
                &mut out,
                &format!(
                    "      <failure type=\"{}\" message=\"{}\">{}:{line}: {}</failure>",
                    item.finding.certainty.id(),
                    xml(item.finding.message(lang)),
                    xml(file),
                    xml(item.finding.help(lang))
                ),
            );
            out.push_str("    </testcase>\n");
        }
        for problem in unread {
            add_line(&mut out, &format!("    <testcase name=\"read\" classname=\"{}\">", xml(file)));
            add_line(
                &mut out,
                &format!("      <error message=\"{}\">{}:{}</error>", xml(&problem.message), xml(file), problem.line.unwrap_or(0)),
            );
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text for XML 1.0: markup escaped, characters that it cannot hold replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
