//! `cargo xtask nodes`: the end-to-end tests of the agent on every kernel that Debian has, as QEMU guests one after the other.

use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use podsight_testbed::guest::choice::{self, Choice};
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::{Claim, Testbed};
use podsight_testbed::{interrupt, static_programs};

use crate::tally::Tally;
use crate::test::{Run, Step, tests_on};

/// Five storms of each kind, of twelve pods each.
const STORMS: [(&str, &str); 1] = [("PODSIGHT_STORMS", "5")];

/// Runs the tests on the nodes of these names, or on all. Their kernels' logs are left in `target/xtask-nodes`.
pub(crate) fn run(names: &[String]) -> Result<ExitCode> {
    interrupt::listen()?;
    Testbed::possible()?;
    let chosen = chosen(names)?;
    let logs = static_programs::target_folder()?.join("xtask-nodes");
    fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
    let progress = Progress::default();
    let mut table = String::from("| node | kernel | passed | failed | skipped | took |\n|---|---|---|---|---|---|\n");
    let mut all = Tally::default();
    for choice in chosen {
        interrupt::check()?;
        let started = Instant::now();
        let (kernel, tally, failures) = match on_node(choice, &logs, &progress) {
            Ok((kernel, step)) => (kernel, step.tally, step.failures),
            Err(error) => (String::new(), Tally::of(false), vec![format!("{error:#}")]),
        };
        let Tally { passed, failed, skipped } = tally;
        let took = started.elapsed().as_secs();
        writeln!(table, "| {choice} | {kernel} | {passed} | {failed} | {skipped} | {took} s |").context("write a line of the table")?;
        for failure in failures {
            progress.say(&format!("{choice}: failed: {failure}"));
        }
        all += tally;
    }
    progress.done();
    write!(stdout(), "{table}")?;
    Ok(if all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<Choice>> {
    let find = |name: &String| {
        let known = || choice::ALL.map(|choice| choice.to_string()).join(", ");
        choice::ALL
            .into_iter()
            .find(|choice| choice.to_string() == *name)
            .with_context(|| format!("no node {name:?}; there are {}", known()))
    };
    if names.is_empty() { Ok(choice::ALL.to_vec()) } else { names.iter().map(find).collect() }
}

/// One node from its boot to its end.
fn on_node(choice: Choice, logs: &Path, progress: &Progress) -> Result<(String, Step)> {
    let claim = Claim::take()?;
    progress.step(&format!("the node {choice}"));
    let tested = test(choice, logs, &claim, progress);
    // Also of a node that failed.
    let kept = fs::copy(claim.folder().join("logs/guest.kmsg"), logs.join(format!("{choice}.kmsg")));
    progress.step("take the testbed down");
    claim.release()?;
    kept.with_context(|| format!("keep the kernel's log of {choice}")).and(tested)
}

fn test(choice: Choice, logs: &Path, claim: &Claim, progress: &Progress) -> Result<(String, Step)> {
    let mut testbed = Testbed::start_with(choice, claim, progress)?;
    if let Err(reason) = &testbed.guest {
        bail!("there is no node: {reason:#}");
    }
    let kernel =
        testbed.plane.kubectl.run(&["get", "node", podsight_testbed::guest::NAME, "-o", "jsonpath={.status.nodeInfo.kernelVersion}"])?;
    let folder = logs.join(choice.to_string());
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let description = testbed.description().write()?;
    let run = Run { name: "end to end in the guest", binaries: &["node"], filters: &["in_the_guest"], variables: &STORMS };
    let step = tests_on(&description, progress, &folder, &run)?;
    testbed.processes.check()?;
    Ok((kernel, step))
}
