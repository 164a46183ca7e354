//! The rules' pages as Markdown files, for docs/rules.

use crate::catalogue::RULES;
use crate::rule::Rule;
use podsight_cause::Lang;

/// The files of docs/rules: name and text. A test of the repository holds them against what lies there.
pub fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = RULES.iter().map(|rule| (format!("{}.md", rule.id()), page(*rule, Lang::En))).collect();
    pages.push(("README.md".to_owned(), index()));
    pages
}

/// The page of one rule, with its title and what it is.
pub fn page(rule: &dyn Rule, lang: Lang) -> String {
    let causes: Vec<String> = rule.predicts().iter().map(|cause| format!("`{}`", cause.id())).collect();
    let none = match lang {
        Lang::En => "no pod is made",
        Lang::Zh => "不会创建 Pod",
    };
    let causes = if causes.is_empty() { none.to_owned() } else { causes.join(", ") };
    let (certainty, predicts) = match lang {
        Lang::En => ("Certainty", "Predicts"),
        Lang::Zh => ("确定性", "预测"),
    };
    let mut text = format!(
        "# {}\n\n{}\n\n{certainty}: {} · {predicts}: {}\n\n",
        rule.id(),
        capitalised(rule.summary(lang)),
        rule.certainty().id(),
        causes
    );
    for line in rule.page().trim().lines() {
        // A documentation comment keeps the blank behind its slashes; the examples' kinds are for the tests.
        let line = line.strip_prefix(' ').unwrap_or(line);
        let line = if line.starts_with("```yaml,") { "```yaml" } else { line };
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn index() -> String {
    let mut text = String::from(
        "# Rules\n\n<!-- Generated from crates/rules by cargo xtask gen. -->\n\n| Rule | Certainty | Finds |\n|---|---|---|\n",
    );
    for rule in RULES {
        let row = format!("| [{id}]({id}.md) | {} | {} |\n", rule.certainty().id(), rule.summary(Lang::En), id = rule.id());
        text.push_str(&row);
    }
    text
}

/// A summary as a sentence.
fn capitalised(summary: &str) -> String {
    let mut chars = summary.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if summary.is_ascii() { "." } else { "。" };
    format!("{first}{}{end}", chars.as_str())
}
