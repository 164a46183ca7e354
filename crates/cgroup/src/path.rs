//! The grammar of the paths that kubelets and container runtimes make.
//!
//! ```text
//! path      = { outer "/" } kubepods [ "/" qos ] "/" pod [ "/" container [ "/" leaf ] ]
//! kubepods  = "kubepods" | [ root "-" ] "kubepods.slice"
//! qos       = "burstable" | "besteffort" | kubepods "-burstable.slice" | …
//! pod       = "pod" uid | kubepods [ "-" qos ] "-pod" uid_ ".slice"
//! container = id | runtime "-" id ".scope" | pod ":" runtime ":" id
//! ```
//! The kubelet's side is `pkg/kubelet/cm/cgroup_manager_linux.go` (`ToSystemd`, `escapeSystemdCgroupName`) and `pod_container_manager_linux.go`;
//! the runtimes' side is runc's `libcontainer/cgroups/systemd` and CRI-O's `internal/config/cgmgr`.

use crate::component::{Component, ContainerName, pod_uid};

/// A path holds no more pods than this, however deeply clusters are nested; a hostile one is cut here.
const MAX_PODS: usize = 16;

/// What a path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupPath {
    /// All pod UIDs of the path from the left, lower case, with dashes; a static pod's is 32 hex digits.
    ///
    /// A tenant can make cgroups with any name, but only below its own: trust the leftmost UID that the API server knows.
    pub pod_uids: Vec<String>,
    /// The same pods with the container right below each of them.
    pub pods: Vec<PodPath>,
    /// The last container id, 64 hex digits.
    pub container_id: Option<String>,
    /// The runtime of that container, where the path tells it.
    pub runtime: Option<Runtime>,
    /// The level that the path ends at.
    pub scope: Option<Scope>,
    /// Whether the path ends at CRI-O's monitor of the container (`crio-conmon-…`) and not at the container.
    pub monitor: bool,
}

/// One pod of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodPath {
    /// The UID, as in [`CgroupPath::pod_uids`].
    pub uid: String,
    /// The id of the container that lies right below the pod's cgroup.
    pub container_id: Option<String>,
    /// Its runtime, where the path tells it.
    pub runtime: Option<Runtime>,
}

impl CgroupPath {
    /// The container of the pod that is trusted, the leftmost, and its runtime. A container of that pod may run further ones inside itself, of which
    /// Kubernetes knows nothing. Without a pod it is the last container of the path.
    pub fn named_container(&self) -> (Option<&str>, Option<Runtime>) {
        match self.pods.first() {
            Some(pod) => (pod.container_id.as_deref(), pod.runtime),
            None => (self.container_id.as_deref(), self.runtime),
        }
    }
}

/// A container runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// containerd
    Containerd,
    /// CRI-O
    Crio,
    /// Docker
    Docker,
}

impl Runtime {
    /// The name that container ids in the Kubernetes API begin with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Crio => "cri-o",
            Self::Docker => "docker",
        }
    }
}

/// The level of a cgroup, from the narrow to the wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One container.
    Container,
    /// One pod.
    Pod,
    /// A quality-of-service class.
    Qos,
    /// All pods of the node.
    NodeAllocatable,
    /// A cgroup that is not Kubernetes'.
    Cgroup,
    /// The whole machine.
    Node,
}

impl Scope {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Pod => "pod",
            Self::Qos => "qos",
            Self::NodeAllocatable => "node-allocatable",
            Self::Cgroup => "cgroup",
            Self::Node => "node",
        }
    }
}

/// Reads a path as the kernel prints it.
///
/// Any bytes are taken; what is no pod's path has no UIDs and the scope [`Scope::Cgroup`]. An empty path says nothing.
pub fn parse(path: &[u8]) -> CgroupPath {
    let mut said = CgroupPath::default();
    let mut level = Level::Outside;
    let mut parent: &[u8] = b"";
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        level = step(&mut said, level, parent, name);
        parent = name;
    }
    said.scope = match level {
        _ if path.is_empty() => None,
        _ if parent.is_empty() => Some(Scope::Node),
        Level::Outside | Level::BelowContainer => Some(Scope::Cgroup),
        Level::Kubepods => Some(Scope::NodeAllocatable),
        Level::Qos => Some(Scope::Qos),
        Level::Pod { .. } => Some(Scope::Pod),
        Level::Container => Some(Scope::Container),
    };
    said
}

