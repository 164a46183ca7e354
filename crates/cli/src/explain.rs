//! `podsight explain`.

use std::process::ExitCode;

/// Why a pod is not well.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
