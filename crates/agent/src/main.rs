//! The node agent.

use clap::Parser;
use podsight_agent::{Args, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    podsight_runtime::crypto::install();
    run(Args::parse())
}
