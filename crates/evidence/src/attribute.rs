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
    /// The container's id in the victim's path.
    pub id: Option<String>,
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
    let Some((uid, pod, is_gone)) = leftmost_known(&parsed.pod_uids, pods, patience) else {
        return Place::StrangePod { uid: leftmost.clone() };
    };

    let id = parsed.pods.iter().find(|pod| pod.uid == *uid).and_then(|pod| pod.container_id.as_deref());
    let by_id = id.and_then(|id| pods.container_name(pod, id));
    let is_id_unknown = by_id.is_none() && id.is_some();
    let infrastructure = infrastructure(kill, pod, by_id, is_id_unknown, parsed.monitor);
    let container = match infrastructure {
        Some(Infrastructure::Sandbox | Infrastructure::Monitor) => None,
        _ => by_id.or_else(|| only_candidate(pod, infrastructure, patience).filter(|_| is_id_unknown)).map(str::to_owned),
    };
    let scope = scope(kill, pod, uid, container.as_deref());
    let limit = limit(pod, scope, container.as_deref());
    Place::Pod(Box::new(InPod {
        uid: pod.uid.clone(),
        is_gone,
        id: id.map(str::to_owned),
        container,
        is_id_unknown,
        infrastructure,
        scope,
        limit,
    }))
}

/// Looks at the UIDs from the left. One that is not known yet ends the search until it was waited for: what stands to the right of it may be made up.
fn leftmost_known<'a>(uids: &'a [String], pods: &'a Pods, patience: Patience) -> Option<(&'a String, &'a Pod, bool)> {
    for uid in uids {
        if let Some(pod) = pods.by_cgroup_uid(uid) {
            return Some((uid, pod, false));
        }
        if let Some(pod) = pods.gone_by_cgroup_uid(uid) {
            return Some((uid, pod, true));
        }
        if patience == Patience::Wait && !pods.is_strange(uid) {
            return None;
        }
    }
    None
}

fn infrastructure(kill: &Kill, pod: &Pod, container: Option<&str>, is_id_unknown: bool, is_monitor: bool) -> Option<Infrastructure> {
    if is_monitor {
        return Some(Infrastructure::Monitor);
    }
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
        if let Some(is_global) = kill.global {
            return is_global.then_some(Scope::Node);
        }
        return match kill.constraint {
            Some(Constraint::None | Constraint::Cpuset | Constraint::MemoryPolicy) => Some(Scope::Node),
            Some(Constraint::Memcg) | None => None,
        };
    };
    let parsed = podsight_cgroup::parse(path);
    if !parsed.pod_uids.iter().any(|known| known == uid) {
        return parsed.scope;
    }
    match level(uid, &parsed) {
        Scope::Pod if is_containers_limit(pod, container) => Some(Scope::Container),
        level => Some(level),
    }
}

