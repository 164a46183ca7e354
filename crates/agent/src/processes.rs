//! The cgroups of the node's processes, remembered from before a kill, where the node's own proc file system is there to be read.
//!
//! A process that was killed tells nothing any more. What was seen of it in a scan before does, if it has lived long enough to be seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Processes that are remembered.
const MAX_PROCESSES: usize = 16_384;
/// Longer than any path that Kubernetes makes.
const MAX_PATH_BYTES: usize = 1_024;

/// What is remembered.
#[derive(Debug)]
pub struct Processes {
    proc: PathBuf,
    known: BTreeMap<u32, Known>,
    scan: u32,
}

#[derive(Debug)]
struct Known {
    comm: Vec<u8>,
    cgroup: Arc<[u8]>,
    scan: u32,
}

impl Processes {
    /// Looks whether this is the node's proc file system: then processes of more than one container are to be seen in it.
    pub fn open(proc: &Path) -> Option<Self> {
        let mut processes = Self { proc: proc.to_owned(), known: BTreeMap::new(), scan: 0 };
        processes.scan();
        let containers: BTreeSet<String> =
            processes.known.values().filter_map(|known| podsight_cgroup::parse(&known.cgroup).container_id).collect();
        (containers.len() > 1).then_some(processes)
    }

    /// Looks at all processes. Those that have ended are remembered until the scan after this one. It costs some 20 µs a process.
    pub fn scan(&mut self) {
        self.scan = self.scan.wrapping_add(1);
        let scan = self.scan;
        self.known.retain(|_, known| scan.wrapping_sub(known.scan) <= 2);
        let mut paths: BTreeMap<Vec<u8>, Arc<[u8]>> = BTreeMap::new();
        let Ok(entries) = fs::read_dir(&self.proc) else { return };
        for entry in entries.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            if self.known.len() >= MAX_PROCESSES && !self.known.contains_key(&pid) {
                continue;
            }
            let folder = entry.path();
            let Ok(cgroups) = fs::read(folder.join("cgroup")) else { continue };
            let Some(path) = memory_cgroup(&cgroups).filter(|path| path.len() <= MAX_PATH_BYTES) else { continue };
            let Ok(mut comm) = fs::read(folder.join("comm")) else { continue };
            if comm.last() == Some(&b'\n') {
                comm.pop();
            }
            let cgroup = paths.entry(path.to_vec()).or_insert_with(|| Arc::from(path)).clone();
            self.known.insert(pid, Known { comm, cgroup, scan });
        }
    }

    /// The cgroup that a process was in. Not, if it had another name then: the number may belong to another process by now.
    pub fn cgroup(&self, pid: u32, comm: &[u8]) -> Option<&[u8]> {
        self.known.get(&pid).filter(|known| known.comm == comm).map(|known| &*known.cgroup)
    }
}

/// The path in `/proc/<pid>/cgroup` that counts for memory: of the controller `memory` (v1), else the unified one (cgroups(7)).
fn memory_cgroup(cgroups: &[u8]) -> Option<&[u8]> {
    let mut unified = None;
    for line in cgroups.split(|byte| *byte == b'\n') {
        let mut fields = line.splitn(3, |byte| *byte == b':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        if controllers.split(|byte| *byte == b',').any(|controller| controller == b"memory") {
            return Some(path);
        }
        if controllers.is_empty() {
            unified = Some(path);
        }
    }
    unified
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(proc: &Path, pid: u32, comm: &str, cgroups: &str) {
        let folder = proc.join(pid.to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("comm"), format!("{comm}\n")).unwrap();
        fs::write(folder.join("cgroup"), cgroups).unwrap();
    }

    fn path(digit: &str) -> String {
        format!("/kubepods/burstable/pod3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f/{}", digit.repeat(64))
    }

    #[test]
    fn a_process_is_remembered_by_number_and_name_until_it_is_long_gone() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 7, "work", &format!("5:cpu,memory:{}\n0::/other\n", path("1")));
        process(proc.path(), 8, "a\nb", &format!("0::{}\n", path("2")));
        let mut processes = Processes::open(proc.path()).unwrap();
        assert_eq!(processes.cgroup(7, b"work"), Some(path("1").as_bytes()));
        assert_eq!(processes.cgroup(8, b"a\nb"), Some(path("2").as_bytes()));
        assert_eq!(processes.cgroup(7, b"sh"), None);
        fs::remove_dir_all(proc.path().join("7")).unwrap();
        processes.scan();
        processes.scan();
        assert_eq!(processes.cgroup(7, b"work"), Some(path("1").as_bytes()));
        processes.scan();
        assert_eq!(processes.cgroup(7, b"work"), None);
    }

    #[test]
    fn a_containers_own_proc_is_of_no_use() {
        let proc = tempfile::tempdir().unwrap();
        process(proc.path(), 1, "podsight-agent", &format!("0::{}\n", path("1")));
        assert!(Processes::open(proc.path()).is_none());
    }
}
