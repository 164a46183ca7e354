//! `cargo xtask up`.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::{Claim, Kernel, Testbed};
use podsight_testbed::{demonstration, interrupt};

/// What a shell gives for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

pub(crate) fn run(once: bool) -> Result<ExitCode> {
    interrupt::listen()?;
    let progress = Progress::default();
    let claim = Claim::take()?;
    let shown = show(&claim, &progress, once);
    progress.step("take everything down");
    let released = claim.release();
    progress.done();
    match shown {
        // The way in which `up` ends without --once, and no failure of a step that it interrupted.
        _ if interrupt::requested() => released.map(|()| ExitCode::from(INTERRUPTED)),
        Ok(missing) => released.map(|()| if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS }),
        Err(error) => Err(error),
    }
}

/// Shows everything; gives whether something was missing.
fn show(claim: &Claim, progress: &Progress, once: bool) -> Result<bool> {
    let mut out = stdout().lock();
    let mut testbed = Testbed::start(claim, progress)?;
    progress.done();
    let missing = demonstration::show(&mut testbed, &mut out)?;
    writeln!(out)?;
    for what in &missing {
        writeln!(out, "missing: {what}")?;
    }
    match (&testbed.kernel, &testbed.guest) {
        (Kernel::Recorded(_, reason), _) => {
            writeln!(out, "left out: nodes, pods and the kernel's own kills (the kernel log is a recording), because {reason:#}")?;
        }
        (Kernel::Real(_), Err(reason)) => writeln!(out, "left out: the second node (cgroup v2), because {reason:#}")?,
        (Kernel::Real(_), Ok(_)) => {}
    }
    if !once {
        writeln!(out, "\nexport KUBECONFIG={}", testbed.plane.kubectl.kubeconfig().display())?;
        writeln!(out, "export PATH={}:$PATH", testbed.programs.folder().display())?;
        writeln!(out, "Up until Ctrl-C or cargo xtask down.")?;
        out.flush()?;
        while !interrupt::requested() {
            testbed.processes.check()?;
            sleep(Duration::from_millis(200));
        }
    }
    Ok(!missing.is_empty())
}
