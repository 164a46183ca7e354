//! The checks of the level `baseline`.

use super::{Pod, Setter, Violation, text, violation};
use crate::facts::Level;
use serde_json::Value;

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Sysctls, and the version from which each is allowed.
const SYSCTLS: [(&str, u32); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

/// The checks of the level that hold at `level`: `restricted` has stricter ones in the place of some.
pub(super) fn violations(pod: &Pod<'_>, level: Level) -> Vec<Violation> {
    let strict = level == Level::Restricted;
    let found = [
        app_armor(pod),
        // From 1.22, 1.0, 1.19 and 1.35 on `restricted` has its own.
        if strict && pod.allows_since(22) { None } else { capabilities(pod) },
        host_namespaces(pod),
        if strict { None } else { host_path(pod) },
        host_ports(pod),
        if pod.checks_of(34) { hosts(pod) } else { None },
        privileged(pod),
        if !strict && pod.is_relaxed() { None } else { proc_mount(pod) },
        selinux(pod),
        if strict { None } else { seccomp(pod) },
        sysctls(pod),
        host_process(pod),
    ];
    found.into_iter().flatten().collect()
}

fn app_armor(pod: &Pod<'_>) -> Option<Violation> {
    const REASON: &str = "forbidden AppArmor profile";
    let forbidden = |setter: &Setter<'_>| {
        setter.set("appArmorProfile").is_some_and(|profile| !matches!(text(profile, "type"), Some("RuntimeDefault" | "Localhost")))
    };
    if let Some(setter) = pod.setters().find(forbidden) {
        return Some(violation(REASON, setter.at("appArmorProfile/type")));
    }
    let annotations = pod.subject.workload.pod_metadata().and_then(|metadata| metadata.get("annotations")).and_then(Value::as_object);
    let (key, _) = annotations.into_iter().flatten().find(|(key, value)| {
        let value = value.as_str().unwrap_or_default();
        key.starts_with("container.apparmor.security.beta.kubernetes.io/")
            && !(value.is_empty() || value == "runtime/default" || value.starts_with("localhost/"))
    })?;
    let template = pod.subject.workload.pod_pointer.strip_suffix("/spec").unwrap_or_default();
    Some(violation(REASON, format!("{template}/metadata/annotations/{}", key.replace('~', "~0").replace('/', "~1"))))
}

fn capabilities(pod: &Pod<'_>) -> Option<Violation> {
    let setter = pod.containers().find(|setter| setter.capabilities("add").any(|name| !CAPABILITIES.contains(&name)))?;
    Some(violation("non-default capabilities", setter.at("capabilities/add")))
}

fn host_namespaces(pod: &Pod<'_>) -> Option<Violation> {
    let field = ["hostNetwork", "hostPID", "hostIPC"].into_iter().find(|field| pod.get(field) == Some(&Value::Bool(true)))?;
    Some(violation("host namespaces", pod.at(&format!("/{field}"))))
}

fn host_path(pod: &Pod<'_>) -> Option<Violation> {
    let volumes = pod.get("volumes").and_then(Value::as_array).into_iter().flatten().enumerate();
    let (number, _) = volumes.into_iter().find(|(_, volume)| volume.get("hostPath").is_some_and(|path| !path.is_null()))?;
    Some(violation("hostPath volumes", pod.at(&format!("/volumes/{number}/hostPath"))))
}

fn host_ports(pod: &Pod<'_>) -> Option<Violation> {
    pod.containers().find_map(|setter| {
        let ports = setter.container?.get("ports").and_then(Value::as_array)?;
        let number = ports.iter().position(|port| port.get("hostPort").and_then(Value::as_i64).is_some_and(|port| port != 0))?;
        Some(violation("hostPort", format!("{}/ports/{number}/hostPort", setter.pointer)))
    })
}

/// A host in a probe or a hook.
fn hosts(pod: &Pod<'_>) -> Option<Violation> {
    const HANDLERS: [&str; 5] = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle/postStart", "lifecycle/preStop"];
    pod.containers().find_map(|setter| {
        let container = setter.container?;
        HANDLERS.iter().find_map(|handler| {
            ["httpGet", "tcpSocket"].iter().find_map(|action| {
                let below = format!("/{handler}/{action}/host");
                let host = container.pointer(&below).and_then(Value::as_str)?;
                (!host.is_empty()).then(|| violation("probe or lifecycle host", format!("{}{below}", setter.pointer)))
            })
        })
    })
}

fn privileged(pod: &Pod<'_>) -> Option<Violation> {
    pod.containers().find(|setter| setter.is_true("privileged")).map(|setter| violation("privileged", setter.at("privileged")))
}

fn proc_mount(pod: &Pod<'_>) -> Option<Violation> {
    let setter = pod.containers().find(|setter| setter.set("procMount").is_some_and(|mount| mount != "Default"))?;
    Some(violation("procMount", setter.at("procMount")))
}

fn selinux(pod: &Pod<'_>) -> Option<Violation> {
    let engine = pod.allows_since(31);
    let allowed = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t") || (engine && kind == "container_engine_t")
    };
    let setter = pod.setters().find(|setter| {
        setter.set("seLinuxOptions").is_some_and(|options| {
            let is_set = |field| text(options, field).is_some_and(|value| !value.is_empty());
            !allowed(text(options, "type").unwrap_or_default()) || is_set("user") || is_set("role")
        })
    })?;
    Some(violation("seLinuxOptions", setter.at("seLinuxOptions")))
}

fn seccomp(pod: &Pod<'_>) -> Option<Violation> {
    // Before 1.19 the profile was an annotation, which no API server of today reads.
    if !pod.allows_since(19) {
        return None;
    }
    let setter = pod.setters().find(|setter| setter.set("seccompProfile").is_some_and(|profile| !is_profile(profile)))?;
    Some(violation("seccompProfile", setter.at("seccompProfile/type")))
}

/// Whether a seccomp profile confines.
pub(super) fn is_profile(profile: &Value) -> bool {
    matches!(text(profile, "type"), Some("RuntimeDefault" | "Localhost"))
}

fn sysctls(pod: &Pod<'_>) -> Option<Violation> {
    let names = pod.pod().set("sysctls")?.as_array()?.iter().enumerate();
    let allowed = |name: &str| SYSCTLS.iter().any(|(known, since)| *known == name && pod.allows_since(*since));
    let (number, _) = names.into_iter().find(|(_, sysctl)| text(sysctl, "name").is_some_and(|name| !allowed(name)))?;
    Some(violation("forbidden sysctls", pod.at(&format!("/securityContext/sysctls/{number}/name"))))
}

fn host_process(pod: &Pod<'_>) -> Option<Violation> {
    let is_host =
        |setter: &Setter<'_>| setter.set("windowsOptions").and_then(|options| options.get("hostProcess")) == Some(&Value::Bool(true));
    pod.setters().find(is_host).map(|setter| violation("hostProcess", setter.at("windowsOptions/hostProcess")))
}
