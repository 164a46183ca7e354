//! Cgroup paths and pods together: whose process it was, and whose limit.

use crate::pods::{Kind, Pod, Pods};
use crate::quantity;
use podsight_cgroup::{CgroupPath, Scope};
use podsight_oom::{Constraint, Kill};

/// What the kubelet gives the sandbox as `oom_score_adj` (`pkg/kubelet/qos/policy.go: PodInfraOOMAdj`).
const SANDBOX_OOM_SCORE_ADJ: i32 = -998;

/// Where a kill happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The cgroup of the victim is not known.
    Unknown,
    /// Not in a pod.
    Foreign,
    /// In a pod that the API server does not show on this node. It may be too new.
    StrangePod {
        /// The leftmost UID of the path.
        uid: String,
    },
    /// In a pod of this node.
    Pod(Box<InPod>),
}

/// A kill in a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InPod {
    /// The pod's UID in the API.
    pub uid: String,
    /// Whether it was deleted meanwhile.
    pub is_gone: bool,
    /// The container, where it can be told.
    pub container: Option<String>,
    /// Whether the path has a container id that the API does not show (yet). Asking again later may tell more.
    pub is_id_unknown: bool,
    /// What the victim was, if it was not the application.
    pub infrastructure: Option<Infrastructure>,
    /// The level of the limit that was reached.
    pub scope: Option<Scope>,
    /// The limit, as the user wrote it.
    pub limit: Option<String>,
}

/// A process in a pod's cgroups that the user did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Infrastructure {
    /// The process that holds the pod's namespaces.
    Sandbox,
    /// The runtime at the start of a container, before the program is there: `runc:[2:INIT]`.
    RuntimeInit,
    /// The process that watches over a container from outside (conmon, a shim).
    Monitor,
}

/// How sure one has to be of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// An id that the API does not show yet may be shown soon.
    Wait,
    /// It was waited for: take the one container that it can be, if there is one.
    Over,
}

/// Puts a kill down to a pod, a container and a limit.
///
/// Where several pods are nested, the leftmost that this API server knows is the right one: what stands to the right of it was made inside that pod,
/// by whoever runs there, and can bear any name.
pub fn attribute(kill: &Kill, pods: &Pods, patience: Patience) -> Place {
    let Some(path) = &kill.victim_cgroup else { return Place::Unknown };
    let parsed = podsight_cgroup::parse(path);
    let Some(leftmost) = parsed.pod_uids.first() else { return Place::Foreign };
    let known = parsed.pod_uids.iter().find_map(|uid| pods.by_cgroup_uid(uid).map(|pod| (uid, pod, false)));
    let known = known.or_else(|| parsed.pod_uids.iter().find_map(|uid| pods.gone_by_cgroup_uid(uid).map(|pod| (uid, pod, true))));
    let Some((uid, pod, is_gone)) = known else { return Place::StrangePod { uid: leftmost.clone() } };

    let ids = container_ids(path, uid);
    let by_id = ids.iter().find_map(|id| pods.container_name(pod, id));
    let is_id_unknown = by_id.is_none() && !ids.is_empty();
    let infrastructure = infrastructure(kill, pod, by_id, is_id_unknown);
    let container = match infrastructure {
        Some(Infrastructure::Sandbox | Infrastructure::Monitor) => None,
        _ => by_id.or_else(|| only_candidate(pod, infrastructure, patience).filter(|_| is_id_unknown)).map(str::to_owned),
    };
    let scope = scope(kill, pod, uid, container.as_deref());
    let limit = limit(pod, scope, container.as_deref());
    Place::Pod(Box::new(InPod { uid: pod.uid.clone(), is_gone, container, is_id_unknown, infrastructure, scope, limit }))
}

/// The container ids of a path below the pod, from the left. The first is the pod's container; more stand in a nested runtime's cgroups.
fn container_ids(path: &[u8], uid: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for prefix in prefixes(path) {
        let parsed = podsight_cgroup::parse(prefix);
        if let Some(id) = parsed.container_id.filter(|_| parsed.pod_uids.iter().any(|known| known == uid))
            && !ids.contains(&id)
            && ids.len() < 4
        {
            ids.push(id);
        }
    }
    ids
}

