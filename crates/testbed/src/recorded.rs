//! podsight where there can be no node: the real webhook and the real agent as programs of this machine, the kernel log
//! a recording.
//!
//! The API server, the manifests, the agent's identity and its rights are the real ones. What a kubelet would have done
//! with the killed pods is written into their status, and their identities into the recorded log.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::certificates::WEBHOOK_NAMES;
use crate::control_plane::ControlPlane;
use crate::folders::hex;
use crate::install::Target;
use crate::processes::Processes;
use crate::wait::until;
use crate::{install, node, ports};

/// A kill at a container's own limit, as Linux 6.18 with cgroup v1 told it. Pod, container and time are put in.
const KILL: &str = include_str!("../recorded/kill.kmsg");

const LIMIT: Duration = Duration::from_mins(1);

/// podsight, and a node that is an object and nothing else.
#[derive(Debug)]
pub struct Recorded {
    agent: PathBuf,
    folder: PathBuf,
}

impl Recorded {
    /// Installs the manifests without their pods, and starts the webhook. `podsight` is the folder of podsight's programs.
    pub fn start(processes: &mut Processes, plane: &ControlPlane, podsight: &Path) -> Result<Self> {
        let folder = processes.folder().join("recorded");
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let this = Self { agent: podsight.join("podsight-agent"), folder };
        this.apply(
            plane,
            "node.json",
            &json!({"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node::NAME, "labels": {"kubernetes.io/hostname": node::NAME, "kubernetes.io/os": "linux"}}}),
        )?;
        let ready = json!({"status": {
            "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110"}, "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Recorded", "message": "no kubelet"}]}});
        plane.kubectl.run(&["patch", "node", node::NAME, "--subresource=status", "--type=merge", "-p", &ready.to_string()])?;

        let [serving, admin] = ports::free()?;
        let certificate = plane.authority.server("webhook", &WEBHOOK_NAMES)?;
        let mut webhook = Command::new(podsight.join("podsight-webhook"));
        webhook
            .args([format!("--listen=127.0.0.1:{serving}"), format!("--admin-listen=127.0.0.1:{admin}")])
            .arg(format!("--tls-cert={}", certificate.certificate.display()))
            .arg(format!("--tls-key={}", certificate.key.display()));
        processes.start("podsight-webhook", &mut webhook)?;
        install::install(processes, plane, Target::Programs { webhook: serving })?;
        Ok(this)
    }

    /// Lets the kernel kill in `pods`, as far as the agent can tell: writes the recorded log to `file` and starts the agent.
    pub fn play(&self, processes: &mut Processes, plane: &ControlPlane, pods: &[&str], file: &Path) -> Result<()> {
        let uids = pods.iter().map(|pod| report_running(processes, plane, pod)).collect::<Result<Vec<_>>>()?;
        fs::write(file, kernel_log(&uids)?).with_context(|| format!("write {}", file.display()))?;
        self.start_agent(processes, plane, file)
    }

    /// The agent with the identity and the rights that it has in a cluster: a token bound to a pod on its node.
    fn start_agent(&self, processes: &mut Processes, plane: &ControlPlane, log: &Path) -> Result<()> {
        let name = "podsight-agent-recorded";
        self.apply(
            plane,
            "agent.json",
            &json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "podsight-system"},
            "spec": {"nodeName": node::NAME, "serviceAccountName": "podsight-agent", "tolerations": [{"operator": "Exists"}],
                "containers": [{"name": "agent", "image": "podsight/agent:0.1.0"}]}}),
        )?;
        let token = plane.kubectl.run(&[
            "create",
            "token",
            "podsight-agent",
            "-n",
            "podsight-system",
            "--bound-object-kind=Pod",
            &format!("--bound-object-name={name}"),
        ])?;
        let kubeconfig = self.folder.join("agent.kubeconfig");
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "podsight",
            "clusters": [{"name": "podsight", "cluster": {"server": plane.server(), "certificate-authority": plane.authority.certificate_file()}}],
            "users": [{"name": "agent", "user": {"token": token.trim()}}],
            "contexts": [{"name": "podsight", "context": {"cluster": "podsight", "user": "agent"}}],
        });
        fs::write(&kubeconfig, text.to_string()).with_context(|| format!("write {}", kubeconfig.display()))?;
        let [admin] = ports::free()?;
        let state = self.folder.join("agent");
        fs::create_dir_all(&state).with_context(|| format!("create {}", state.display()))?;
        let mut agent = Command::new(&self.agent);
        agent
            .env("KUBECONFIG", kubeconfig)
            .args([format!("--node-name={}", node::NAME), format!("--admin-listen=127.0.0.1:{admin}")])
            .arg(format!("--kernel-log={}", log.display()))
            .arg(format!("--state-dir={}", state.display()));
        processes.start("podsight-agent", &mut agent)?;
        Ok(())
    }

    fn apply(&self, plane: &ControlPlane, file: &str, object: &Value) -> Result<()> {
        let path = self.folder.join(file);
        fs::write(&path, object.to_string()).with_context(|| format!("write {}", path.display()))?;
        plane.kubectl.run(&["apply", "-f", &path.display().to_string()])?;
        Ok(())
    }
}

