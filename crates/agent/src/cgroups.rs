//! The containers' own counters of kills, where the node's cgroup file system is there to be read.
//!
//! In a storm the kernel leaves out the line that names the cgroup, never the count: `memory.events` of cgroup v2 and `memory.oom_control` of v1.

use podsight_cgroup::{Scope, memory_events, oom_control, parse};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Deeper cgroups are a container's own.
const MAX_DEPTH: usize = 12;
/// Folders looked at in one walk. A node has a few hundred outside the pods and three for each pod.
const MAX_FOLDERS: usize = 8_192;
/// Containers and pods that are kept.
const MAX_UNITS: usize = 2_048;

/// The cgroup file system of the node.
#[derive(Debug)]
pub struct Cgroups {
    base: PathBuf,
    is_v2: bool,
    units: BTreeMap<String, Unit>,
}

#[derive(Debug)]
struct Unit {
    file: PathBuf,
    uids: Vec<String>,
    is_pod: bool,
}

/// What one counter stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The container's id, or the pod's UID as the cgroup bears it.
    pub key: String,
    /// The UIDs of the path, from the left.
    pub uids: Vec<String>,
    /// It counts a whole pod, with all that its containers ever had (v2 only).
    pub is_pod: bool,
    /// Kills since the cgroup was made.
    pub kills: u64,
}

impl Cgroups {
    /// Looks for the pods' cgroups under `root`. `None` if they are not there to be seen, as in a container without a mount of the node's.
    pub fn open(root: &Path) -> Option<Self> {
        let is_v2 = root.join("cgroup.controllers").exists();
        let base = if is_v2 { root.to_owned() } else { root.join("memory") };
        let mut cgroups = Self { base, is_v2, units: BTreeMap::new() };
        cgroups.walk().then_some(cgroups)
    }

    /// Looks for new containers. Whether there are any pods' cgroups at all.
    pub fn walk(&mut self) -> bool {
        let mut has_pods = false;
        let mut folders = vec![(self.base.clone(), 0_usize)];
        let mut looked_at = 0;
        while let Some((folder, depth)) = folders.pop() {
            looked_at += 1;
            if looked_at > MAX_FOLDERS {
                tracing::warn!(folders = MAX_FOLDERS, "Stopped looking for containers' cgroups.");
                break;
            }
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                let folder = entry.path();
                let Ok(relative) = folder.strip_prefix(&self.base) else { continue };
                let path = parse(relative.as_os_str().as_bytes());
                has_pods |= matches!(path.scope, Some(Scope::NodeAllocatable | Scope::Qos | Scope::Pod | Scope::Container));
                match path.scope {
                    Some(Scope::Container) => {
                        if let Some(id) = path.container_id.filter(|_| !path.monitor) {
                            self.add(id, &folder, path.pod_uids, false);
                        }
                        // CRI-O with crun has a leaf in it, and a nested kubelet may have pods: they count here as well.
                        continue;
                    }
                    Some(Scope::Pod) if self.is_v2 => {
                        if let Some(uid) = path.pod_uids.last().cloned() {
                            self.add(uid, &folder, path.pod_uids, true);
                        }
                    }
                    _ => {}
                }
                if depth < MAX_DEPTH {
                    folders.push((folder, depth + 1));
                }
            }
        }
        has_pods
    }

    /// Reads all counters. What is not there any more is forgotten.
    pub fn read(&mut self) -> Vec<Reading> {
        let mut readings = Vec::new();
        let is_v2 = self.is_v2;
        self.units.retain(|key, unit| {
            let Ok(contents) = fs::read(&unit.file) else { return false };
            let kills = if is_v2 { memory_events(&contents).oom_kill } else { oom_control(&contents).oom_kill };
            if let Some(kills) = kills {
                readings.push(Reading { key: key.clone(), uids: unit.uids.clone(), is_pod: unit.is_pod, kills });
            }
            true
        });
        readings
    }

    fn add(&mut self, key: String, folder: &Path, uids: Vec<String>, is_pod: bool) {
        if self.units.len() < MAX_UNITS {
            let file = folder.join(if self.is_v2 { "memory.events" } else { "memory.oom_control" });
            self.units.entry(key).or_insert(Unit { file, uids, is_pod });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
    const ID: &str = "78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf";

    #[test]
    fn version_two_counts_pods_and_containers() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cgroup.controllers"), "memory").unwrap();
        let pod =
            root.path().join(format!("kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice", UID.replace('-', "_")));
        let container = pod.join(format!("cri-containerd-{ID}.scope"));
        fs::create_dir_all(container.join("nested")).unwrap();
        fs::create_dir_all(root.path().join("system.slice/nginx.service")).unwrap();
        fs::write(pod.join("memory.events"), "max 9\noom 4\noom_kill 5\n").unwrap();
        fs::write(container.join("memory.events"), "max 9\noom 4\noom_kill 3\n").unwrap();
        let mut cgroups = Cgroups::open(root.path()).unwrap();
        let reading = |key: &str, is_pod, kills| Reading { key: key.to_owned(), uids: vec![UID.to_owned()], is_pod, kills };
        assert_eq!(cgroups.read(), [reading(UID, true, 5), reading(ID, false, 3)]);
        fs::remove_file(container.join("memory.events")).unwrap();
        assert_eq!(cgroups.read(), [reading(UID, true, 5)]);
    }

    #[test]
    fn version_one_counts_containers() {
        let root = tempfile::tempdir().unwrap();
        let container = root.path().join(format!("memory/podsight-x/kubepods/burstable/pod{UID}/{ID}"));
        fs::create_dir_all(&container).unwrap();
        fs::write(container.join("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n").unwrap();
        let mut cgroups = Cgroups::open(root.path()).unwrap();
        assert_eq!(cgroups.read(), [Reading { key: ID.to_owned(), uids: vec![UID.to_owned()], is_pod: false, kills: 7 }]);
    }

    #[test]
    fn a_container_sees_none_of_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("memory/own")).unwrap();
        assert!(Cgroups::open(root.path()).is_none());
    }
}
