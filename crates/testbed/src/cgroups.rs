//! The cgroup of the node's pods, in every hierarchy of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Where the kernel's cgroup hierarchies are mounted (v1: several; v2: one; hybrid: both).
pub fn hierarchies() -> Result<Vec<PathBuf>> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("read /proc/self/mountinfo")?;
    Ok(mounts.lines().filter_map(mount_point).collect())
}

/// Whether the memory controller is a v1 hierarchy of its own.
pub fn memory_is_v1() -> bool {
    fs::read_to_string("/proc/self/cgroup").is_ok_and(|text| {
        text.lines().any(|line| line.split(':').nth(1).is_some_and(|controllers| controllers.split(',').any(|one| one == "memory")))
    })
}

/// Makes `name` in every hierarchy: the kubelet wants its root to be there.
pub fn create(name: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        let group = hierarchy.join(name);
        fs::create_dir_all(&group).with_context(|| format!("create the cgroup {}", group.display()))?;
        // A new cpuset accepts no process before it is told processors and memory nodes.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let (own, root) = (group.join(file), hierarchy.join(file));
            if own.exists() && root.exists() {
                let inherited = fs::read_to_string(&root).with_context(|| format!("read {}", root.display()))?;
                fs::write(&own, inherited.trim()).with_context(|| format!("write {}", own.display()))?;
            }
        }
    }
    Ok(())
}

/// Removes `name` and all below it; its processes must have been killed.
pub fn remove(name: &str) -> Result<()> {
    for hierarchy in hierarchies()? {
        let group = hierarchy.join(name);
        // A killed process leaves its cgroup a moment after its end was seen.
        for attempt in 0.. {
            match remove_tree(&group) {
                Ok(()) => break,
                Err(_) if attempt < 100 => sleep(Duration::from_millis(50)),
                Err(error) => bail!("remove the cgroup {}: {error}", group.display()),
            }
        }
    }
    Ok(())
}

fn remove_tree(group: &Path) -> std::io::Result<()> {
    if !group.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(group)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(group)
}

fn mount_point(line: &str) -> Option<PathBuf> {
    let (mount, kind) = line.split_once(" - ")?;
    let kind = kind.split(' ').next()?;
    matches!(kind, "cgroup" | "cgroup2").then(|| mount.split(' ').nth(4).map(PathBuf::from))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup_mounts_are_told_from_others() {
        let v1 = "35 34 0:30 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory";
        assert_eq!(mount_point(v1), Some(PathBuf::from("/sys/fs/cgroup/memory")));
        assert_eq!(mount_point("34 20 0:29 / /sys/fs/cgroup rw,relatime - tmpfs cgroup rw,mode=755"), None);
    }
}
