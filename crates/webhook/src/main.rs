//! The admission webhook.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    podsight_runtime::crypto::install();
    let args = podsight_webhook::Args::parse();
    if args.self_check {
        return podsight_runtime::block_on(podsight_webhook::self_check(args))?;
    }
    podsight_runtime::block_on(podsight_webhook::run(args))??;
    Ok(ExitCode::SUCCESS)
}
