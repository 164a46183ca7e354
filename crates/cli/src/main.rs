//! The command line.

mod args;
mod check;
mod completions;
mod exit_code;
mod explain;
mod kmsg;
mod oom;
mod reason;
mod rules;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    args::Args::parse().run()
}
