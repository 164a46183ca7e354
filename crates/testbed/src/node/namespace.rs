//! The node's own mount and process namespaces.
//!
//! The kubelet, containerd and every container live in them. They see this machine's files, network and cgroups, but
//! what they mount stays theirs, and all of them end with the namespaces' first process: one kill leaves nothing.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
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
const OWN_FOLDERS: [(&str, [&str; 2]); 3] =
    [("/run", ["containerd", "runc"]), ("/var/lib", ["cni", "kubelet"]), ("/var/log", ["containers", "pods"])];

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
    for (parent, own) in OWN_FOLDERS {
        mirror(Path::new(parent), &own.map(OsStr::new), &behind.join(parent.trim_start_matches('/')))?;
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
    mount(Some(source), target, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
        .with_context(|| format!("mount {} at {}", source.display(), target.display()))
}

fn ready_file(folder: &Path) -> PathBuf {
    folder.join("node/ready")
}

/// Puts `behind` in the place of `parent`: everything in it as it is, but the folders `own`, which are empty there.
///
/// So the machine needs no folder to mount on: one that is made and removed by one testbed would take the mount of another with it.
fn mirror(parent: &Path, own: &[&OsStr], behind: &Path) -> Result<()> {
    fs::create_dir_all(behind).with_context(|| format!("create {}", behind.display()))?;
    for entry in fs::read_dir(parent).with_context(|| format!("list {}", parent.display()))? {
        let entry = entry.with_context(|| format!("list {}", parent.display()))?;
        let (source, target) = (entry.path(), behind.join(entry.file_name()));
        let kind = entry.file_type().with_context(|| format!("look at {}", source.display()))?;
        if own.contains(&entry.file_name().as_os_str()) {
            continue;
        }
        if kind.is_symlink() {
            let to = fs::read_link(&source).with_context(|| format!("read the link {}", source.display()))?;
            symlink(to, &target).with_context(|| format!("link {}", target.display()))?;
        } else {
            if kind.is_dir() { fs::create_dir(&target) } else { File::create(&target).map(drop) }
                .with_context(|| format!("create {}", target.display()))?;
            // What was removed between the two looks is no loss.
            if let Err(error) = bind(&source, &target)
                && source.exists()
            {
                return Err(error);
            }
        }
    }
    for name in own {
        fs::create_dir(behind.join(name)).with_context(|| format!("create {}", name.display()))?;
    }
    bind(behind, parent)
}
