//! What a running testbed made, written down as it is made, so that anyone can take it down.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::folders;
use crate::process_id::ProcessId;

/// The record in the state folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The testbed's name, see [`folders::identity`].
    pub id: String,
    /// The process that holds the testbed.
    pub owner: ProcessId,
    /// Processes on this machine, in the order of their start.
    pub processes: Vec<Process>,
    /// The cgroup of the node's pods below the root of every hierarchy, for example `/podsight-0a1b2c3d`.
    pub cgroup: Option<String>,
    /// The address of the API server's Service on the loopback interface.
    #[serde(default)]
    pub service: Option<String>,
}

/// A process of the testbed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Process {
    /// What it is: `etcd`, `kubelet`…
    pub name: String,
    /// Which one.
    #[serde(flatten)]
    pub id: ProcessId,
}

impl State {
    /// The record of the testbed in `folder`, if there is one.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = path(folder);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        serde_json::from_str(&text).map(Some).with_context(|| format!("understand {}", path.display()))
    }

    /// A new record, this process being the owner.
    pub fn create(folder: &Path) -> Result<Self> {
        let owner = ProcessId::of(std::process::id()).context("find this process in /proc")?;
        let state = Self { id: folders::identity(folder), owner, processes: vec![], cgroup: None, service: None };
        state.write(folder)?;
        Ok(state)
    }

    /// Writes the record, whole or not at all.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = path(folder);
        let draft = path.with_extension("draft");
        fs::write(&draft, serde_json::to_string_pretty(self).context("encode the testbed's state")?)
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("write {}", path.display()))
    }
}

/// Held by the one process that builds up or takes down the testbed of a state folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock; fails with what to do where another process has it.
    pub fn take(folder: &Path) -> Result<Self> {
        let file = open(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let owner = State::read(folder).ok().flatten().map(|state| format!(" (process {})", state.owner.pid)).unwrap_or_default();
                bail!(
                    "a testbed is running in {}{owner}: stop it with `cargo xtask down`, or set PODSIGHT_STATE to another folder",
                    folder.display()
                )
            }
            Err(TryLockError::Error(source)) => Err(source).context("lock the state folder"),
        }
    }

    /// Waits until nobody has the lock, then takes it.
    pub fn wait(folder: &Path) -> Result<Self> {
        let file = open(folder)?;
        file.lock().context("lock the state folder")?;
        Ok(Self { _file: file })
    }

    /// Whether some process has the lock.
    pub fn is_held(folder: &Path) -> Result<bool> {
        Ok(matches!(open(folder)?.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

fn open(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    OpenOptions::new().create(true).truncate(false).write(true).open(&path).with_context(|| format!("open {}", path.display()))
}

fn path(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_survives_its_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(State::read(folder.path()).unwrap().is_none());
        let mut state = State::create(folder.path()).unwrap();
        state.processes.push(Process { name: "etcd".into(), id: state.owner });
        state.cgroup = Some("/podsight-x".into());
        state.write(folder.path()).unwrap();
        let read = State::read(folder.path()).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&state).unwrap());
    }

    #[test]
    fn a_second_testbed_in_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::take(folder.path()).unwrap();
        let refused = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(refused.starts_with("a testbed is running in ") && refused.contains("cargo xtask down"), "{refused}");
        assert!(Lock::is_held(folder.path()).unwrap());
        drop(held);
        assert!(!Lock::is_held(folder.path()).unwrap());
    }
}
