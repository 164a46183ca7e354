//! Cleans up behind a testbed whose owner was killed without a chance to do it.
//!
//! The janitor is this program once more. It holds the reading end of a pipe whose writing end only the owner has:
//! however the owner ends, the kernel closes the pipe, and the janitor takes down what is left.

use std::fs::File;
use std::io::{Read, stdin};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::cleanup;
use crate::state::Lock;

/// The hidden verb of `cargo xtask` that [`work`] is behind.
pub const VERB: &str = "testbed-janitor";

/// A janitor that waits for the end of this process.
#[derive(Debug)]
pub struct Janitor(Child);

impl Janitor {
    /// Starts one for the testbed in `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let log = File::create(folder.join("logs/janitor.log")).context("create the janitor's log")?;
        let program = std::env::current_exe().context("find this program's file")?;
        let mut command = Command::new(program);
        command.arg(VERB).arg(folder).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        command.spawn().map(Self).context("start the janitor")
    }

    /// Lets it go, after the testbed was taken down and its lock released.
    pub fn dismiss(mut self) -> Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().context("wait for the janitor")?;
        Ok(())
    }
}

/// What the janitor does: waits for the end of standard input, then cleans up.
pub fn work(folder: &Path) -> Result<()> {
    let mut nothing = Vec::new();
    stdin().read_to_end(&mut nothing).context("wait for the testbed's owner")?;
    let _lock = Lock::wait(folder)?;
    cleanup::clean(folder)
}
