//! Development tasks: `cargo xtask --help`.

mod args;
mod bench;
mod certs;
mod dist;
mod fuzz;
mod generate;
mod nodes;
mod tally;
mod test;
mod up;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::run()
}
