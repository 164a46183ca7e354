//! A testbed from its start to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build::{self, Programs};
use crate::control_plane::ControlPlane;
use crate::description::{self, Cgroup, Description, Kind};
use crate::guest::Guest;
use crate::images::{self, Images};
use crate::janitor::Janitor;
use crate::node::Node;
use crate::processes::Processes;
use crate::progress::Progress;
use crate::state::{Lock, State};
use crate::{cgroups, cleanup, command, folders, guest, install, node, tools};

/// A running testbed. [`Testbed::close`] takes it down; should this process end without it, a janitor does.
#[derive(Debug)]
pub struct Testbed {
    /// Everything of it is in this folder.
    pub folder: PathBuf,
    /// Kubernetes' programs.
    pub programs: Programs,
    /// The archives that its nodes know.
    pub images: Images,
    /// The API server and its kin.
    pub plane: ControlPlane,
    /// This machine as a node.
    pub node: Node,
    /// Why there is no second node, where there is none.
    pub guest: Result<()>,
    /// All that runs.
    pub processes: Processes,
    /// Where steps are shown.
    pub progress: Progress,
}

/// Holds the state folder while something is in it.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    lock: Lock,
    janitor: Janitor,
}

impl Claim {
    /// Takes the state folder, cleans up what a testbed before left in it, and starts a janitor.
    pub fn take() -> Result<Self> {
        let folder = folders::state()?;
        let lock = Lock::take(&folder)?;
        cleanup::clean(&folder).context("clean up behind an earlier testbed")?;
        let logs = folder.join("logs");
        if logs.exists() {
            fs::remove_dir_all(&logs).with_context(|| format!("remove {}", logs.display()))?;
        }
        fs::create_dir_all(&logs).with_context(|| format!("create {}", logs.display()))?;
        State::create(&folder)?;
        let janitor = Janitor::start(&folder)?;
        Ok(Self { folder, lock, janitor })
    }

    /// The state folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes everything down.
    pub fn release(self) -> Result<()> {
        let cleaned = cleanup::clean(&self.folder);
        drop(self.lock);
        self.janitor.dismiss()?;
        cleaned
    }
}

impl Testbed {
    /// Whether this machine can be a node. The error is one sentence that says what is missing.
    pub fn possible() -> Result<()> {
        if !tools::is_root() {
            bail!("a node needs root");
        }
        tools::RUNC.require()?;
        tools::BUSYBOX.require()?;
        // Root in a container may lack the right.
        command::run(Command::new("unshare").args(["--mount", "--pid", "--fork", "true"])).context("make namespaces")?;
        Ok(())
    }

    /// Builds what is missing, then starts everything.
    pub fn start(claim: &Claim, progress: &Progress) -> Result<Self> {
        let folder = claim.folder().to_owned();
        let programs = build::build(progress)?;
        let images = images::build(&folder.join("images"), progress)?;
        let guest = Guest::prepare(progress);
        let state = State::read(&folder)?.context("the testbed's state is gone")?;
        let mut processes = Processes::new(&folder, state)?;
        progress.step("start etcd, the API server, the controllers and the scheduler");
        let plane = ControlPlane::start(&mut processes, &programs)?;
        if let Ok(guest) = &guest {
            progress.step("make the second node's disk and boot it");
            guest.start(&mut processes, &programs, &plane, &images)?;
        }
        progress.step("start containerd and the kubelet on this machine");
        let node = Node::start(&mut processes, &programs, &plane, &images.machine)?;
        if let Ok(guest) = &guest {
            progress.step("wait for the second node");
            guest.wait_ready(&mut processes, &plane)?;
        }
        progress.step("install podsight from deploy/overlays/local");
        install::install(&mut processes, &plane)?;
        let testbed = Self { folder, programs, images, plane, node, guest: guest.map(drop), processes, progress: progress.clone() };
        testbed.description().write()?;
        Ok(testbed)
    }

    /// What tests are told.
    pub fn description(&self) -> Description {
        let machine = if cgroups::memory_is_v1() { Cgroup::V1 } else { Cgroup::V2 };
        let mut nodes = vec![description::Node { name: node::NAME.into(), cgroup: machine, kind: Kind::Machine, console: None }];
        if self.guest.is_ok() {
            let console = Some(self.folder.join("logs/guest.log"));
            nodes.push(description::Node { name: guest::NAME.into(), cgroup: Cgroup::V2, kind: Kind::Guest, console });
        }
        Description {
            folder: self.folder.clone(),
            kubeconfig: self.plane.kubectl.kubeconfig().to_owned(),
            kubectl: self.programs.path("kubectl"),
            podsight: self.images.programs.podsight("podsight"),
            nodes,
        }
    }
}
