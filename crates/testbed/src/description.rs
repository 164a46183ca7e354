//! What tests are told of a running testbed: a JSON file named by the variable `PODSIGHT_TESTBED`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The variable that names the file.
pub const VARIABLE: &str = "PODSIGHT_TESTBED";

/// A running testbed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// Kubernetes' programs, kubectl among them.
    pub programs: PathBuf,
    /// podsight's command line.
    pub podsight: PathBuf,
    /// Name of the node on this machine; its pods' processes are processes of this machine.
    pub machine: String,
    /// Whether the machine's memory controller is on cgroup v1.
    pub machine_is_v1: bool,
    /// The cgroup above the pods of this machine, for example `/podsight-0a1b2c3d`.
    pub cgroup: String,
    /// Name of the node in the guest (cgroup v2), if there is one.
    pub guest: Option<String>,
    /// Folder with `ca.crt` and `ca.key`, which sign the webhook's certificate.
    pub certificates: PathBuf,
    /// The containers' logs on this machine.
    pub pod_logs: PathBuf,
}

impl Description {
    /// Writes the file into the state folder and gives its path.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join("testbed.json");
        let text = serde_json::to_string_pretty(self).context("encode the testbed's description")?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}
