//! `podsight rules`.

use std::process::ExitCode;

/// The catalogue of rules.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
