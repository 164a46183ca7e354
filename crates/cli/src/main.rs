//! The command line.

mod args;
mod check;
mod completions;
mod doctor;
mod exit_code;
mod explain;
mod kmsg;
mod manual;
mod oom;
mod output;
mod reason;
mod rules;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::Args::from_command_line(std::env::args_os()) {
        Ok(args) => args.run(),
        Err(error) => {
            // Usage errors go to standard error, help to standard output; clap knows which.
            drop(error.print());
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(output::FAILED))
        }
    }
}
