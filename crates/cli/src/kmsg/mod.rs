//! `podsight kmsg`.

mod advice;
mod analysis;
mod input;
mod json;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod words;

use crate::args::{Format, Output};
use crate::output;
use analysis::Analysis;
use podsight_oom::Machine;
use std::path::PathBuf;
use std::process::ExitCode;

/// Report the out-of-memory kills in a kernel log
///
/// Reads raw /dev/kmsg records, dmesg with any kind of time, journalctl -k (also as JSON), syslog files and copies of these, in one file or mixed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kernel logs; - for standard input; without any the running kernel's log
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        match self.analyse() {
            Ok(analysis) => self.show(&analysis),
            Err(error) => output::fail(&error),
        }
    }

    /// Reads all logs. One that cannot be read is told of; only if all cannot, there is no answer.
    fn analyse(&self) -> anyhow::Result<Analysis> {
        let mut analysis = Analysis::default();
        let mut machine = Machine::default();
        if self.files.is_empty() {
            analysis.read(&input::running_kernel()?, &mut machine);
            analysis.date(input::boot_time());
            return Ok(analysis);
        }
        let mut failed = Vec::new();
        for file in &self.files {
            match input::file(file) {
                Ok(log) => analysis.read(&log, &mut machine),
                Err(error) => failed.push(error),
            }
        }
        if failed.len() == self.files.len()
            && let Some(error) = failed.pop()
        {
            for error in failed {
                output::note(&format!("error: {error:#}"));
            }
            return Err(error);
        }
        for error in failed {
            output::note(&format!("warning: {error:#}"));
        }
        Ok(analysis)
    }

    fn show(&self, analysis: &Analysis) -> ExitCode {
        match self.output.format {
            Format::Text => output::print(&self.output.voice, &text::report(analysis, self.output.voice.lang()), ExitCode::SUCCESS),
            Format::Json => match serde_json::to_string_pretty(&json::Output::new(analysis)) {
                Ok(json) => output::print_raw(&(json + "\n"), ExitCode::SUCCESS),
                Err(error) => output::fail(&anyhow::Error::new(error).context("cannot write JSON")),
            },
        }
    }
}
