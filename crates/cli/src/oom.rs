//! `podsight oom`.

use std::process::ExitCode;

/// The confirmed out-of-memory kills of the cluster's pods.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
