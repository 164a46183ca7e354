//! podsight in the cluster, from its own manifests with its own images.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::certificates::{Files, WEBHOOK_NAMES};
use crate::control_plane::ControlPlane;
use crate::processes::Processes;
use crate::wait::until;
use crate::{folders, ports};

/// How long the pods may take to be ready.
const READY_LIMIT: Duration = Duration::from_mins(3);

/// A pod that the first rule warns about, whatever else changes: shows that warnings reach a user.
const PROBE: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "namespace": "default"},
  "spec": {"containers": [{"name": "main", "image": "podsight.test/busybox:1", "resources": {"limits": {"memory": "1"}}}]}}"#;

/// What is behind the manifests.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// Pods on nodes, as everywhere.
    Pods,
    /// Programs of this machine, where there is no node: the port of the webhook on 127.0.0.1.
    Programs {
        /// The webhook's port.
        webhook: u16,
    },
}

/// Applies `deploy/overlays/local` with what this run adds, and waits until warnings reach users.
pub fn install(processes: &mut Processes, plane: &ControlPlane, target: Target) -> Result<()> {
    let folder = processes.folder().join("install");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let (resources, patches) = match target {
        Target::Pods => pods_patches(&folder, plane)?,
        Target::Programs { webhook } => (vec![], program_patches(plane, webhook)),
    };
    write(&folder, &resources, &patches)?;
    plane.kubectl.run(&["apply", "-k", &folder.display().to_string()])?;
    let probe = folder.join("probe.json");
    fs::write(&probe, PROBE).context("write the probe")?;
    // The API server learns of a webhook and of its ready pods a moment later, and until then lets all pass in silence.
    until("the API server passes on the webhook's warnings", READY_LIMIT, || {
        processes.check()?;
        let probe = plane.kubectl.output(&["create", "--dry-run=server", "-f", &probe.display().to_string()])?;
        Ok(probe.stderr.contains("Warning:").then_some(()))
    })
    .with_context(|| pods(plane))
}

/// Waits until an agent is ready on so many nodes, and both replicas of the webhook.
pub fn wait_ready(processes: &mut Processes, plane: &ControlPlane, nodes: usize) -> Result<()> {
    let ready = |kind: &str, name: &str, field: &str| {
        let query = format!("jsonpath={{.status.{field}}}");
        plane.kubectl.output(&["get", kind, name, "-n", "podsight-system", "-o", &query]).map(|answer| answer.stdout)
    };
    until("podsight's pods are ready", READY_LIMIT, || {
        processes.check()?;
        let agents = ready("daemonset", "podsight-agent", "numberReady")?;
        let replicas = ready("deployment", "podsight-webhook", "readyReplicas")?;
        Ok((agents == nodes.to_string() && replicas == "2").then_some(()))
    })
    .with_context(|| pods(plane))
}

/// The Secret with the webhook's certificate.
pub fn secret(plane: &ControlPlane, certificate: &Files) -> Result<Value> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("read {}", path.display()));
    Ok(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "podsight-webhook-tls", "namespace": "podsight-system"},
        "stringData": {
            "tls.crt": read(&certificate.certificate)?, "tls.key": read(&certificate.key)?, "ca.crt": plane.authority.certificate(),
        },
    }))
}

/// The certificate and the ports: resources and patches of the kustomization.
fn pods_patches(folder: &Path, plane: &ControlPlane) -> Result<(Vec<&'static str>, Vec<Value>)> {
    let certificate = plane.authority.server("webhook", &WEBHOOK_NAMES)?;
    fs::write(folder.join("secret.json"), secret(plane, &certificate)?.to_string()).context("write the webhook's secret")?;
    // The agents share their node's network, and other testbeds may be on it.
    let [admin] = ports::free()?;
    let agent = json!([
        {"op": "add", "path": "/spec/template/spec/containers/0/env/-",
         "value": {"name": "KUBERNETES_SERVICE_PORT", "value": plane.port.to_string()}},
        // An option that is given twice is an error.
        {"op": "test", "path": "/spec/template/spec/containers/0/args/0", "value": "--admin-listen=0.0.0.0:9090"},
        {"op": "replace", "path": "/spec/template/spec/containers/0/args/0", "value": format!("--admin-listen=127.0.0.1:{admin}")},
        {"op": "replace", "path": "/spec/template/spec/containers/0/ports/0/containerPort", "value": admin},
    ]);
    let trust = json!([{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": trusted(plane)}]);
    Ok((
        vec!["secret.json"],
        vec![
            patch("DaemonSet", "podsight-agent", &agent),
            patch("ValidatingWebhookConfiguration", "podsight-webhook", &trust),
            patch("MutatingWebhookConfiguration", "podsight-webhook", &trust),
        ],
    ))
}

/// No pods, and the webhook at an address instead of behind a Service.
fn program_patches(plane: &ControlPlane, webhook: u16) -> Vec<Value> {
    let call = |path: &str| {
        json!([{"op": "replace", "path": "/webhooks/0/clientConfig",
            "value": {"url": format!("https://127.0.0.1:{webhook}/{path}"), "caBundle": trusted(plane)}}])
    };
    let without = |kind: &str, name: &str| {
        let object =
            json!({"$patch": "delete", "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "podsight-system"}});
        json!({"patch": object.to_string()})
    };
    vec![
        without("Deployment", "podsight-webhook"),
        without("DaemonSet", "podsight-agent"),
        patch("ValidatingWebhookConfiguration", "podsight-webhook", &call("validate")),
        patch("MutatingWebhookConfiguration", "podsight-webhook", &call("mutate")),
    ]
}

fn patch(kind: &str, name: &str, operations: &Value) -> Value {
    json!({"target": {"kind": kind, "name": name}, "patch": operations.to_string()})
}

fn trusted(plane: &ControlPlane) -> String {
    BASE64_STANDARD.encode(plane.authority.certificate())
}

fn write(folder: &Path, resources: &[&str], patches: &[Value]) -> Result<()> {
    let overlay = relative(folder, &folders::repository()?.join("deploy/overlays/local"));
    let mut all = vec![overlay.display().to_string()];
    all.extend(resources.iter().map(|&resource| resource.to_owned()));
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": all, "patches": patches,
    });
    fs::write(folder.join("kustomization.yaml"), kustomization.to_string()).context("write the kustomization")
}

/// What a failed installation looks like, for the error's text.
fn pods(plane: &ControlPlane) -> String {
    let shown = plane.kubectl.run(&["get", "pods,events", "-n", "podsight-system"]).unwrap_or_else(|error| format!("{error:#}"));
    format!("podsight is not ready:\n{shown}")
}

/// kustomize takes no absolute path to a base. Both paths are absolute and hold no links.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let up = from.components().filter(|component| matches!(component, Component::Normal(_))).map(|_| Component::ParentDir);
    up.chain(to.components().filter(|component| *component != Component::RootDir)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_reached_from_anywhere() {
        assert_eq!(relative(Path::new("/a/b"), Path::new("/c/deploy")), Path::new("../../c/deploy"));
    }
}
