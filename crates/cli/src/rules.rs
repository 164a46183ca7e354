//! `podsight rules`.

use crate::args::{Format, Output};
use crate::output;
use podsight_cause::Lang;
use podsight_rules::{RULES, Rule};
use serde::Serialize;
use std::process::ExitCode;

/// The catalogue of rules, or the page of one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The id of a rule, such as memory-tiny
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Serialize)]
struct Catalogue {
    schema: &'static str,
    rules: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    group: &'static str,
    certainty: &'static str,
    predicts: Vec<&'static str>,
    summary: &'static str,
    page: &'static str,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        let lang = self.output.voice.lang();
        let rules: Vec<&dyn Rule> = match &self.id {
            None => RULES.to_vec(),
            Some(id) => match podsight_rules::rule(id) {
                Some(rule) => vec![rule],
                None => return output::fail(&anyhow::anyhow!(unknown(id))),
            },
        };
        match self.output.format {
            Format::Json => {
                let rules = rules.into_iter().map(|rule| entry(rule, lang)).collect();
                let mut text = serde_json::to_string_pretty(&Catalogue { schema: "podsight.dev/rules/v1", rules }).unwrap_or_default();
                text.push('\n');
                output::print_raw(&text, ExitCode::SUCCESS)
            }
            Format::Text if self.id.is_some() => {
                let page: String = rules.iter().map(|rule| podsight_rules::page(*rule, lang)).collect();
                output::print(&self.output.voice, &page, ExitCode::SUCCESS)
            }
            Format::Text => output::print(&self.output.voice, &table(&rules, lang), ExitCode::SUCCESS),
        }
    }
}

/// What to say about an id that is not in the catalogue.
pub(crate) fn unknown(id: &str) -> String {
    let near = RULES.iter().map(|rule| rule.id()).find(|known| podsight_rules::is_near(id, known) || (id.len() >= 4 && known.contains(id)));
    let shown = podsight_rules::shown(id, 60);
    match near {
        Some(near) => format!("there is no rule '{shown}': did you mean '{near}'?"),
        None => format!("there is no rule '{shown}': podsight rules lists them all"),
    }
}

fn entry(rule: &dyn Rule, lang: Lang) -> Entry {
    Entry {
        id: rule.id(),
        group: rule.group(),
        certainty: rule.certainty().id(),
        predicts: rule.predicts().iter().map(|cause| cause.id()).collect(),
        summary: rule.summary(lang),
        page: rule.page(),
    }
}

fn table(rules: &[&dyn Rule], lang: Lang) -> String {
    let width = rules.iter().map(|rule| rule.id().len()).max().unwrap_or(0);
    let (id, certainty, summary) = match lang {
        Lang::En => ("RULE", "CERTAINTY", "FINDS"),
        Lang::Zh => ("规则", "确定性", "发现什么"),
    };
    let pad = |text: &str, width: usize| format!("{text}{}", " ".repeat(width.saturating_sub(unicode_width::UnicodeWidthStr::width(text))));
    let mut table = format!("{}  {}  {summary}\n", pad(id, width), pad(certainty, 9));
    for rule in rules {
        table.push_str(&pad(rule.id(), width));
        table.push_str("  ");
        table.push_str(&pad(rule.certainty().id(), 9));
        table.push_str("  ");
        table.push_str(rule.summary(lang));
        table.push('\n');
    }
    table
}
