//! The kubelet's configuration.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

/// What differs from node to node; paths are as the kubelet sees them.
#[derive(Debug)]
pub struct Settings<'a> {
    /// The cgroup below which it keeps, and cleans up, its pods' cgroups; the root where it has the machine for itself.
    pub cgroup_root: Option<&'a str>,
    /// containerd's socket.
    pub container_runtime: &'a Path,
    /// Who may sign its clients' certificates.
    pub authority: &'a Path,
    /// The containers' logs.
    pub pod_logs: &'a Path,
    /// Manifests of pods that it runs by itself.
    pub static_pods: &'a Path,
    /// Volume plugins: none, but the folder must not be the machine's.
    pub plugins: &'a Path,
    /// Its server's port on 127.0.0.1.
    pub port: u16,
    /// Whether it looks at its memory and its disks all the time, and evicts pods.
    pub evicts: bool,
}

/// Writes the configuration (JSON is YAML) to `path`.
pub fn write(path: &Path, settings: &Settings<'_>) -> Result<()> {
    // A threshold of nothing is none. A full disk is the machine's business.
    let memory = if settings.evicts { "50Mi" } else { "0%" };
    let text = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "127.0.0.1",
        "port": settings.port,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": settings.authority},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        // No DNS answers there; without it every pod would get a warning event.
        "clusterDNS": ["10.96.0.10"],
        "clusterDomain": "cluster.local",
        "cgroupRoot": settings.cgroup_root.unwrap_or("/"),
        "containerRuntimeEndpoint": format!("unix://{}", settings.container_runtime.display()),
        "failCgroupV1": false,
        "failSwapOn": false,
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": memory, "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": settings.evicts,
        "makeIPTablesUtilChains": false,
        "podLogsDir": settings.pod_logs,
        "resolvConf": "",
        "staticPodPath": settings.static_pods,
        "volumePluginDir": settings.plugins,
    });
    fs::write(path, text.to_string()).with_context(|| format!("write {}", path.display()))
}
