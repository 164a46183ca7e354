//! `podsight check`.

use std::process::ExitCode;

/// Predict failures in manifests.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
