//! The admission webhook.

use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    podsight_runtime::crypto::install();
    let args = podsight_webhook::Args::parse();
    podsight_runtime::block_on(podsight_webhook::run(args))?
}
