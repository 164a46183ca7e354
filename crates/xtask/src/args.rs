//! What `cargo xtask` understands.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use podsight_testbed::node::namespace;
use podsight_testbed::progress::Progress;
use podsight_testbed::{cleanup, folders, images, janitor};

use crate::{bench, dist, generate, test, up};

/// Development tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows podsight at work on a real Kubernetes on this machine; stays up until Ctrl-C or `cargo xtask down`.
    Up {
        /// Take it down again at once; exit 0 only if every expected warning and piece of evidence was there.
        #[arg(long)]
        once: bool,
    },
    /// Takes down what `up` left running.
    Down,
    /// Writes the documents that are generated from the code.
    Gen,
    /// Runs every test: formatting, lints, unit, integration and repository tests, and the end-to-end tests on real nodes.
    Test,
    /// Measures the real programs and writes docs/reference/figures.md.
    Bench,
    /// Makes a release: archives, images, the chart, manifests, completions, manual pages, bills of materials, krew's manifest, sums.
    Dist(dist::Args),
    /// Writes podsight's images as OCI archives to target/images.
    Image,
    #[command(name = janitor::VERB, hide = true)]
    Janitor { folder: PathBuf },
    #[command(name = namespace::VERB, hide = true)]
    NodeInit { folder: PathBuf },
}

/// Runs the verb of the command line.
pub(crate) fn run() -> ExitCode {
    match dispatch(Args::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to be told when standard error is closed.
            writeln!(std::io::stderr(), "error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn dispatch(verb: Verb) -> Result<ExitCode> {
    match verb {
        Verb::Up { once } => return up::run(once),
        Verb::Test => return test::run(),
        Verb::Bench => return bench::run(),
        Verb::Down => {
            let said = if cleanup::down(&folders::state()?)? { "the testbed is down" } else { "no testbed is running" };
            writeln!(std::io::stdout(), "{said}")?;
        }
        Verb::Gen => generate::run()?,
        Verb::Dist(args) => dist::run(&args)?,
        Verb::Image => {
            for archive in images::build_podsight(&Progress::default())? {
                writeln!(std::io::stdout(), "{}", archive.display())?;
            }
        }
        Verb::Janitor { folder } => janitor::work(&folder)?,
        Verb::NodeInit { folder } => namespace::init(&folder)?,
    }
    Ok(ExitCode::SUCCESS)
}
