//! The container runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::build::Programs;
use crate::image::PAUSE_IMAGE;
use crate::node::namespace::Namespace;
use crate::processes::Processes;
use crate::wait::until;
use crate::{command, tools};

/// How long containerd may take to answer.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// Paths as containerd sees them; in the guest they are others.
#[derive(Debug)]
pub struct Layout<'a> {
    /// What outlives containerd.
    pub root: &'a Path,
    /// What does not; sockets too.
    pub state: &'a Path,
    /// CNI plugins, and the shim.
    pub programs: &'a Path,
    /// CNI configuration.
    pub networks: &'a Path,
    /// The OCI runtime.
    pub runc: &'a Path,
}

/// A running containerd.
#[derive(Debug)]
pub struct Containerd {
    ctr: PathBuf,
    socket: PathBuf,
    namespace: Namespace,
}

impl Containerd {
    /// Starts it in the node's namespaces and waits until it answers.
    pub fn start(processes: &mut Processes, programs: &Programs, namespace: &Namespace, folder: &Path) -> Result<Self> {
        let layout = Layout {
            root: &folder.join("containerd"),
            // The node's own folder behind this path keeps the sockets' names short whatever the state folder's path is.
            state: Path::new("/run/containerd/podsight"),
            programs: programs.folder(),
            networks: &folder.join("cni"),
            runc: &tools::RUNC.require()?,
        };
        let configuration_file = folder.join("containerd.toml");
        fs::write(&configuration_file, configuration(&layout)).context("write containerd.toml")?;
        let mut command = namespace.command(&programs.path("containerd"));
        command.arg("--config").arg(&configuration_file);
        // Where it looks for its shim.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs.folder().to_owned()).chain(std::env::split_paths(&path)))
            .context("put the built programs on PATH")?;
        command.env("PATH", path);
        processes.start("containerd", &mut command)?;
        let this = Self { ctr: programs.path("ctr"), socket: layout.state.join("containerd.sock"), namespace: namespace.clone() };
        until("containerd answers", READY_LIMIT, || {
            processes.check()?;
            Ok(command::output(this.ctr().arg("version"))?.status.success().then_some(()))
        })?;
        Ok(this)
    }

    /// Where the kubelet reaches it.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Makes the images of an OCI archive known to the kubelet.
    pub fn import(&self, archive: &Path) -> Result<()> {
        command::run(self.ctr().args(["--namespace", "k8s.io", "images", "import"]).arg(archive))?;
        Ok(())
    }

    fn ctr(&self) -> Command {
        let mut command = self.namespace.command(&self.ctr);
        command.arg("--address").arg(&self.socket);
        command
    }
}

/// The text of containerd's configuration file.
pub fn configuration(layout: &Layout<'_>) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        r#"version = 3
root = {root}
state = {state}
[grpc]
  address = {socket}
[plugins."io.containerd.internal.v1.opt"]
  path = {opt}
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.cri.v1.images"]
  # No demand on the file system below; the images are small.
  snapshotter = "native"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without CAP_SYS_RESOURCE no sandbox would start otherwise.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  # Nobody reads them, and every second all shims would be asked: a third of an emulated processor's time.
  stats_collect_period = "1h"
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = [{programs}]
  conf_dir = {networks}
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
    BinaryName = {runc}
    SystemdCgroup = false
"#,
        root = quoted(layout.root),
        state = quoted(layout.state),
        socket = quoted(&layout.state.join("containerd.sock")),
        opt = quoted(&layout.root.join("opt")),
        programs = quoted(layout.programs),
        networks = quoted(layout.networks),
        runc = quoted(layout.runc),
    )
}
