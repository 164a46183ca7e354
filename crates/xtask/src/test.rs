//! `cargo xtask test`: everything that must hold, in the order of its cost.

use std::fs::{self, File};
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{Context, Result, bail};
use podsight_testbed::command;
use podsight_testbed::description::VARIABLE;
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::{Claim, Testbed};
use podsight_testbed::{build, folders, interrupt, static_programs, tools};

use crate::tally::{self, Tally};

/// Test binaries that need a testbed.
const ON_TESTBED: [&str; 3] = ["cluster", "install", "node"];

/// A run of tests on the testbed.
pub(crate) struct Run<'r> {
    pub(crate) name: &'static str,
    /// The test binaries.
    pub(crate) binaries: &'r [&'r str],
    /// Which of their tests.
    pub(crate) filters: &'r [&'r str],
    /// What they are asked for beyond every day's.
    pub(crate) variables: &'r [(&'r str, &'r str)],
}

/// What goes on beside each other: the second node waits for its one emulated processor, and this machine's for their pods.
const AT_ONCE: [Run<'_>; 2] = [
    Run { name: "end to end", binaries: &["cluster", "node"], filters: &["--skip", "in_the_guest"], variables: &[] },
    Run { name: "end to end in the guest", binaries: &["node"], filters: &["in_the_guest"], variables: &[] },
];

/// Takes podsight away and puts it back, so nothing else can be tested meanwhile.
const AFTERWARDS: Run<'_> = Run { name: "installations", binaries: &["install"], filters: &[], variables: &[] };

/// Lines of a failed step that are shown; the whole is in its log.
const SHOWN_LINES: usize = 60;

/// One line of the summary.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) tally: Tally,
    pub(crate) note: Option<String>,
    pub(crate) failures: Vec<String>,
}

