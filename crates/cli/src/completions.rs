//! `podsight completions`.

use crate::output;
use std::process::ExitCode;

/// Write the completion script of a shell to standard output.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Args {
    pub(crate) fn run(self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::args::command(None), "podsight", &mut script);
        output::print_raw(&String::from_utf8_lossy(&script), ExitCode::SUCCESS)
    }
}
