//! The admission webhook.

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    podsight_runtime::crypto::install();
    let args = podsight_webhook::Args::parse();
    if args.self_check {
        let checked = podsight_runtime::block_on(podsight_webhook::self_check(args)).map_err(anyhow::Error::from).flatten();
        return Ok(checked.unwrap_or_else(|error| {
            // 1 would say that something is wrong with the installation. Nobody is left to tell when standard error is gone.
            drop(writeln!(std::io::stderr().lock(), "error: {error:#}"));
            ExitCode::from(2)
        }));
    }
    if args.reports {
        podsight_runtime::block_on(podsight_webhook::write_reports(args))??;
        return Ok(ExitCode::SUCCESS);
    }
    podsight_runtime::block_on(podsight_webhook::run(args))??;
    Ok(ExitCode::SUCCESS)
}
