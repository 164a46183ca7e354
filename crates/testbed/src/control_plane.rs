//! etcd, the API server, the controllers and the scheduler, on loopback.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::build::Programs;
use crate::certificates::{Authority, Files, KeyFiles};
use crate::kubectl::Kubectl;
use crate::processes::Processes;
use crate::service::Service;
use crate::wait::until;
use crate::{kubeconfig, ports};

/// How long the API server may take to be ready on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// A running control plane.
#[derive(Debug)]
pub struct ControlPlane {
    /// Signs the certificates of everyone here.
    pub authority: Authority,
    /// The API server's port on 127.0.0.1.
    pub port: u16,
    /// Where pods find it, if they can.
    pub service: Option<Service>,
    /// The administrator's kubectl.
    pub kubectl: Kubectl,
}

impl ControlPlane {
    /// Starts everything and waits until pods can be created. `service` is where pods find the API server, if they can.
    pub fn start(processes: &mut Processes, programs: &Programs, service: Option<Service>) -> Result<Self> {
        let folder = processes.folder().to_owned();
        let authority = Authority::create(&folder.join("certificates"))?;
        let [etcd_client, etcd_peer, port] = ports::free()?;
        let server = format!("https://127.0.0.1:{port}");
        let etcd = format!("http://127.0.0.1:{etcd_client}");
        processes.start("etcd", &mut etcd_command(programs, &folder, &etcd, etcd_peer))?;
        let token_key = authority.key_pair("service-account")?;
        processes.start("kube-apiserver", &mut api_server_command(programs, &authority, &token_key, &etcd, port, service)?)?;

        let administrator = authority.client("admin", "podsight-testbed", Some("system:masters"))?;
        let kubeconfig = folder.join("kubeconfig");
        let plane = Self { port, service, kubectl: Kubectl::new(programs.path("kubectl"), kubeconfig.clone()), authority };
        kubeconfig::write(&kubeconfig, &server, &plane.authority.certificate_file(), &administrator)?;
        until("the API server is ready", READY_LIMIT, || {
            processes.check()?;
            Ok(plane.kubectl.output(&["get", "--raw", "/readyz"])?.status.success().then_some(()))
        })?;

        let controllers = plane.component(&folder, "kube-controller-manager")?;
        let mut command = Command::new(programs.path("kube-controller-manager"));
        command
            .arg(format!("--kubeconfig={}", controllers.display()))
            .arg(format!("--root-ca-file={}", plane.authority.certificate_file().display()))
            .arg(format!("--service-account-private-key-file={}", token_key.private.display()))
            .args(["--use-service-account-credentials", "--leader-elect=false", "--secure-port=0"])
            // A machine busy with a build may keep a kubelet from reporting, and a recorded node has none.
            .arg("--node-monitor-grace-period=24h");
        processes.start("kube-controller-manager", &mut command)?;
        let scheduler = plane.component(&folder, "kube-scheduler")?;
        let mut command = Command::new(programs.path("kube-scheduler"));
        command.arg(format!("--kubeconfig={}", scheduler.display())).args(["--leader-elect=false", "--secure-port=0"]);
        processes.start("kube-scheduler", &mut command)?;
        // The first pod of a namespace is refused until its default service account is there.
        until("the default service account exists", READY_LIMIT, || {
            processes.check()?;
            Ok(plane.kubectl.output(&["get", "serviceaccount", "default"])?.status.success().then_some(()))
        })?;
        Ok(plane)
    }

    /// The API server's address on this machine.
    pub fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// What a kubelet of this name proves itself with.
    pub fn node_certificate(&self, name: &str) -> Result<Files> {
        self.authority.client(&format!("node-{name}"), &format!("system:node:{name}"), Some("system:nodes"))
    }

    fn component(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        let client = self.authority.client(name, &format!("system:{name}"), None)?;
        let path = folder.join(format!("{name}.kubeconfig"));
        kubeconfig::write(&path, &self.server(), &self.authority.certificate_file(), &client).context("write a component's kubeconfig")?;
        Ok(path)
    }
}

fn etcd_command(programs: &Programs, folder: &Path, client: &str, peer_port: u16) -> Command {
    let peer = format!("http://127.0.0.1:{peer_port}");
    let mut command = Command::new(programs.path("etcd"));
    command
        .arg(format!("--data-dir={}", folder.join("etcd").display()))
        .arg(format!("--listen-client-urls={client}"))
        .arg(format!("--advertise-client-urls={client}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=default={peer}"))
        // Nothing here outlives the testbed.
        .args(["--unsafe-no-fsync", "--log-level=warn"]);
    command
}

fn api_server_command(
    programs: &Programs,
    authority: &Authority,
    token_key: &KeyFiles,
    etcd: &str,
    port: u16,
    service: Option<Service>,
) -> Result<Command> {
    let address = service.map_or_else(|| "localhost".to_owned(), |service| service.address().to_string());
    let serving = authority.server("kube-apiserver", &["127.0.0.1", "localhost", "kubernetes.default.svc", &address])?;
    let services = service.map_or_else(|| "10.96.0.0/16".to_owned(), Service::range);
    let mut command = Command::new(programs.path("kube-apiserver"));
    command
        .arg(format!("--etcd-servers={etcd}"))
        .arg(format!("--secure-port={port}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        // From 1.37 on a loopback address is refused as an endpoint.
        .arg("--endpoint-reconciler-type=none")
        // Without kube-proxy another service's address leads nowhere: webhooks are reached at a ready pod's own address.
        .arg("--enable-aggregator-routing=true")
        .args(["--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"])
        .arg(format!("--service-cluster-ip-range={services}"))
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(format!("--service-account-key-file={}", token_key.public.display()))
        .arg(format!("--service-account-signing-key-file={}", token_key.private.display()))
        .arg(format!("--client-ca-file={}", authority.certificate_file().display()))
        .arg(format!("--tls-cert-file={}", serving.certificate.display()))
        .arg(format!("--tls-private-key-file={}", serving.key.display()));
    Ok(command)
}
