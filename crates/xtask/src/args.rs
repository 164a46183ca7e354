//! What `cargo xtask` understands.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use podsight_testbed::node::namespace;
use podsight_testbed::progress::Progress;
use podsight_testbed::{cleanup, folders, images, janitor};

use crate::{bench, certs, dist, fuzz, generate, nodes, test, up};

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
    /// Runs the agent's end-to-end tests on every kernel that Debian has, as QEMU guests; takes long.
    Nodes {
        /// Which, for example `5.10-v1`; all if none is named.
        names: Vec<String>,
    },
    /// Runs the fuzz targets with the captured logs for seeds; needs a nightly compiler and cargo-fuzz.
    Fuzz {
        /// How long each of them runs.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Measures the real programs and writes docs/reference/figures.md.
    Bench,
    /// Makes a release: archives, images, the chart, manifests, completions, manual pages, bills of materials, krew's manifest, sums.
    Dist(dist::Args),
    /// Writes podsight's images as OCI archives to target/images.
    Image,
    /// Makes a throw-away authority and certificate for a webhook that is run by hand.
    Certs {
        /// Where `ca.crt`, `tls.crt` and `tls.key` are written.
        folder: PathBuf,
        /// A DNS name or address of the webhook.
        #[arg(long = "name", default_values = ["podsight-webhook.podsight-system.svc", "localhost", "127.0.0.1"])]
        names: Vec<String>,
    },
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
        Verb::Nodes { names } => return nodes::run(&names),
        Verb::Fuzz { seconds } => return fuzz::run(seconds),
        Verb::Bench => return bench::run(),
        Verb::Down => {
            let said = if cleanup::down(&folders::state()?)? { "the testbed is down" } else { "no testbed is running" };
            writeln!(std::io::stdout(), "{said}")?;
        }
        Verb::Certs { folder, names } => certs::write(&folder, &names)?,
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
