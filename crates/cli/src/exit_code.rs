//! `podsight exit-code`.

use crate::args::{Format, Output};
use crate::output;
use podsight_cause::Lang;
use podsight_explain::exit_code::{self, Meaning};
use std::process::ExitCode;

/// What an exit code means
///
/// The code is given as the program said it (any integer), as the status of a container shows it, or as the name of a signal.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Exit codes such as 137, -1 or 0xC0000005, or signals such as SIGKILL
    #[arg(required = true, value_name = "CODE", allow_negative_numbers = true)]
    codes: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(serde::Serialize)]
struct Report {
    schema: &'static str,
    codes: Vec<Meaning>,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        let lang = self.output.voice.lang();
        let mut code = ExitCode::SUCCESS;
        let mut codes = Vec::new();
        for given in &self.codes {
            match exit_code::explain(given, lang) {
                Ok(meaning) => codes.push(meaning),
                Err(error) => code = output::fail(&error.into()),
            }
        }
        if codes.is_empty() {
            return code;
        }
        match self.output.format {
            Format::Text => output::print(&self.output.voice, &text(&codes, lang), code),
            Format::Json => match serde_json::to_string_pretty(&Report { schema: "podsight.dev/exit-code/v1", codes }) {
                Ok(json) => output::print_raw(&format!("{json}\n"), code),
                Err(error) => output::fail(&anyhow::Error::new(error).context("cannot write JSON")),
            },
        }
    }
}

fn text(codes: &[Meaning], lang: Lang) -> String {
    let mut text = String::new();
    for (position, meaning) in codes.iter().enumerate() {
        let Meaning { given, shown, name, summary, checks, .. } = meaning;
        let becomes = if *given == shown.to_string() { String::new() } else { format!(" → {shown}") };
        let head = match lang {
            Lang::En => "Check",
            Lang::Zh => "检查",
        };
        let gap = if position == 0 { "" } else { "\n" };
        text.extend([format!("{gap}{given}{becomes} · {name}\n  {summary}\n  {head}\n")]);
        for check in checks {
            text.extend([format!("  - {check}\n")]);
        }
    }
    text
}
