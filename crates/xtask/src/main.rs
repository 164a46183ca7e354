//! Development tasks: `cargo xtask --help`.

mod args;
mod bench;
mod dist;
mod generate;
mod tally;
mod test;
mod up;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::run()
}
