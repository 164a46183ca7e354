//! A testbed from its start to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::build::{self, Programs};
use crate::control_plane::ControlPlane;
use crate::description::{self, Cgroup, Description, Kind};
use crate::guest::Guest;
use crate::guest::choice::Choice;
use crate::images;
use crate::install::Target;
use crate::janitor::Janitor;
use crate::node::Node;
use crate::processes::Processes;
use crate::progress::Progress;
use crate::recorded::Recorded;
use crate::service::Service;
use crate::state::{Lock, State};
use crate::{cgroups, cleanup, command, folders, guest, install, node, static_programs, tools};

/// A running testbed. [`Claim::release`] takes it down; should this process end without it, a janitor does.
#[derive(Debug)]
pub struct Testbed {
    /// Everything of it is in this folder.
    pub folder: PathBuf,
    /// Kubernetes' programs.
    pub programs: Programs,
    /// podsight's programs, static as in the images.
    pub podsight: PathBuf,
    /// The API server and its kin.
    pub plane: ControlPlane,
    /// What kills.
    pub kernel: Kernel,
    /// What the second node counts memory with, or why there is none.
    pub guest: Result<Cgroup>,
    /// All that runs.
    pub processes: Processes,
    /// Where steps are shown.
    pub progress: Progress,
}

/// What kills pods here.
#[derive(Debug)]
pub enum Kernel {
    /// This machine's own, and the guest's.
    Real(Node),
    /// A recording, because of what the error says.
    Recorded(Recorded, anyhow::Error),
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
        tools::static_busybox()?;
        // Root in a container may lack the right.
        command::run(Command::new("unshare").args(["--mount", "--pid", "--fork", "true"])).context("make namespaces")?;
        Ok(())
    }

    /// Builds what is missing, then starts everything, with the usual second node.
    pub fn start(claim: &Claim, progress: &Progress) -> Result<Self> {
        Self::start_with(Choice::default(), claim, progress)
    }

    /// Builds what is missing, then starts everything, with the second node of choice.
    pub fn start_with(choice: Choice, claim: &Claim, progress: &Progress) -> Result<Self> {
        Self::begin(Some(choice), claim, progress)
    }

    /// Builds what is missing, then starts everything on this machine's own node alone: an emulated one takes a processor, and measurements with it.
    pub fn start_alone(claim: &Claim, progress: &Progress) -> Result<Self> {
        Self::begin(None, claim, progress)
    }

    fn begin(choice: Option<Choice>, claim: &Claim, progress: &Progress) -> Result<Self> {
        let folder = claim.folder().to_owned();
        let programs = build::build(progress)?;
        let state = State::read(&folder)?.context("the testbed's state is gone")?;
        let processes = Processes::new(&folder, state)?;
        let testbed = match Self::possible() {
            Ok(()) => Self::on_nodes(choice, folder, programs, processes, progress),
            Err(reason) => Self::on_recording(folder, programs, processes, progress, reason),
        }?;
        testbed.description().write()?;
        Ok(testbed)
    }

    fn on_nodes(
        choice: Option<Choice>,
        folder: PathBuf,
        programs: Programs,
        mut processes: Processes,
        progress: &Progress,
    ) -> Result<Self> {
        let images = images::build(&folder.join("images"), progress)?;
        let guest = choice.context("one node was asked for").and_then(|choice| Guest::prepare(choice, progress));
        progress.step("start etcd, the API server, the controllers and the scheduler");
        let service = Service::claim(&mut processes)
            .inspect_err(|error| progress.say(&format!("pods will not reach the API server: {error:#}")))
            .ok();
        let plane = ControlPlane::start(&mut processes, &programs, service)?;
        if let Some(service) = service {
            service.start(&mut processes, &images.programs.testbed("forward"), plane.port)?;
        }
        if let Ok(guest) = &guest {
            progress.step("make the second node's disk and boot it");
            guest.start(&mut processes, &programs, &plane, &images)?;
        }
        progress.step("start containerd and the kubelet on this machine");
        let node = Node::start(&mut processes, &programs, &plane, &images.machine)?;
        progress.step("install podsight from deploy/overlays/local");
        install::install(&mut processes, &plane, Target::Pods)?;
        if let Ok(guest) = &guest {
            progress.step("wait for the second node");
            guest.wait_ready(&mut processes, &plane)?;
        }
        progress.step("wait for the agents");
        install::wait_ready(&mut processes, &plane, 1 + usize::from(guest.is_ok()))?;
        let (podsight, guest) = (images.programs.podsight_folder(), guest.map(|guest| guest.cgroup()));
        Ok(Self { folder, programs, podsight, plane, kernel: Kernel::Real(node), guest, processes, progress: progress.clone() })
    }

    fn on_recording(
        folder: PathBuf,
        programs: Programs,
        mut processes: Processes,
        progress: &Progress,
        reason: anyhow::Error,
    ) -> Result<Self> {
        let podsight = static_programs::build_podsight(progress)?;
        progress.step("start etcd, the API server, the controllers and the scheduler");
        let plane = ControlPlane::start(&mut processes, &programs, None)?;
        progress.step("install podsight from deploy/overlays/local, its programs on this machine");
        let recorded = Recorded::start(&mut processes, &plane, &podsight)?;
        let (kernel, guest) = (Kernel::Recorded(recorded, reason), Err(anyhow::anyhow!("there are no nodes")));
        Ok(Self { folder, programs, podsight, plane, kernel, guest, processes, progress: progress.clone() })
    }

    /// What tests are told.
    pub fn description(&self) -> Description {
        let machine = if cgroups::memory_is_v1() { Cgroup::V1 } else { Cgroup::V2 };
        let mut nodes = vec![];
        if matches!(self.kernel, Kernel::Real(_)) {
            nodes.push(description::Node { name: node::NAME.into(), cgroup: machine, kind: Kind::Machine, console: None });
        }
        if let Ok(cgroup) = self.guest {
            let console = Some(self.folder.join("logs/guest.log"));
            nodes.push(description::Node { name: guest::NAME.into(), cgroup, kind: Kind::Guest, console });
        }
        Description {
            folder: self.folder.clone(),
            kubeconfig: self.plane.kubectl.kubeconfig().to_owned(),
            kubectl: self.programs.path("kubectl"),
            podsight: self.podsight.join("podsight"),
            nodes,
        }
    }
}