pub(crate) fn run() -> Result<ExitCode> {
    interrupt::listen()?;
    let logs = static_programs::target_folder()?.join("xtask-test");
    fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
    let progress = Progress::default();
    if let Some(line) = tools::apt_get_line(&tools::all()) {
        progress.say(&format!("some tools are missing: {line}"));
    }
    // First, so that the repository's tests find them. What they say without them is that they are skipped.
    let programs = build::build(&progress).and_then(|_| build::build_checkers(&progress));
    if let Err(error) = programs {
        interrupt::check()?;
        progress.say(&format!("some of the programs that deploy/ is held against are missing: {error:#}"));
    }
    let mut steps = vec![];
    steps.push(check(&progress, &logs, "formatting", &["fmt", "--all", "--check"])?);
    steps.push(check(&progress, &logs, "clippy", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?);
    let workspace = ["test", "--workspace", "--no-fail-fast", "--locked", "--", "--show-output"];
    steps.push(tests(&progress, &logs, "tests", cargo()?.args(workspace), &ON_TESTBED)?);
    steps.extend(on_testbed(&progress, &logs)?);
    progress.done();

    let mut out = stdout().lock();
    let mut sum = Tally::default();
    writeln!(out)?;
    for Step { name, tally, note, failures } in &steps {
        writeln!(out, "{name}: {tally}{}", note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default())?;
        for failure in failures {
            writeln!(out, "  failed: {failure}")?;
        }
        sum += *tally;
    }
    writeln!(out, "{sum}")?;
    Ok(if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(progress: &Progress, logs: &Path, name: &'static str, arguments: &[&str]) -> Result<Step> {
    let (passed, _) = logged(progress, logs, name, cargo()?.args(arguments))?;
    Ok(Step { name, tally: Tally::of(passed), note: None, failures: vec![] })
}

fn tests(progress: &Progress, logs: &Path, name: &'static str, command: &mut Command, without: &[&str]) -> Result<Step> {
    let (passed, output) = logged(progress, logs, name, command)?;
    let mut tally = Tally::read(&output, without);
    if !passed && tally.failed == 0 {
        // What could not be built has no tests that could fail.
        tally += Tally::of(false);
    }
    let failures = tally::failures(&output).into_iter().map(str::to_owned).collect();
    Ok(Step { name, tally, note: None, failures })
}

/// The end-to-end tests, and whether the testbed goes as it came.
fn on_testbed(progress: &Progress, logs: &Path) -> Result<Vec<Step>> {
    if let Err(reason) = Testbed::possible() {
        let note = Some(format!("no testbed here: {reason:#}"));
        return Ok(vec![Step { name: "end to end", tally: Tally { skipped: 1, ..Tally::default() }, note, failures: vec![] }]);
    }
    let claim = Claim::take()?;
    let tested = run_on_testbed(progress, logs, &claim);
    progress.step("take the testbed down");
    let released = claim.release();
    interrupt::check()?;
    let mut steps = tested.unwrap_or_else(|error| vec![failed("end to end", &error)]);
    steps.push(match released {
        Ok(()) => Step { name: "nothing left behind", tally: Tally::of(true), note: None, failures: vec![] },
        Err(error) => failed("nothing left behind", &error),
    });
    Ok(steps)
}

fn run_on_testbed(progress: &Progress, logs: &Path, claim: &Claim) -> Result<Vec<Step>> {
    let mut testbed = Testbed::start(claim, progress)?;
    let description = testbed.description().write()?;
    let mut steps = thread::scope(|scope| {
        let runs = AT_ONCE.map(|run| {
            let description = &description;
            scope.spawn(move || tests_on(description, progress, logs, &run))
        });
        runs.into_iter().map(|run| run.join().unwrap_or_else(|_| bail!("a thread of the tests panicked"))).collect::<Result<Vec<Step>>>()
    })?;
    testbed.processes.check()?;
    steps.push(tests_on(&description, progress, logs, &AFTERWARDS)?);
    testbed.processes.check()?;
    if let (Err(reason), Some(step)) = (&testbed.guest, steps.iter_mut().find(|step| step.name == AT_ONCE[1].name)) {
        step.note = Some(format!("without the second node, cgroup v2: {reason:#}"));
    }
    Ok(steps)
}

/// Runs tests on the testbed of this description.
pub(crate) fn tests_on(description: &Path, progress: &Progress, logs: &Path, run: &Run<'_>) -> Result<Step> {
    let mut command = cargo()?;
    command.args(["test", "--locked", "--no-fail-fast", "--package", "podsight-tests"]);
    for binary in run.binaries {
        command.args(["--test", binary]);
    }
    command.args(["--", "--show-output"]).args(run.filters).env(VARIABLE, description).envs(run.variables.iter().copied());
    tests(progress, logs, run.name, &mut command, &[])
}

fn failed(name: &'static str, error: &anyhow::Error) -> Step {
    Step { name, tally: Tally::of(false), note: Some(format!("{error:#}")), failures: vec![] }
}

/// Runs a step with its output in a file; shows the end of it where the step fails.
fn logged(progress: &Progress, logs: &Path, name: &str, command: &mut Command) -> Result<(bool, String)> {
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    progress.step(&format!("{name}: cargo {}", arguments.join(" ")));
    let log: PathBuf = logs.join(format!("{}.log", name.replace(' ', "-")));
    let file = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let status = command::status(command, file)?;
    let bytes = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
    let output = String::from_utf8_lossy(&bytes).into_owned();
    if !status.success() {
        progress.say(&format!("{name} failed; the end of {}:\n{}", log.display(), command::last_lines(&output, SHOWN_LINES)));
    }
    Ok((status.success(), output))
}

fn cargo() -> Result<Command> {
    let mut command = command::cargo();
    command.current_dir(folders::repository()?).env("INSTA_UPDATE", "no").env("CARGO_TERM_COLOR", "never");
    // Why a test failed is in its message, which the frames of a backtrace would push out of what is shown.
    command.env("RUST_BACKTRACE", "0");
    if tools::C_COMPILER.find().is_none() {
        bail!("{} is missing: {}", tools::C_COMPILER.program, tools::C_COMPILER.hint());
    }
    Ok(command)
}