/// A kernel log in which a process was killed in each of these pods a moment ago, in the container that [`container_id`] names.
pub fn kernel_log(uids: &[String]) -> Result<String> {
    let uptime = fs::read_to_string("/proc/uptime").context("read /proc/uptime")?;
    let now_usec = microseconds(&uptime).context("understand /proc/uptime")?;
    Ok((0..).zip(uids).map(|(before, uid)| kill(uid, before, now_usec)).collect())
}

/// Waits until the scheduler has placed the pod and reports it as running; gives its UID.
fn report_running(processes: &mut Processes, plane: &ControlPlane, pod: &str) -> Result<String> {
    let object = until(&format!("pod/{pod} is scheduled"), LIMIT, || {
        processes.check()?;
        let object = plane.kubectl.get(&["pod", pod])?;
        Ok(object.pointer("/spec/nodeName").is_some().then_some(object))
    })?;
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).with_context(|| format!("pod/{pod} has no {pointer}"));
    let uid = text("/metadata/uid")?;
    let running = json!({"status": {"phase": "Running", "containerStatuses": [{
        "name": "main", "image": text("/spec/containers/0/image")?, "imageID": "", "ready": true, "started": true, "restartCount": 0,
        "containerID": format!("containerd://{}", container_id(uid)), "state": {"running": {}}}]}});
    plane.kubectl.run(&["patch", "pod", pod, "--subresource=status", "--type=merge", "-p", &running.to_string()])?;
    Ok(uid.to_owned())
}

/// The recording as if it were of this pod and of a moment ago, after so many kills before. Its own times are microseconds before the kill.
fn kill(uid: &str, before: u64, now_usec: u64) -> String {
    let records = KILL.lines().count() as u64;
    let mut log = String::new();
    for line in KILL.lines() {
        let mut fields = line.splitn(4, ',');
        let (Some(priority), Some(sequence), Some(usec), Some(rest)) = (fields.next(), fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let sequence = sequence.parse::<u64>().unwrap_or(0) + before * records;
        let usec = usec.parse::<u64>().map_or(now_usec, |offset| now_usec.saturating_sub(offset));
        let rest = rest.replace("POD_UID", uid).replace("CONTAINER_ID", &container_id(uid));
        // Writing to a string cannot fail.
        writeln!(log, "{priority},{sequence},{usec},{rest}").ok();
    }
    log
}

/// 64 hexadecimal digits that belong to the pod.
pub fn container_id(uid: &str) -> String {
    hex(&Sha256::digest(uid))
}

/// `/proc/uptime` begins with seconds and hundredths.
fn microseconds(uptime: &str) -> Option<u64> {
    let (seconds, hundredths) = uptime.split_ascii_whitespace().next()?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + hundredths.parse::<u64>().ok()? * 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_put_on_a_pod() {
        let uid = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
        let log = kill(uid, 1, microseconds("100.50 3.00\n").unwrap());
        assert_eq!(log.lines().count(), KILL.lines().count());
        let last = log.lines().last().unwrap();
        assert!(
            last.starts_with(&format!("3,{},", 2 * KILL.lines().count()))
                && last.contains(",100500000,-;")
                && last.contains("Killed process"),
            "{last}"
        );
        let path = format!("/kubepods/burstable/pod{uid}/{}", container_id(uid));
        assert!(log.contains(&format!("task_memcg={path}")), "{log}");
        assert!(!log.contains("POD_UID") && !log.contains("CONTAINER_ID"));
    }
}
