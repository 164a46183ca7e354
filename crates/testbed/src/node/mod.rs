//! This machine as a node: containerd and the kubelet on the machine's own kernel.

pub mod cni;
pub mod containerd;
pub mod kubelet;
pub mod namespace;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use self::containerd::Containerd;
use self::namespace::Namespace;
use crate::build::Programs;
use crate::control_plane::ControlPlane;
use crate::processes::Processes;
use crate::wait::until;
use crate::{cgroups, kubeconfig, ports};

/// The node's name in the cluster.
pub const NAME: &str = "machine";

/// How long a node may take to become Ready.
const READY_LIMIT: Duration = Duration::from_mins(3);

/// A running node.
#[derive(Debug)]
pub struct Node {
    namespace: Namespace,
}

impl Node {
    /// Starts the node and waits until it is Ready. `images` is the archive of what its pods need.
    pub fn start(processes: &mut Processes, programs: &Programs, plane: &ControlPlane, images: &Path) -> Result<Self> {
        let folder = processes.folder().join("node");
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let cgroup = format!("/{}", processes.id());
        processes.record(|state| state.cgroup = Some(cgroup.clone()))?;
        cgroups::create(cgroup.trim_start_matches('/'))?;
        cni::write(&folder, processes.id(), plane.service)?;

        let namespace = Namespace::create(processes)?;
        let containerd = Containerd::start(processes, programs, &namespace, &folder)?;
        containerd.import(images)?;

        let client = plane.node_certificate(NAME)?;
        let kubeconfig = folder.join("kubeconfig");
        kubeconfig::write(&kubeconfig, &plane.server(), &plane.authority.certificate_file(), &client)?;
        let static_pods = folder.join("static-pods");
        fs::create_dir_all(&static_pods).with_context(|| format!("create {}", static_pods.display()))?;
        let [port] = ports::free()?;
        let settings = kubelet::Settings {
            cgroup_root: Some(&cgroup),
            container_runtime: containerd.socket(),
            authority: &plane.authority.certificate_file(),
            pod_logs: &folder.join("pod-logs"),
            static_pods: &static_pods,
            plugins: &folder.join("plugins"),
            port,
            evicts: true,
        };
        kubelet::write(&folder.join("kubelet.json"), &settings)?;
        let mut command = namespace.command(&programs.path("kubelet"));
        command
            .arg(format!("--config={}", folder.join("kubelet.json").display()))
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!("--root-dir={}", folder.join("kubelet").display()))
            .arg(format!("--hostname-override={NAME}"));
        processes.start("kubelet", &mut command)?;
        wait_ready(processes, plane, NAME, READY_LIMIT)?;
        Ok(Self { namespace })
    }

    /// A program to be run among the node's mounts and processes.
    pub fn command(&self, program: &Path) -> std::process::Command {
        self.namespace.command(program)
    }
}

/// Waits until the kubelet of `name` reports Ready.
pub fn wait_ready(processes: &mut Processes, plane: &ControlPlane, name: &str, limit: Duration) -> Result<()> {
    let ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
    until(&format!("the node {name} is Ready"), limit, || {
        processes.check()?;
        let answer = plane.kubectl.output(&["get", "node", name, "-o", ready])?;
        Ok((answer.stdout == "True").then_some(()))
    })
}
