//! `podsight manual`, for those who make packages.

use crate::output;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the manual's pages into a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder
    folder: PathBuf,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        // The help of each verb is a page of its own, and hidden ones have none.
        let written = clap_mangen::generate_to(crate::args::command(None).disable_help_subcommand(true), &self.folder);
        match written.with_context(|| format!("cannot write the manual to {}", self.folder.display())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::fail(&error),
        }
    }
}