/// Where in the grammar the walk stands.
#[derive(Clone, Copy)]
enum Level {
    Outside,
    Kubepods,
    Qos,
    /// `known` tells whether the pod's UID is one; without it nothing below is put down to a pod.
    Pod {
        known: bool,
    },
    Container,
    BelowContainer,
}

fn step(said: &mut CgroupPath, level: Level, parent: &[u8], name: &[u8]) -> Level {
    said.monitor = false;
    match Component::of(name) {
        Component::Kubepods => Level::Kubepods,
        Component::Qos => Level::Qos,
        Component::Pod(uid) => enter_pod(said, uid),
        Component::PodAndContainer { uid, id, runtime } => match (enter_pod(said, uid), id) {
            (Level::Pod { known }, Some(id)) => enter_container(said, known, id, runtime),
            (pod, _) => pod,
        },
        Component::Other(container) => match level {
            Level::Kubepods if matches!(name, b"burstable" | b"besteffort" | b"guaranteed") => Level::Qos,
            Level::Kubepods | Level::Qos => match name.strip_prefix(b"pod") {
                Some(uid) => enter_pod(said, uid),
                None => Level::Outside,
            },
            Level::Pod { known } => match container {
                Some(ContainerName { id, runtime, monitor }) => {
                    said.monitor = monitor;
                    enter_container(said, known, id, runtime)
                }
                // Kata Containers' own processes and its virtual machines: no container, and a limit that Kubernetes has not set.
                None if name.starts_with(b"kata_") || name.starts_with(b"kata-") => Level::BelowContainer,
                None => Level::Container,
            },
            // crun moves the processes of a container into a child of the scope that CRI-O made.
            Level::Container if name == b"container" => Level::Container,
            Level::Outside | Level::Container | Level::BelowContainer => {
                if let Some(ContainerName { id, runtime, monitor }) = container {
                    said.monitor = monitor;
                    said.container_id = Some(id);
                    said.runtime = runtime.or_else(|| (parent == b"docker").then_some(Runtime::Docker));
                }
                if matches!(level, Level::Outside) { Level::Outside } else { Level::BelowContainer }
            }
        },
    }
}

fn enter_pod(said: &mut CgroupPath, uid: &[u8]) -> Level {
    let uid = pod_uid(uid);
    let known = uid.is_some() && said.pods.len() < MAX_PODS;
    if let Some(uid) = uid.filter(|_| known) {
        said.pod_uids.push(uid.clone());
        said.pods.push(PodPath { uid, ..PodPath::default() });
    }
    Level::Pod { known }
}

