//! `podsight completions`.

use std::process::ExitCode;

/// Print a shell completion script.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
