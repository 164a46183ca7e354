//! What tests of a running testbed need to know, as a file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The variable that names the file.
pub const VARIABLE: &str = "PODSIGHT_TESTBED";

/// A running testbed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The state folder.
    pub folder: PathBuf,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The program of the cluster's version.
    pub kubectl: PathBuf,
    /// The command line, as it is in its image.
    pub podsight: PathBuf,
    /// The nodes, this machine first.
    pub nodes: Vec<Node>,
}

/// A node of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name in the cluster.
    pub name: String,
    /// What its kernel counts memory with.
    pub cgroup: Cgroup,
    /// What it runs on.
    pub kind: Kind,
    /// What its console says, where it has one.
    pub console: Option<PathBuf>,
}

/// The version of the memory controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cgroup {
    /// A hierarchy of its own: the kernel kills one process.
    V1,
    /// The unified hierarchy: `memory.oom.group` takes the whole container.
    V2,
}

/// What a node runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// This machine's own kernel.
    Machine,
    /// A QEMU guest.
    Guest,
}

impl Description {
    /// Writes the file into the state folder and gives its path.
    pub fn write(&self) -> Result<PathBuf> {
        let path = self.folder.join("testbed.json");
        let text = serde_json::to_string_pretty(self).context("encode the testbed's description")?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }

    /// Reads a file that [`Description::write`] wrote.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read the testbed's description {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("understand the testbed's description {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_what_the_tests_read() {
        let folder = tempfile::tempdir().unwrap();
        let node = |name: &str, cgroup, kind, console| Node { name: name.into(), cgroup, kind, console };
        let description = Description {
            folder: folder.path().into(),
            kubeconfig: "/state/kubeconfig".into(),
            kubectl: "/bin/kubectl".into(),
            podsight: "/bin/podsight".into(),
            nodes: vec![
                node("machine", Cgroup::V1, Kind::Machine, None),
                node("guest", Cgroup::V2, Kind::Guest, Some("/state/logs/guest.log".into())),
            ],
        };
        let path = description.write().unwrap();
        assert_eq!(path, folder.path().join("testbed.json"));
        assert_eq!(Description::read(&path).unwrap(), description);
        let nodes = serde_json::json!([
            {"name": "machine", "cgroup": "v1", "kind": "machine", "console": null},
            {"name": "guest", "cgroup": "v2", "kind": "guest", "console": "/state/logs/guest.log"},
        ]);
        assert_eq!(serde_json::to_value(&description).unwrap()["nodes"], nodes);
    }
}
