//! What the tests of the agent share: a node's pods, kernel logs of it, and the agent running on them.

pub(crate) mod api_server;
pub(crate) mod kernel_log;

use api_server::ApiServer;
use clap::Parser;
use podsight_agent::metrics::AgentMetrics;
use podsight_agent::{Agent, AgentError, Args};
use podsight_runtime::admin::Readiness;
use podsight_runtime::shutdown::Shutdown;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Longer than anything here takes, on however slow a machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// When containers were started: after every kill, so that their status says nothing about it.
const STARTED: &str = "2100-01-01T00:00:00Z";

/// An agent on `node-1`.
pub(crate) struct Running {
    task: JoinHandle<Result<(), AgentError>>,
    shutdown: Shutdown,
}

/// Starts an agent that replays `log` and keeps its checkpoint in `state`.
pub(crate) fn start(api: &ApiServer, log: &Path, state: &Path) -> Running {
    let args = [
        "podsight-agent".as_ref(),
        "--node-name=node-1".as_ref(),
        "--kernel-log".as_ref(),
        log.as_os_str(),
        "--state-dir".as_ref(),
        state.as_os_str(),
    ];
    let args = Args::try_parse_from(args).unwrap();
    let agent = Agent::new(&args, api.client(), AgentMetrics::unregistered(), Readiness::default()).unwrap();
    let shutdown = Shutdown::new();
    Running { task: tokio::spawn(agent.run(shutdown.stop())), shutdown }
}

impl Running {
    /// Ends it as kill -9 does: at the next point where it waits, without a word.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        drop(self.shutdown);
    }
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition() {
            assert!(tokio::time::Instant::now() < deadline, "waited in vain for {what} at {caller}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Waits for longer than the agent needs to do something that it should not do.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1500)).await;
}

/// A pod on the node, with one container a name, all with the same limit. The n-th container's id ends in n.
pub(crate) fn pod(uid: &str, name: &str, containers: &[&str], limit: &str) -> Value {
    let spec: Vec<Value> = containers.iter().map(|name| json!({"name": name, "resources": {"limits": {"memory": limit}}})).collect();
    let statuses: Vec<Value> = containers
        .iter()
        .enumerate()
        .map(|(index, name)| {
            json!({
                "name": name,
                "containerID": format!("containerd://{}", kernel_log::container_id(uid, index)),
                "restartCount": 0,
                "state": {"running": {"startedAt": STARTED}}
            })
        })
        .collect();
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": "default", "name": name, "uid": uid, "annotations": {"example.com/other": "kept"}, "labels": {"app": name}},
        "spec": {"nodeName": "node-1", "containers": spec},
        "status": {"phase": "Running", "containerStatuses": statuses}
    })
}

/// The same pod, its containers running since long ago.
pub(crate) fn long_running(mut pod: Value) -> Value {
    for status in pod["status"]["containerStatuses"].as_array_mut().unwrap() {
        status["state"]["running"]["startedAt"] = json!("2020-01-01T00:00:00Z");
    }
    pod
}

/// The evidence on a pod.
pub(crate) fn evidence(api: &ApiServer, name: &str) -> Option<Value> {
    let pod = api.pod("default", name);
    let text = pod["metadata"]["annotations"]["podsight.dev/oom"].as_str()?;
    Some(serde_json::from_str(text).unwrap())
}

/// How many kills of a container the evidence on a pod counts.
pub(crate) fn kills(api: &ApiServer, name: &str, container: &str) -> u64 {
    evidence(api, name).and_then(|evidence| evidence["containers"][container]["kills"].as_u64()).unwrap_or(0)
}

/// The first eight digits of this boot's id, with which the ids of kills begin.
pub(crate) fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().chars().take(8).collect()
}
