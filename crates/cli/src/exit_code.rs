//! `podsight exit-code`.

use std::process::ExitCode;

/// What an exit code means.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
