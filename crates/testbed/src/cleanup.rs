//! Taking a testbed down, whoever left it: nothing of it stays but the logs in its own folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::Signal;

use crate::processes::MARK;
use crate::state::{Lock, State};
use crate::{cgroups, process_id, service};

/// How long a running testbed may take to go down by itself before it is killed.
const POLITE_LIMIT: Duration = Duration::from_mins(1);

/// Stops the testbed of `folder`; gives whether there was one.
pub fn down(folder: &Path) -> Result<bool> {
    let Some(state) = State::read(folder)? else { return Ok(false) };
    if Lock::is_held(folder)? {
        state.owner.signal(Signal::SIGTERM);
        let started = std::time::Instant::now();
        while state.owner.is_alive() && started.elapsed() < POLITE_LIMIT {
            std::thread::sleep(Duration::from_millis(50));
        }
        state.owner.signal(Signal::SIGKILL);
    }
    let _lock = Lock::wait(folder)?;
    clean(folder)?;
    Ok(true)
}

/// Takes down what the state in `folder` names. The caller holds the [`Lock`].
pub fn clean(folder: &Path) -> Result<()> {
    let Some(state) = State::read(folder)? else { return Ok(()) };
    kill(&state);
    unmount_below(folder)?;
    if let Some(cgroup) = &state.cgroup {
        cgroups::remove(cgroup.trim_start_matches('/'))?;
    }
    if let Some(address) = &state.service {
        service::release(address)?;
    }
    let left = leftovers(&state.id);
    if !left.is_empty() {
        bail!("the testbed is not wholly gone: {}", left.join(", "));
    }
    remove_files(folder)
}

/// What is still there of the testbed named `id`: processes, cgroups, mounts and remembered network addresses.
fn leftovers(id: &str) -> Vec<String> {
    let processes = process_id::marked(MARK, id).into_iter().map(|process| format!("process {}", process.pid));
    let groups = cgroups::hierarchies().unwrap_or_default().into_iter().map(|hierarchy| hierarchy.join(id));
    let groups = groups.filter(|group| group.exists()).map(|group| format!("cgroup {}", group.display()));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounts = mounts.lines().filter(|line| line.contains(id)).map(|line| format!("mount {line}"));
    processes.chain(groups).chain(mounts).collect()
}

fn kill(state: &State) {
    for process in state.processes.iter().rev() {
        process.id.signal_group(Signal::SIGKILL);
    }
    // What was started but not yet written down, and what those processes started, carries the mark.
    for _ in 0..200 {
        let left = process_id::marked(MARK, &state.id);
        let recorded = state.processes.iter().any(|process| process.id.is_alive());
        if left.is_empty() && !recorded {
            return;
        }
        for process in left {
            process.signal(Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The node's mounts live in a namespace that ended with its processes; this is for what was made before.
fn unmount_below(folder: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("read /proc/self/mountinfo")?;
    let below = mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from).filter(|at| at.starts_with(folder));
    for mount in below.collect::<Vec<_>>().into_iter().rev() {
        umount2(&mount, MntFlags::MNT_DETACH).with_context(|| format!("unmount {}", mount.display()))?;
    }
    Ok(())
}

/// The state file goes last: as long as it is there, somebody has something to do.
fn remove_files(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        if ["lock", "logs", "state.json"].iter().any(|kept| path.ends_with(kept)) {
            continue;
        }
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
            .with_context(|| format!("remove {}", path.display()))?;
    }
    fs::remove_file(folder.join("state.json")).context("remove the testbed's state")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processes::Processes;
    use std::process::Command;

    #[test]
    fn nothing_stays_but_the_logs() {
        let folder = tempfile::tempdir().unwrap();
        let mut processes = Processes::new(folder.path(), State::create(folder.path()).unwrap()).unwrap();
        let parent = processes.start("parent", Command::new("sh").args(["-c", "sleep 100 & sleep 100"])).unwrap();
        fs::write(folder.path().join("file"), "").unwrap();

        assert!(down(folder.path()).unwrap());
        processes.reap();

        assert!(!parent.is_alive());
        assert!(process_id::marked(MARK, processes.id()).is_empty());
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["lock", "logs"]);
        assert!(!down(folder.path()).unwrap());
    }
}
