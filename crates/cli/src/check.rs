//! `podsight check`.

mod cluster;
mod files;
mod fix;
mod load;
mod registry;
mod render;
mod run;

use crate::args::Voice;
use crate::output;
use clap::ValueEnum;
use podsight_report::{github, json, junit, markdown, sarif, text};
use podsight_rules::Certainty;
use std::path::PathBuf;
use std::process::ExitCode;

/// Predict failures in manifests.
///
/// Reads files and folders of YAML and JSON, finds what will not start or will be killed, and says as what it will fail.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 nothing found, 1 found something at the level of --fail-on, 2 wrong usage or nothing could be read."
)]
pub(crate) struct Args {
    /// Files, folders (all below them), or - for standard input [default: .]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Output format
    #[arg(short = 'o', long = "format", visible_alias = "output", value_enum, default_value_t)]
    format: Format,
    /// Exit with status 1 from this certainty on
    #[arg(long, value_enum, default_value_t, value_name = "CERTAINTY")]
    fail_on: FailOn,
    /// What to look for: failures alone, or bad habits as well
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Only these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_id)]
    only: Vec<String>,
    /// All but these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = rule_id)]
    skip: Vec<String>,
    /// Render Helm charts and kustomizations (with helm, and kustomize or kubectl) and check what they make
    #[arg(long)]
    render: bool,
    /// Ask registries whether images and their platforms exist, with docker's or podman's credentials
    #[arg(long)]
    registry: bool,
    /// Mend what has one safe answer: print the difference, or change the files
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "diff")]
    fix: Option<fix::Fix>,
    #[command(flatten)]
    cluster: cluster::Args,
    #[command(flatten)]
    voice: Voice,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For people, like a compiler's
    #[default]
    Text,
    /// The schema podsight.dev/check/v1
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations of GitHub Actions
    Github,
    /// A table for a comment
    Markdown,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FailOn {
    Hint,
    #[default]
    Likely,
    Certain,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// What will fail or is likely to
    #[default]
    Failures,
    /// Bad habits as well
    Hygiene,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        let paths = if self.paths.is_empty() { vec![PathBuf::from(".")] } else { self.paths };
        let least = if self.profile == Profile::Hygiene { Certainty::Hint } else { Certainty::Likely };
        let wanted = run::Wanted { least, only: self.only, skip: self.skip, render: self.render, registry: self.registry };
        if self.fix == Some(fix::Fix::Write) && paths.iter().any(|path| path.as_os_str() == "-") {
            return output::fail(&anyhow::anyhow!("standard input cannot be changed: --fix without =write prints the difference"));
        }
        let mut outcome = run::run(&paths, &wanted, &self.cluster);
        if self.fix == Some(fix::Fix::Write) {
            if let Err(error) = fix::write(&outcome) {
                return output::fail(&error);
            }
            outcome = run::run(&paths, &wanted, &self.cluster);
        }
        let lang = self.voice.lang();
        let report = &outcome.report;
        for note in &outcome.notes {
            output::note(note);
        }
        let found = match self.fail_on {
            FailOn::Hint => report.has(Certainty::Hint),
            FailOn::Likely => report.has(Certainty::Likely),
            FailOn::Certain => report.has(Certainty::Certain),
            FailOn::Never => false,
        };
        let code = if outcome.nothing_read { ExitCode::from(output::FAILED) } else { ExitCode::from(u8::from(found)) };
        if self.fix == Some(fix::Fix::Diff) {
            return output::print_raw(&fix::diff(&outcome), code);
        }
        match self.format {
            Format::Text => output::print(&self.voice, &text::render(report, lang), code),
            Format::Json => output::print_raw(&json::render(report, lang), code),
            Format::Sarif => output::print_raw(&sarif::render(report, lang), code),
            Format::Junit => output::print_raw(&junit::render(report, lang), code),
            Format::Github => output::print_raw(&github::render(report, lang), code),
            Format::Markdown => output::print_raw(&markdown::render(report, lang), code),
        }
    }
}

/// An id of the catalogue; a wrong one is told with the nearest.
fn rule_id(text: &str) -> Result<String, String> {
    if podsight_rules::rule(text).is_some() {
        return Ok(text.to_owned());
    }
    Err(crate::rules::unknown(text))
}
