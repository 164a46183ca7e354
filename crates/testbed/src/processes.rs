//! The long-running programs of a testbed.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::command;
use crate::process_id::ProcessId;
use crate::state::{Process, State};

/// The variable in the environment of every process of a testbed; its value is the testbed's name.
pub const MARK: &str = "PODSIGHT_TESTBED_ID";

/// Lines of an ended program's log that an error shows.
const SHOWN_LINES: usize = 15;

/// Starts programs, writes them into the state and notices when one ends.
#[derive(Debug)]
pub struct Processes {
    folder: PathBuf,
    state: State,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Processes {
    /// None yet.
    pub fn new(folder: &Path, state: State) -> Result<Self> {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
        Ok(Self { folder: folder.to_owned(), state, running: vec![] })
    }

    /// Starts `command` as `name`; what it says goes to `logs/<name>.log`.
    pub fn start(&mut self, name: &str, command: &mut Command) -> Result<ProcessId> {
        let log = self.folder.join(format!("logs/{name}.log"));
        let file = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let same = file.try_clone().context("share a log file")?;
        command.env(MARK, &self.state.id).process_group(0).stdin(Stdio::null()).stdout(file).stderr(same);
        let child = command.spawn().with_context(|| format!("start {}", command::shown(command)))?;
        let pid = child.id();
        self.running.push(Running { name: name.to_owned(), child, log });
        let id = ProcessId::of(pid).with_context(|| format!("find {name} in /proc"))?;
        self.state.processes.push(Process { name: name.to_owned(), id });
        self.state.write(&self.folder)?;
        Ok(id)
    }

    /// Ends `name` at once; that is no crash.
    pub fn stop(&mut self, name: &str) -> Result<()> {
        let Some(index) = self.running.iter().position(|running| running.name == name) else {
            bail!("no process {name} is running");
        };
        let mut running = self.running.swap_remove(index);
        running.child.kill().and_then(|()| running.child.wait()).with_context(|| format!("end {name}"))?;
        Ok(())
    }

    /// Fails when a program has ended by itself, with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        for Running { name, child, log } in &mut self.running {
            if let Some(status) = child.try_wait().with_context(|| format!("look after {name}"))? {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("{name} ended ({status}); the end of {}:\n{}", log.display(), command::last_lines(&said, SHOWN_LINES));
            }
        }
        Ok(())
    }

    /// Changes the state and writes it down.
    pub fn record(&mut self, change: impl FnOnce(&mut State)) -> Result<()> {
        change(&mut self.state);
        self.state.write(&self.folder)
    }

    /// The testbed's name.
    pub fn id(&self) -> &str {
        &self.state.id
    }

    /// The state folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits for processes that were killed, so that no zombie is left.
    pub fn reap(&mut self) {
        for running in &mut self.running {
            // A process that cannot be waited for was waited for before.
            running.child.wait().ok();
        }
        self.running.clear();
    }
}
