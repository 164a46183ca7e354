//! `cargo xtask bench`: what podsight costs, measured on the real programs, to docs/reference/figures.md.

mod agent;
mod explain;
mod figure;
mod machine;
mod offline;
mod program;
mod storm;
mod webhook;

use std::fs;
use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::{Claim, Testbed};
use podsight_testbed::{folders, interrupt};

use self::figure::Figure;

const HEAD: &str = "# Figures

Written by `cargo xtask bench`, which measures the real programs. Nothing here is an estimate.
";

pub(crate) fn run() -> Result<ExitCode> {
    interrupt::listen()?;
    let progress = Progress::default();
    let before = machine::describe()?;
    let mut figures = vec![];
    figures.extend(offline::measure(&progress)?);
    figures.extend(webhook::measure(&progress)?);
    let left_out = match Testbed::possible() {
        Ok(()) => on_testbed(&progress, &mut figures)?.map(|reason| format!("\nLeft out: the API server, because {reason:#}.\n")),
        Err(reason) => Some(format!("\nLeft out: the agent and the API server, because {reason:#}.\n")),
    };
    progress.done();
    let page = format!("{HEAD}\n{before}\n{}{}", figure::table(&figures), left_out.unwrap_or_default());
    let path = folders::repository()?.join("docs/reference/figures.md");
    fs::create_dir_all(path.parent().context("a file lies in a folder")?).context("create docs/reference")?;
    fs::write(&path, &page).with_context(|| format!("write {}", path.display()))?;
    write!(stdout(), "{page}")?;
    let missed: Vec<&Figure> = figures.iter().filter(|figure| !figure.is_reached()).collect();
    for figure in &missed {
        writeln!(stdout(), "missed: {}: {}, aim {}", figure.what, figure.shown(), figure.aimed())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Gives why the API server was left out, if it was: what was measured by then took half an hour.
fn on_testbed(progress: &Progress, figures: &mut Vec<Figure>) -> Result<Option<anyhow::Error>> {
    let claim = Claim::take()?;
    let measured = Testbed::start_alone(&claim, progress).and_then(|testbed| {
        figures.extend(agent::measure(&testbed, progress)?);
        match webhook::at_api_server(&testbed, progress) {
            Ok(more) => figures.extend(more),
            Err(error) => return Ok(Some(error)),
        }
        Ok(None)
    });
    progress.step("take the testbed down");
    let released = claim.release();
    let left_out = measured?;
    released?;
    Ok(left_out)
}
