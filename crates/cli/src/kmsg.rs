//! `podsight kmsg`.

use std::process::ExitCode;

/// Report the out-of-memory kills in a kernel log.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        ExitCode::from(2)
    }
}
