//! `sysctl-forbidden`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use serde_json::Value;

/// What every kubelet lets pods set, from `pkg/kubelet/sysctl/safe_sysctls.go` of Kubernetes 1.37. The newer half is asked of kernels that know them.
const SAFE: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

declare_rule! {
    /// ## What it does
    ///
    /// Finds kernel settings in `securityContext.sysctls` that the kubelet does not let pods set: those of the whole node (`vm.max_map_count`, `fs.file-max`), which
    /// no kubelet can allow, and those that a kubelet allows only where its administrator listed them (`net.core.somaxconn`).
    ///
    /// ## What happens without a change
    ///
    /// The API server accepts it and the scheduler finds a node, whose kubelet turns the pod away: `Failed`, reason `SysctlForbidden`. A Deployment makes one such
    /// pod after another.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: search}
    /// spec:
    ///   securityContext: {sysctls: [{name: vm.max_map_count, value: "262144"}]}
    ///   containers: [{name: search, image: "example.com/search:1.0"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: search}
    /// spec:
    ///   initContainers:
    ///   - name: settings
    ///     image: busybox:1.37
    ///     command: [sysctl, -w, vm.max_map_count=262144]
    ///     securityContext: {privileged: true}
    ///   containers: [{name: search, image: "example.com/search:1.0"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// What the kubelets' `allowedUnsafeSysctls` list is not known: a setting that one could list is likely to fail, not certain. Settings that are safe only on
    /// newer kernels count as safe.
    SysctlForbidden {
        id: "sysctl-forbidden", group: "security", certainty: Certain, predicts: [AdmissionNodeUnsupported],
        en: "a kernel setting that the kubelet does not let pods set", zh: "kubelet 不允许 Pod 设置的内核参数", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let workload = subject.workload;
    let sysctls = workload.pod.pointer("/securityContext/sysctls").and_then(Value::as_array);
    for (number, sysctl) in sysctls.into_iter().flatten().enumerate() {
        let Some(name) = sysctl.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else { continue };
        let normal = normalised(name);
        if SAFE.contains(&normal.as_str()) {
            continue;
        }
        let name = shown(name, 40);
        let finding = Finding::new(rule, format!("{}/securityContext/sysctls/{number}/name", workload.pod_pointer));
        findings.push(if is_namespaced(&normal) {
            finding
                .at_most(Certainty::Likely)
                .saying(
                    format!("Failed (SysctlForbidden) unless the kubelet is told to allow {name}"),
                    format!("Failed（SysctlForbidden）：除非 kubelet 明确允许 {name}"),
                )
                .helped_by(
                    "list it in the kubelet's allowedUnsafeSysctls on the nodes it is for, or set it in a privileged init container",
                    "在目标节点 kubelet 的 allowedUnsafeSysctls 中列出它，或在特权 init 容器中设置",
                )
        } else {
            finding
                .saying(
                    format!("Failed (SysctlForbidden): {name} is the whole node's, no pod can have its own"),
                    format!("Failed（SysctlForbidden）：{name} 属于整个节点，Pod 不能单独设置"),
                )
                .helped_by("set it on the node, or in a privileged init container", "在节点上设置，或在特权 init 容器中设置")
        });
    }
}

/// The name with dots, as `NormalizeName` of k8s.io/component-helpers: names may be written with slashes.
fn normalised(name: &str) -> String {
    let separator = name.find(['.', '/']);
    match separator.and_then(|at| name.get(at..=at)) {
        Some("/") => name
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect(),
        _ => name.to_owned(),
    }
}

/// Whether the kernel keeps it for each namespace, as `namespaceOf` of k8s.io/component-helpers.
fn is_namespaced(name: &str) -> bool {
    let of_ipc = ["kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni"];
    of_ipc.contains(&name) || name == "kernel.domainname" || ["net.", "fs.mqueue.", "user."].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_kubelet_reads_them() {
        assert_eq!(normalised("net/ipv4/conf/eth0.100/forwarding"), "net.ipv4.conf.eth0/100.forwarding");
        assert_eq!(normalised("net.ipv4.tcp_rmem"), "net.ipv4.tcp_rmem");
        assert!(is_namespaced("net.core.somaxconn") && is_namespaced("kernel.shmmax"));
        assert!(!is_namespaced("vm.max_map_count") && !is_namespaced("kernel.shm_x") && !is_namespaced("network.x"));
    }
}