fn enter_container(said: &mut CgroupPath, known: bool, id: String, runtime: Option<Runtime>) -> Level {
    if let Some(pod) = said.pods.last_mut().filter(|_| known) {
        pod.container_id = Some(id.clone());
        pod.runtime = runtime;
    }
    said.container_id = Some(id);
    said.runtime = runtime;
    Level::Container
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
    const UID_: &str = "3f1c2a44_9d1e_4b7a_8c55_0a1b2c3d4e5f";
    const ID: &str = "78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf";
    const NODE: &str = "8b5e1b8686b3a5082ea70faa5809e3053bb1f75077ce19236582b6d67190a48a";

    /// Replaces `U`, `_U`, `I` and `N` in braces by the ids above.
    fn path(pattern: &str) -> String {
        pattern.replace("{U}", UID).replace("{_U}", UID_).replace("{I}", ID).replace("{N}", NODE)
    }

    #[track_caller]
    fn pod(pattern: &str, runtime: Option<Runtime>) {
        let said = parse(path(pattern).as_bytes());
        assert_eq!(said.pod_uids, [UID], "{pattern}");
        assert_eq!(said.container_id.as_deref(), Some(ID), "{pattern}");
        assert_eq!(said.pods[0].container_id.as_deref(), Some(ID), "{pattern}");
        assert_eq!(said.runtime, runtime, "{pattern}");
        assert_eq!(said.scope, Some(Scope::Container), "{pattern}");
        assert!(!said.monitor, "{pattern}");
    }

    #[test]
    fn containers_of_the_cgroupfs_driver() {
        pod("/kubepods/pod{U}/{I}", None);
        pod("/kubepods/burstable/pod{U}/{I}", None);
        pod("/kubepods/besteffort/pod{U}/{I}", None);
        pod("/kubepods/burstable/pod{U}/crio-{I}", Some(Runtime::Crio));
        pod("/podsight-x/kubepods/burstable/pod{U}/{I}", None);
    }

    #[test]
    fn containers_of_the_systemd_driver() {
        pod("/kubepods.slice/kubepods-pod{_U}.slice/cri-containerd-{I}.scope", Some(Runtime::Containerd));
        pod("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{_U}.slice/crio-{I}.scope", Some(Runtime::Crio));
        pod("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{_U}.slice/docker-{I}.scope", Some(Runtime::Docker));
        pod("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{_U}.slice/crio-{I}.scope/container", Some(Runtime::Crio));
        pod("/system.slice/kubepods-burstable-pod{_U}.slice:cri-containerd:{I}", Some(Runtime::Containerd));
    }

    #[test]
    fn nested_nodes() {
        pod("/docker/{N}/kubepods/burstable/pod{U}/{I}", None);
        pod("/docker/{N}/kubelet/kubepods/burstable/pod{U}/{I}", None);
        pod(
            "/system.slice/docker-{N}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod{_U}.slice/cri-containerd-{I}.scope",
            Some(Runtime::Containerd),
        );
        pod(
            "/lxc.payload.node-1/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{_U}.slice/cri-containerd-{I}.scope",
            Some(Runtime::Containerd),
        );
        pod("/user.slice/user-1000.slice/user@1000.service/kubepods/besteffort/pod{U}/{I}", None);
    }

    #[test]
    fn a_static_pod_has_a_hash_for_a_uid() {
        let said = parse(path("/kubepods/burstable/pod52c7c29c336a733ae3bc99f62ea70cb6/{I}").as_bytes());
        assert_eq!(said.pod_uids, ["52c7c29c336a733ae3bc99f62ea70cb6"]);
        let said = parse(path("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod52c7c29c336a733ae3bc99f62ea70cb6.slice/cri-containerd-{I}.scope").as_bytes());
        assert_eq!(said.pod_uids, ["52c7c29c336a733ae3bc99f62ea70cb6"]);
        assert_eq!(said.container_id.as_deref(), Some(ID));
    }

    #[test]
    fn the_named_container_is_that_of_the_named_pod() {
        let named = |pattern: &str| {
            let said = parse(path(pattern).as_bytes());
            let (container, runtime) = said.named_container();
            (container.map(str::to_owned), runtime)
        };
        let scope = "/kubepods.slice/kubepods-pod{_U}.slice/cri-containerd-{I}.scope";
        let outer = (Some(ID.to_owned()), Some(Runtime::Containerd));
        assert_eq!(named(scope), outer);
        assert_eq!(named(&format!("{scope}/docker/{{N}}")), outer);
        assert_eq!(named(&format!("{scope}/system.slice/docker-{{N}}.scope")), outer);
        assert_eq!(named(&format!("{scope}/k3s/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/{{N}}")), outer);
        assert_eq!(named("/docker/{N}"), (Some(NODE.to_owned()), Some(Runtime::Docker)));
    }

    #[test]
    fn a_cluster_in_a_pod_gives_both_pods_from_the_left() {
        let outer = "11111111-2222-3333-4444-555555555555";
        let said = parse(path(&format!("/kubepods/burstable/pod{outer}/{{N}}/kubelet/kubepods/besteffort/pod{{U}}/{{I}}")).as_bytes());
        assert_eq!(said.pod_uids, [outer, UID]);
        assert_eq!(said.pods[0].container_id.as_deref(), Some(NODE));
        assert_eq!(said.container_id.as_deref(), Some(ID));
    }

    #[track_caller]
    fn scope(pattern: &str, scope: Scope) {
        assert_eq!(parse(path(pattern).as_bytes()).scope, Some(scope), "{pattern}");
    }

    #[test]
    fn levels_of_a_limit() {
        scope("/kubepods/burstable/pod{U}", Scope::Pod);
        scope("/kubepods.slice/kubepods-pod{_U}.slice", Scope::Pod);
        scope("/kubepods/burstable", Scope::Qos);
        scope("/kubepods.slice/kubepods-besteffort.slice", Scope::Qos);
        scope("/kubepods", Scope::NodeAllocatable);
        scope("/kubepods.slice", Scope::NodeAllocatable);
        scope("/kubelet.slice/kubelet-kubepods.slice", Scope::NodeAllocatable);
        scope("/lxc/39004", Scope::Cgroup);
        scope("/docker/{N}", Scope::Cgroup);
        scope("/system.slice/nginx.service", Scope::Cgroup);
        scope("/kubepods/burstable/pod{U}/kata_overhead", Scope::Cgroup);
        scope("/kubepods/burstable/pod{U}/kata_{I}", Scope::Cgroup);
        scope("/kubepods.slice/kubepods-pod{_U}.slice/kata-overhead.slice", Scope::Cgroup);
        // A limit that the container has set on a part of itself is not Kubernetes'.
        scope("/kubepods/burstable/pod{U}/{I}/docker/{N}", Scope::Cgroup);
        scope("/", Scope::Node);
        assert_eq!(parse(b"").scope, None);
    }

    #[track_caller]
    fn no_pod(pattern: &str, container: Option<&str>) {
        let said = parse(path(pattern).as_bytes());
        assert!(said.pod_uids.is_empty(), "{pattern}");
        assert_eq!(said.container_id.as_deref(), container, "{pattern}");
    }

    #[test]
    fn what_is_no_pod() {
        no_pod("/system.slice/docker-{I}.scope", Some(ID));
        no_pod("/docker/{I}", Some(ID));
        no_pod("/machine.slice/libpod-{I}.scope/container", Some(ID));
        no_pod("/ecs/3f1c2a449d1e4b7a8c550a1b2c3d4e5f/{I}", Some(ID));
        no_pod("/user.slice/user-1000.slice/user@1000.service/vte-spawn-{U}.scope", None);
        no_pod("/podruntime/kubelet", None);
        no_pod("/pod{U}/{I}", Some(ID));
        no_pod("/system.slice/pod{U}", None);
        no_pod("/kubepods/burstable/pod1234/abc", None);
        no_pod("/kubepods-burstable-pod{_U}.slice.bak", None);
        no_pod("/mykubepods/pod{U}/{I}", Some(ID));
    }

    #[test]
    fn the_runtime_of_a_plain_container() {
        assert_eq!(parse(path("/docker/{I}").as_bytes()).runtime, Some(Runtime::Docker));
        assert_eq!(parse(path("/system.slice/docker-{I}.scope").as_bytes()).runtime, Some(Runtime::Docker));
        assert_eq!(parse(path("/ecs/task/{I}").as_bytes()).runtime, None);
    }

    #[test]
    fn the_monitor_of_a_container_is_not_the_container() {
        let said =
            parse(path("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{_U}.slice/crio-conmon-{I}.scope").as_bytes());
        assert_eq!(said.pod_uids, [UID]);
        assert_eq!(said.container_id.as_deref(), Some(ID));
        assert!(said.monitor);
    }

    #[test]
    fn a_cgroup_named_like_another_pod_below_a_container_comes_second() {
        let other = "99999999-9999-4999-8999-999999999999";
        let said = parse(path(&format!("/kubepods/pod{{U}}/{{I}}/kubepods/pod{other}/{{N}}")).as_bytes());
        assert_eq!(said.pod_uids, [UID, other]);
        assert_eq!(said.pods[0].container_id.as_deref(), Some(ID));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            let said = parse(&bytes);
            assert!(said.pods.len() <= MAX_PODS);
            assert_eq!(said.pods.len(), said.pod_uids.len());
        }

        #[test]
        fn pieces_of_the_grammar_in_any_order_are_bounded(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "kubepods", "kubepods.slice", "burstable", "a-kubepods-burstable.slice", "container", "docker", ":", "pod", "x",
            "pod3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f", "kubepods-pod3f1c2a44_9d1e_4b7a_8c55_0a1b2c3d4e5f.slice",
            "78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf", "crio-conmon-78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf.scope",
        ]), 0..80)) {
            let said = parse(format!("/{}", pieces.join("/")).as_bytes());
            assert!(said.pods.len() <= MAX_PODS);
            assert!(said.scope.is_some());
            assert!(said.container_id.is_none_or(|id| id.len() == 64));
        }
    }
}
