//! A second node: a kernel of Debian's, as a QEMU guest; 6.12 with cgroup v2 unless another is chosen.
//!
//! Kernels kill differently. On cgroup v1 a child dies and the pod runs on unseen; on v2 the kubelet's
//! `memory.oom.group` takes the whole container.

pub mod choice;
mod disk;
mod kernel;
mod packages;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use self::choice::Choice;
use self::kernel::Kernel;
use crate::build::Programs;
use crate::control_plane::ControlPlane;
use crate::description::Cgroup;
use crate::images::Images;
use crate::node::wait_ready;
use crate::processes::Processes;
use crate::progress::Progress;
use crate::tools;

/// The node's name in the cluster.
pub const NAME: &str = "guest";

/// How long it may take to boot and become Ready where QEMU has to emulate the processor.
const READY_LIMIT: Duration = Duration::from_mins(5);

/// What the guest's memory is, MiB.
const MEMORY_MIB: u32 = 2048;

/// Everything that boots; [`Guest::prepare`] finds out whether there can be one.
#[derive(Debug)]
pub struct Guest {
    kernel: Kernel,
    choice: Choice,
}

impl Guest {
    /// Finds QEMU and a kernel. The error is one sentence that says what is missing.
    pub fn prepare(choice: Choice, progress: &Progress) -> Result<Self> {
        for tool in tools::GUEST {
            tool.require()?;
        }
        Ok(Self { kernel: Kernel::find(choice.series, progress)?, choice })
    }

    /// What its kernel counts memory with.
    pub fn cgroup(&self) -> Cgroup {
        self.choice.cgroup
    }

    /// Makes the guest's disk and boots it; it goes on to become Ready by itself.
    pub fn start(&self, processes: &mut Processes, programs: &Programs, plane: &ControlPlane, images: &Images) -> Result<()> {
        let folder = processes.folder().join("guest");
        let disk = disk::make(&folder, programs, plane, images)?;
        processes.start("guest", &mut self.qemu(&disk, plane.port, &processes.folder().join("logs/guest.kmsg"))?)?;
        Ok(())
    }

    /// Waits until the guest is a Ready node.
    pub fn wait_ready(&self, processes: &mut Processes, plane: &ControlPlane) -> Result<()> {
        wait_ready(processes, plane, NAME, READY_LIMIT)
            .with_context(|| format!("the guest's console is {}", processes.folder().join("logs/guest.log").display()))
    }

    fn qemu(&self, disk: &Path, port: u16, log: &Path) -> Result<Command> {
        #[expect(clippy::disallowed_methods, reason = "the guest has no clock of its own")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("read the clock")?.as_secs();
        let qemu = tools::GUEST.first().copied().context("the first tool of the guest is QEMU")?.require()?;
        // All wait for its one emulated processor in the end, so that comes before what this machine does beside it.
        let mut command = Command::new("nice");
        command
            .args(["-n", "-10"])
            .arg(qemu)
            // Not KVM: inside a virtual machine it is there and yet may stop at an instruction that it cannot emulate. One processor: where a
            // kernel patches its own code (`text_poke_bp`), a second emulated one may run the breakpoint after it was taken away, and panic.
            .args(["-accel", "tcg", "-cpu", "max,-cx16", "-smp", "1", "-m", &MEMORY_MIB.to_string()])
            .args(["-nographic", "-no-reboot", "-kernel"])
            .arg(&self.kernel.image)
            .arg("-initrd")
            .arg(&self.kernel.initramfs)
            // What guards against other users of a processor costs an emulated one a third of its time, and there are none.
            .args([
                "-append",
                &format!(
                    "console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off init_on_alloc=0 podsight.api={port} podsight.now={now} {}",
                    self.arguments()
                ),
            ])
            .args(["-drive", &format!("file={},format=raw,if=virtio,cache=unsafe", disk.display())])
            .args(["-netdev", "user,id=network", "-device", "virtio-net-pci,netdev=network"]);
        if self.choice.keeps_log {
            command.args(["-serial", "mon:stdio", "-serial", &format!("file:{}", log.display())]);
        }
        Ok(command)
    }

    /// What the guest's init is told of the choice.
    fn arguments(&self) -> String {
        let cgroup = match self.choice.cgroup {
            Cgroup::V1 => "v1",
            Cgroup::V2 => "v2",
        };
        let log = if self.choice.keeps_log { "ttyS1" } else { "none" };
        format!("podsight.cgroup={cgroup} podsight.log={log}")
    }
}
