//! `cargo xtask up`.

use std::io::Write;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use podsight_testbed::interrupt;
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::{Claim, Testbed};

pub(crate) fn run(once: bool) -> Result<ExitCode> {
    interrupt::listen()?;
    let progress = Progress::default();
    let claim = Claim::take()?;
    let shown = show(&claim, &progress, once);
    progress.step("take everything down");
    claim.release()?;
    progress.done();
    shown
}

fn show(claim: &Claim, progress: &Progress, once: bool) -> Result<ExitCode> {
    let mut testbed = Testbed::start(claim, progress)?;
    progress.done();
    if !once {
        writeln!(std::io::stdout(), "export KUBECONFIG={}", testbed.plane.kubectl.kubeconfig().display())?;
        while !interrupt::requested() {
            testbed.processes.check()?;
            sleep(Duration::from_millis(200));
        }
    }
    Ok(ExitCode::SUCCESS)
}
