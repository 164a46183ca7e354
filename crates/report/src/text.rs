//! The report for people, in the look of a compiler.

use crate::report::add_line;
use crate::{Item, Report};
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use podsight_cause::Lang;
use podsight_rules::{Certainty, shown};

/// The report as text. With styles for a terminal; who writes it to something else takes them away.
pub fn render(report: &Report, lang: Lang) -> String {
    let renderer = Renderer::styled();
    let mut out = String::new();
    for item in &report.items {
        out.push_str(&renderer.render(&[group(item, lang)]));
        out.push_str("\n\n");
    }
    for problem in &report.problems {
        let level = match lang {
            Lang::En => Level::WARNING.with_name("problem"),
            Lang::Zh => Level::WARNING.with_name("问题"),
        };
        let mut origin = Origin::path(shown(&problem.file, 400));
        if let Some(line) = problem.line {
            origin = origin.line(usize::try_from(line).unwrap_or(0));
        }
        out.push_str(&renderer.render(&[level.primary_title(shown(&problem.message, 400)).element(origin)]));
        out.push_str("\n\n");
    }
    add_line(&mut out, &summary(report, lang));
    out
}

fn group(item: &Item, lang: Lang) -> annotate_snippets::Group<'_> {
    let finding = &item.finding;
    let level = match (finding.certainty, lang) {
        (Certainty::Certain, Lang::En) => Level::ERROR.with_name("certain"),
        (Certainty::Certain, Lang::Zh) => Level::ERROR.with_name("必然"),
        (Certainty::Likely, Lang::En) => Level::WARNING.with_name("likely"),
        (Certainty::Likely, Lang::Zh) => Level::WARNING.with_name("很可能"),
        (Certainty::Hint, Lang::En) => Level::INFO.with_name("hint"),
        (Certainty::Hint, Lang::Zh) => Level::INFO.with_name("提示"),
    };
    let mut group = level.primary_title(finding.message(lang)).id(finding.rule).element(place(item));
    let who = item.subject();
    group = group.element(
        Level::NOTE
            .with_name(match lang {
                Lang::En => "in",
                Lang::Zh => "位于",
            })
            .message(who),
    );
    if !finding.help(lang).is_empty() {
        group = group.element(
            Level::HELP
                .with_name(match lang {
                    Lang::En => "help",
                    Lang::Zh => "建议",
                })
                .message(finding.help(lang)),
        );
    }
    group
}

fn place(item: &Item) -> annotate_snippets::Element<'_> {
    let path = shown(&item.file, 400);
    let line = item.position.map_or(1, |position| usize::try_from(position.line).unwrap_or(1));
    match &item.excerpt {
        Some(excerpt) => Snippet::source(excerpt.text.as_str())
            .line_start(line)
            .path(path)
            .annotation(AnnotationKind::Primary.span(excerpt.span.clone()))
            .into(),
        None => Origin::path(path).into(),
    }
}

fn summary(report: &Report, lang: Lang) -> String {
    let count = |certainty| report.items.iter().filter(|item| item.finding.certainty == certainty).count();
    let (certain, likely, hints) = (count(Certainty::Certain), count(Certainty::Likely), count(Certainty::Hint));
    let (files, workloads, problems) = (report.files.len(), report.workloads, report.problems.len());
    match lang {
        Lang::En => {
            let number = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
            let mut found = if report.items.is_empty() {
                "nothing found".to_owned()
            } else {
                let parts = [(certain, "certain"), (likely, "likely"), (hints, "hint")];
                let parts: Vec<String> =
                    parts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
                format!("{} ({})", number(report.items.len(), "finding", "findings"), parts.join(", "))
            };
            if problems > 0 {
                found = format!("{found}, {}", number(problems, "problem", "problems"));
            }
            format!("{found} in {} of {}", number(workloads, "workload", "workloads"), number(files, "file", "files"))
        }
        Lang::Zh => {
            let problems = if problems > 0 { format!("，{problems} 个无法读取之处") } else { String::new() };
            let found = if report.items.is_empty() {
                "没有发现问题".to_owned()
            } else {
                format!("发现 {} 处（必然 {certain}，很可能 {likely}，提示 {hints}）", report.items.len())
            };
            format!("{files} 个文件，{workloads} 个工作负载：{found}{problems}")
        }
    }
}