/// The level of a cgroup at or below the pod. What was made inside a container is not Kubernetes'.
fn level(uid: &str, path: &CgroupPath) -> Scope {
    let is_last = path.pods.last().is_some_and(|last| last.uid == uid);
    let own_container = path.pods.iter().find(|pod| pod.uid == uid).and_then(|pod| pod.container_id.as_ref());
    match path.scope {
        Some(Scope::Pod) if is_last => Scope::Pod,
        Some(Scope::Container) if is_last && own_container == path.container_id.as_ref() => Scope::Container,
        _ => Scope::Cgroup,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pods::Container;

    const A: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
    const B: &str = "7b2d8e10-1c3f-4a5b-9d6e-00112233aabb";
    const HASH: &str = "52c7c29c336a733ae3bc99f62ea70cb6";

    fn id(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn container(name: &str, id: Option<String>, limit: Option<&str>) -> Container {
        let running_since = id.as_ref().map(|_| jiff::Timestamp::UNIX_EPOCH);
        Container { name: name.to_owned(), id, memory_limit: limit.map(str::to_owned), running_since, ..Container::default() }
    }

    fn pods(containers: Vec<Container>) -> Pods {
        let mut pods = Pods::default();
        pods.apply(Pod { uid: A.to_owned(), name: "a".to_owned(), containers, ..Pod::default() });
        pods.apply(Pod {
            uid: B.to_owned(),
            name: "b".to_owned(),
            containers: vec![container("main", Some(id('b')), None)],
            ..Pod::default()
        });
        pods
    }

    fn kill(victim: &str, limit: Option<&str>) -> Kill {
        let limit_cgroup = limit.map(|limit| limit.as_bytes().to_vec());
        let constraint = Some(if limit.is_some() { Constraint::Memcg } else { Constraint::None });
        Kill { victim_cgroup: Some(victim.as_bytes().to_vec()), limit_cgroup, constraint, comm: Some(b"work".to_vec()), ..Kill::default() }
    }

    fn pod_path(uid: &str) -> String {
        format!("/kubepods/burstable/pod{uid}")
    }

    fn path(uid: &str, digit: char) -> String {
        format!("{}/{}", pod_path(uid), id(digit))
    }

    #[track_caller]
    fn in_pod(kill: &Kill, pods: &Pods, patience: Patience) -> InPod {
        match attribute(kill, pods, patience) {
            Place::Pod(place) => *place,
            place => panic!("{place:?}"),
        }
    }

    fn of_two() -> Pods {
        pods(vec![container("main", Some(id('1')), Some("32Mi")), container("side", Some(id('2')), Some("16Mi"))])
    }

    #[test]
    fn the_levels_of_a_limit() {
        let pods = of_two();
        for (limit, scope, shown) in [
            (path(A, '2'), Scope::Container, Some("16Mi")),
            (pod_path(A), Scope::Pod, Some("48Mi")),
            ("/kubepods/burstable".to_owned(), Scope::Qos, None),
            ("/kubepods".to_owned(), Scope::NodeAllocatable, None),
            (format!("{}/inner", path(A, '2')), Scope::Cgroup, None),
        ] {
            let place = in_pod(&kill(&path(A, '2'), Some(&limit)), &pods, Patience::Wait);
            assert_eq!(place.container.as_deref(), Some("side"));
            assert_eq!((place.scope, place.limit.as_deref()), (Some(scope), shown), "{limit}");
        }
        let place = in_pod(&kill(&path(A, '2'), None), &pods, Patience::Wait);
        assert_eq!((place.scope, place.limit), (Some(Scope::Node), None));
    }

    #[test]
    fn one_containers_limit_is_its_pods() {
        let pods = pods(vec![container("main", Some(id('1')), Some("32Mi"))]);
        let place = in_pod(&kill(&path(A, '1'), Some(&pod_path(A))), &pods, Patience::Wait);
        assert_eq!((place.scope, place.limit.as_deref()), (Some(Scope::Container), Some("32Mi")));
    }

    #[test]
    fn the_leftmost_known_pod_wins() {
        let pods = of_two();
        let inside = format!("{}{}", path(A, '1'), path(B, 'b'));
        let place = in_pod(&kill(&inside, Some(&inside)), &pods, Patience::Over);
        assert_eq!((place.uid.as_str(), place.container.as_deref(), place.scope), (A, Some("main"), Some(Scope::Cgroup)));
    }

    #[test]
    fn a_pod_that_is_not_known_yet_is_waited_for_before_what_stands_in_it_is_believed() {
        let mut pods = of_two();
        let strange = "11111111-2222-3333-4444-555555555555";
        let kill = kill(&format!("{}{}", path(strange, '5'), path(B, 'b')), None);
        assert_eq!(attribute(&kill, &pods, Patience::Wait), Place::StrangePod { uid: strange.to_owned() });
        assert_eq!(in_pod(&kill, &pods, Patience::Over).uid, B, "a cluster around this one");
        pods.note_strange(strange);
        assert_eq!(in_pod(&kill, &pods, Patience::Wait).uid, B, "it is waited for once");
    }

    #[test]
    fn a_static_pod_by_its_hash_and_a_deleted_one() {
        let mut pods = of_two();
        pods.apply(Pod {
            uid: "mirror".to_owned(),
            config_hash: Some(HASH.to_owned()),
            containers: vec![container("etcd", Some(id('3')), None)],
            ..Pod::default()
        });
        let place = in_pod(&kill(&path(HASH, '3'), None), &pods, Patience::Wait);
        assert_eq!((place.uid.as_str(), place.container.as_deref(), place.is_gone), ("mirror", Some("etcd"), false));
        pods.remove("mirror");
        let place = in_pod(&kill(&path(HASH, '3'), None), &pods, Patience::Wait);
        assert_eq!((place.uid.as_str(), place.container.as_deref(), place.is_gone), ("mirror", Some("etcd"), true));
    }

    #[test]
    fn an_id_that_the_api_does_not_show_yet() {
        let pods = pods(vec![container("main", Some(id('1')), None), container("late", None, None)]);
        let kill = kill(&path(A, '9'), None);
        let place = in_pod(&kill, &pods, Patience::Wait);
        assert_eq!((place.container, place.is_id_unknown), (None, true));
        assert_eq!(in_pod(&kill, &pods, Patience::Over).container.as_deref(), Some("late"), "the only one that can have a new id");
        assert_eq!(in_pod(&kill, &of_two(), Patience::Over).container, None, "both run with ids of their own");
    }

    #[test]
    fn infrastructure_is_not_the_application() {
        let pods = of_two();
        let named = |comm: &str, victim: &str| Kill { comm: Some(comm.as_bytes().to_vec()), ..kill(victim, None) };
        let place = in_pod(&named("pause", &path(A, '9')), &pods, Patience::Wait);
        assert_eq!((place.infrastructure, place.container), (Some(Infrastructure::Sandbox), None));
        let adjusted = Kill { oom_score_adj: Some(-998), ..kill(&path(A, '9'), None) };
        assert_eq!(in_pod(&adjusted, &pods, Patience::Wait).infrastructure, Some(Infrastructure::Sandbox));
        let monitor = format!("/kubepods.slice/kubepods-pod{}.slice/crio-conmon-{}.scope", A.replace('-', "_"), id('1'));
        assert_eq!(in_pod(&named("conmon", &monitor), &pods, Patience::Wait).infrastructure, Some(Infrastructure::Monitor));
        // A program of the user's may bear any name.
        for name in ["pause", "conmon", "runc:[2:INIT]"] {
            let place = in_pod(&named(name, &path(A, '1')), &pods, Patience::Wait);
            assert_eq!((place.infrastructure, place.container.as_deref()), (None, Some("main")), "{name}");
        }
    }

    #[test]
    fn the_runtime_at_the_start_of_a_container() {
        let pods = pods(vec![container("main", None, Some("2Mi"))]);
        let kill = Kill { comm: Some(b"runc:[2:INIT]".to_vec()), ..kill(&path(A, '9'), Some(&path(A, '9'))) };
        let place = in_pod(&kill, &pods, Patience::Wait);
        assert_eq!(
            (place.infrastructure, place.container.as_deref(), place.limit.as_deref()),
            (Some(Infrastructure::RuntimeInit), Some("main"), Some("2Mi"))
        );
    }

    #[test]
    fn what_is_no_pod_and_what_is_not_known() {
        let pods = of_two();
        assert_eq!(attribute(&kill("/system.slice/nginx.service", None), &pods, Patience::Wait), Place::Foreign);
        assert_eq!(attribute(&Kill::default(), &pods, Patience::Over), Place::Unknown);
    }
}
