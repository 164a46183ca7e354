//! A program's run: how long, how much memory.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use podsight_testbed::{command, folders, interrupt, static_programs};

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) elapsed: Duration,
    /// The most that was resident, MiB.
    pub(crate) peak_mib: f64,
}

/// The command line, built for release.
pub(crate) fn podsight() -> Result<PathBuf> {
    let mut build = cargo()?;
    command::run(build.args(["build", "--release", "--locked", "--package", "podsight-cli", "--bin", "podsight"]))?;
    Ok(static_programs::target_folder()?.join("release/podsight"))
}

pub(crate) fn cargo() -> Result<Command> {
    let mut cargo = command::cargo();
    cargo.current_dir(folders::repository()?);
    Ok(cargo)
}

/// The best of `runs` runs by time, its output thrown away. An exit status of `ends` is a success.
pub(crate) fn best_of(runs: u32, command: &mut Command, ends: &[i32]) -> Result<Cost> {
    let mut best: Option<Cost> = None;
    for _ in 0..runs {
        interrupt::check()?;
        let cost = once(command, ends)?;
        if best.is_none_or(|best| cost.elapsed < best.elapsed) {
            best = Some(cost);
        }
    }
    best.context("no run was asked for")
}

fn once(command: &mut Command, ends: &[i32]) -> Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("start {}", command::shown(command)))?;
    let mut peak = 0.0;
    loop {
        // The kernel keeps the peak itself; only its last reading counts.
        peak = resident_mib(child.id(), "VmHWM").unwrap_or(peak);
        if let Some(status) = child.try_wait().context("wait for a program")? {
            let elapsed = started.elapsed();
            if !status.code().is_some_and(|code| ends.contains(&code)) {
                bail!("{} ended with {status}", command::shown(command));
            }
            return Ok(Cost { elapsed, peak_mib: peak });
        }
        sleep(Duration::from_millis(1));
    }
}

/// A line of `/proc/<pid>/status` that is in kB, as MiB.
pub(crate) fn resident_mib(pid: u32, key: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let kib: u32 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(f64::from(kib) / 1024.0)
}

/// The time that its threads have had a processor for, seconds (first field of `/proc/<pid>/task/<tid>/schedstat`, nanoseconds). The times in
/// `/proc/<pid>/stat` are hundredths: too coarse for a program that does next to nothing.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds).as_secs_f64())
}
