//! Programs that run to their end.

use std::env;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::interrupt;

/// Lines of a failed program's output that an error shows.
const SHOWN_LINES: usize = 20;

/// What a program left.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// The cargo that runs this program, or else the one on the PATH.
///
/// `CARGO_MANIFEST_DIR` is left out, which cargo hands on to what it runs: build scripts look at it (ring's), and with another value all that
/// depends on them is built anew.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.env_remove("CARGO_MANIFEST_DIR");
    cargo
}

/// Runs `command` and gives its standard output; a failure says what it wrote.
pub fn run(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        let said = format!("{}{}", output.stderr, output.stdout);
        bail!("{} failed ({}):\n{}", shown(command), output.status, last_lines(&said, SHOWN_LINES));
    }
    Ok(output.stdout)
}

/// Runs `command` to its end, whatever that is. It ends early when the user asks to stop.
pub fn output(command: &mut Command) -> Result<Output> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = start(command)?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = wait(command, &mut child)?;
    Ok(Output { status, stdout: text(stdout)?, stderr: text(stderr)? })
}

/// Runs `command` to its end with all that it says going to `log`.
pub fn status(command: &mut Command, log: File) -> Result<ExitStatus> {
    let same = log.try_clone().context("share a log file")?;
    command.stdout(log).stderr(same);
    let mut child = start(command)?;
    wait(command, &mut child)
}

fn start(command: &mut Command) -> Result<Child> {
    // A group of its own: Ctrl-C at the terminal reaches this program alone, which then ends the group.
    command.process_group(0).stdin(Stdio::null()).spawn().with_context(|| format!("start {}", shown(command)))
}

fn wait(command: &Command, child: &mut Child) -> Result<ExitStatus> {
    let group = Pid::from_raw(child.id().try_into().context("a process id is a positive i32")?);
    loop {
        if let Some(status) = child.try_wait().with_context(|| format!("wait for {}", shown(command)))? {
            return Ok(status);
        }
        if interrupt::requested() {
            // It may have ended meanwhile; either way it is waited for.
            killpg(group, Signal::SIGKILL).ok();
            child.wait().with_context(|| format!("wait for {}", shown(command)))?;
            bail!("interrupted");
        }
        sleep(Duration::from_millis(10));
    }
}

/// The last `count` lines of `text`.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

/// The program and its arguments on one line, for messages.
pub fn shown(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn reader(from: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Vec<u8>>> {
    from.map(|mut from| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is still worth showing.
            from.read_to_end(&mut bytes).ok();
            bytes
        })
    })
}

fn text(reader: Option<JoinHandle<Vec<u8>>>) -> Result<String> {
    let Some(reader) = reader else { return Ok(String::new()) };
    let bytes = reader.join().map_err(|_| anyhow::anyhow!("the thread that reads a program's output panicked"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_what_the_program_said() {
        let error = run(Command::new("sh").args(["-c", "echo to-stdout; echo to-stderr >&2; exit 3"])).unwrap_err();
        assert_eq!(format!("{error}"), "sh -c echo to-stdout; echo to-stderr >&2; exit 3 failed (exit status: 3):\nto-stderr\nto-stdout");
    }
}
