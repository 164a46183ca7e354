//! `podsight reason`.

use std::process::ExitCode;

/// What a STATUS or reason means.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
