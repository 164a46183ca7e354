//! `podsight kmsg`.

mod analysis;
mod json;

use analysis::Analysis;
use clap::ValueEnum;
use podsight_oom::Machine;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Report the out-of-memory kills in a kernel log.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Logs: raw /dev/kmsg, dmesg, journalctl -k, syslog files; - for standard input; none for the running kernel's log
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The form of the output
    #[arg(short = 'o', long = "format", value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        match self.try_run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let mut stderr = std::io::stderr();
                writeln!(stderr, "podsight: {error:#}").unwrap_or_default();
                ExitCode::from(2)
            }
        }
    }

    fn try_run(&self) -> anyhow::Result<()> {
        use anyhow::Context as _;
        let mut analysis = Analysis::default();
        let mut machine = Machine::default();
        for file in &self.files {
            let log = if file.as_os_str() == "-" {
                let mut log = Vec::new();
                std::io::stdin().read_to_end(&mut log).context("failed to read standard input")?;
                log
            } else {
                std::fs::read(file).with_context(|| format!("failed to read `{}`", file.display()))?
            };
            analysis.read(&log, &mut machine);
        }
        let mut out = std::io::stdout().lock();
        match self.format {
            Format::Text | Format::Json => {
                serde_json::to_writer_pretty(&mut out, &json::Output::new(&analysis))?;
                writeln!(out)?;
            }
        }
        Ok(())
    }
}
