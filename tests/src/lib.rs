//! Helpers that the test binaries share.

pub mod authority;
pub mod checkers;
pub mod client;
pub mod clients;
pub mod load;
pub mod program;
pub mod review;
pub mod testbed;
pub mod turns;

/// Says why a test does nothing: at the beginning of a line, where `cargo xtask test` counts it.
#[expect(clippy::print_stdout, reason = "the harness keeps it with the test")]
pub fn skipped(why: &str) {
    println!("skipped: {why}");
}
