//! The node's own mount and process namespaces.
//!
//! The kubelet, containerd and every container live in them. They see this machine's files, network and cgroups, but
//! what they mount stays theirs, and all of them end with the namespaces' first process: one kill leaves nothing.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::wait::wait;

use crate::process_id::ProcessId;
use crate::processes::Processes;
use crate::wait::until;

/// The hidden verb of `cargo xtask` that [`init`] is behind.
pub const VERB: &str = "testbed-node-init";

/// Folders whose paths are compiled into the kubelet, containerd or the CNI library: the node has its own ones there.
const OWN_FOLDERS: [&str; 4] = ["/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"];

/// Settings of the kernel that the kubelet (`setupKernelTunables`) and the CNI plugins would change for the whole machine.
/// They find these values already there, in files mounted over the kernel's.
const KERNEL_SETTINGS: [(&str, &str); 7] = [
    ("kernel/keys/root_maxbytes", "25000000"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("net/ipv4/ip_forward", "1"),
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
];

/// The namespaces, open for more programs.
#[derive(Debug, Clone)]
pub struct Namespace {
    first: ProcessId,
}

impl Namespace {
    /// Makes the namespaces.
    pub fn create(processes: &mut Processes) -> Result<Self> {
        let folder = processes.folder().to_owned();
        let missing: Vec<PathBuf> = OWN_FOLDERS.iter().flat_map(|own| missing_folders(Path::new(own))).collect();
        // Written down first: a folder that was never made is no trouble to remove.
        processes.record(|state| state.folders.extend(missing.iter().cloned()))?;
        for made in &missing {
            fs::create_dir(made).with_context(|| format!("create {}", made.display()))?;
        }
        let program = std::env::current_exe().context("find this program's file")?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation=private"]).arg(program).arg(VERB).arg(&folder);
        processes.start("node", &mut command)?;
        let ready = ready_file(&folder);
        let pid = until("the node's namespaces", Duration::from_secs(20), || {
            processes.check()?;
            Ok(fs::read_to_string(&ready).ok().and_then(|text| text.parse().ok()))
        })?;
        let first = ProcessId::of(pid).context("find the node's first process in /proc")?;
        processes.record(|state| state.processes.push(crate::state::Process { name: "node-init".into(), id: first }))?;
        Ok(Self { first })
    }

    /// `program`, to be run inside.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.first.pid.to_string(), "--mount", "--pid", "--"]).arg(program);
        command
    }
}

/// The first process inside: arranges the mounts, then waits for orphans until it is killed.
pub fn init(folder: &Path) -> Result<()> {
    // `/proc` is still the machine's here, and so is this number.
    let own = fs::read_link("/proc/self").context("read /proc/self")?;
    let none: Option<&Path> = None;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC, none).context("mount /proc")?;
    let behind = folder.join("node/own");
    for target in OWN_FOLDERS {
        let source = behind.join(target.trim_start_matches('/'));
        fs::create_dir_all(&source).with_context(|| format!("create {}", source.display()))?;
        bind(&source, Path::new(target))?;
    }
    for (name, value) in KERNEL_SETTINGS {
        let (source, target) = (behind.join(name.replace('/', ".")), Path::new("/proc/sys").join(name));
        if target.exists() {
            fs::write(&source, value).with_context(|| format!("write {}", source.display()))?;
            bind(&source, &target)?;
        }
    }
    // Volumes that the kubelet mounts must be seen by the containers that start later.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SHARED, none).context("share the node's mounts")?;
    let (ready, draft) = (ready_file(folder), folder.join("node/ready.draft"));
    fs::write(&draft, own.as_os_str().as_encoded_bytes())
        .and_then(|()| fs::rename(&draft, &ready))
        .with_context(|| format!("write {}", ready.display()))?;
    loop {
        match wait() {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
    }
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    let none: Option<&Path> = None;
    mount(Some(source), target, none, MsFlags::MS_BIND, none).with_context(|| format!("mount {} at {}", source.display(), target.display()))
}

fn ready_file(folder: &Path) -> PathBuf {
    folder.join("node/ready")
}

/// `path` and those of its parents that are not there, outermost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let mut known = PathBuf::new();
    let mut missing = vec![];
    for component in path.components() {
        known.push(component);
        if component != Component::RootDir && !known.exists() {
            missing.push(known.clone());
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_folders_come_outermost_first() {
        let base = tempfile::tempdir().unwrap();
        let (a, b) = (base.path().join("a"), base.path().join("a/b"));
        assert_eq!(missing_folders(&b), [a, b]);
        assert!(missing_folders(base.path()).is_empty());
    }
}