/// The path cut after its first component, its second, and so on to the whole.
fn prefixes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(index, _)| index).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).take(64)
}

fn infrastructure(kill: &Kill, pod: &Pod, container: Option<&str>, is_id_unknown: bool) -> Option<Infrastructure> {
    let comm = kill.comm.as_deref().unwrap_or_default();
    let is_runtime = comm.starts_with(b"runc:[") || comm == b"runc" || comm == b"crun" || comm == b"youki";
    if is_runtime {
        // A program may call itself so. It is the runtime only while the container is not running.
        let runs = container.and_then(|name| pod.container(name)).is_some_and(|container| container.running_since.is_some());
        return (!runs).then_some(Infrastructure::RuntimeInit);
    }
    if container.is_some() {
        return None;
    }
    if comm == b"conmon" || comm.starts_with(b"containerd-shim") {
        return Some(Infrastructure::Monitor);
    }
    let is_sandbox = comm == b"pause" || kill.oom_score_adj == Some(SANDBOX_OOM_SCORE_ADJ);
    (is_id_unknown && is_sandbox).then_some(Infrastructure::Sandbox)
}

/// The container that a process with an id unknown to the API can belong to: the pod's only one, or (when nothing more is to be learnt by waiting)
/// the only one that the API does not show as running.
fn only_candidate(pod: &Pod, infrastructure: Option<Infrastructure>, patience: Patience) -> Option<&str> {
    if let [only] = pod.containers.as_slice() {
        return Some(&only.name);
    }
    if patience == Patience::Wait && infrastructure.is_none() {
        return None;
    }
    let mut not_running = pod.containers.iter().filter(|container| container.running_since.is_none() && container.kind != Kind::Ephemeral);
    match (not_running.next(), not_running.next()) {
        (Some(one), None) => Some(&one.name),
        _ => None,
    }
}

fn scope(kill: &Kill, pod: &Pod, uid: &str, container: Option<&str>) -> Option<Scope> {
    let Some(path) = &kill.limit_cgroup else {
        return match kill.constraint {
            Some(Constraint::None | Constraint::Cpuset | Constraint::MemoryPolicy) => Some(Scope::Node),
            Some(Constraint::Memcg) | None => None,
        };
    };
    let parsed = podsight_cgroup::parse(path);
    if !parsed.pod_uids.iter().any(|known| known == uid) {
        return parsed.scope;
    }
    match level(path, uid, &parsed) {
        Scope::Pod if is_containers_limit(pod, container) => Some(Scope::Container),
        level => Some(level),
    }
}

/// The level of a cgroup at or below the pod.
fn level(path: &[u8], uid: &str, whole: &CgroupPath) -> Scope {
    let mut below_container = 0_usize;
    let mut has_container = false;
    for prefix in prefixes(path) {
        let parsed = podsight_cgroup::parse(prefix);
        if has_container {
            let leaf = prefix.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            // crun under CRI-O puts the processes into a leaf of that name.
            below_container += usize::from(leaf != b"container");
        } else if parsed.container_id.is_some() && parsed.pod_uids.iter().any(|known| known == uid) {
            has_container = true;
        }
    }
    match (has_container, below_container) {
        (true, 0) => Scope::Container,
        (true, _) => Scope::Cgroup,
        (false, _) if whole.scope == Some(Scope::Pod) && whole.pod_uids.last().is_some_and(|last| last == uid) => Scope::Pod,
        (false, _) => Scope::Cgroup,
    }
}

/// In a pod with one container both limits are equal, and the kernel names the pod's cgroup because the sandbox's memory counts there too.
fn is_containers_limit(pod: &Pod, container: Option<&str>) -> bool {
    let own =
        container.and_then(|name| pod.container(name)).and_then(|container| container.memory_limit.as_deref()).and_then(quantity::bytes);
    own.is_some() && own == pod.cgroup_limit()
}

fn limit(pod: &Pod, scope: Option<Scope>, container: Option<&str>) -> Option<String> {
    match scope? {
        Scope::Container => pod.container(container?)?.memory_limit.clone(),
        Scope::Pod => pod.memory_limit.clone().or_else(|| pod.cgroup_limit().map(quantity::show)),
        Scope::Qos | Scope::NodeAllocatable | Scope::Cgroup | Scope::Node => None,
    }
}
