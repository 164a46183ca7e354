//! The node's pods as plain values.

use crate::annotation::Evidence;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Container ids that have left the API's status. A container that restarts every ten seconds fills this in three quarters of an hour.
pub const MAX_PAST_IDS: usize = 256;
/// Deleted pods that are remembered, because their last kill may come after them.
const MAX_GONE: usize = 32;

/// UIDs in cgroup paths that were waited for and never shown: those of the clusters around this one, and of pods that came and went unseen.
const MAX_STRANGE: usize = 32;

/// A pod, as far as kills have to do with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// A mirror pod's `kubernetes.io/config.hash`: the UID that the kubelet's cgroups bear.
    pub config_hash: Option<String>,
    /// The controller.
    pub owner: Option<Owner>,
    /// `spec.resources.limits.memory`, for the pod as a whole.
    pub memory_limit: Option<String>,
    /// All containers: init, sidecar, main and ephemeral.
    pub containers: Vec<Container>,
    /// What our annotation says.
    pub evidence: Option<Evidence>,
    /// Whether our label is there.
    pub labelled: bool,
    /// Whether a deletion was asked for.
    pub is_deleted: bool,
    /// `status.reason`, or the reason of the condition `DisruptionTarget`.
    pub disruption: Option<String>,
}

/// Who made a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `name`
    pub name: String,
    /// `uid`
    pub uid: String,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// `name`
    pub name: String,
    /// Where in the spec it stands.
    pub kind: Kind,
    /// The id in the current status, without the `containerd://`.
    pub id: Option<String>,
    /// `resources.limits.memory`
    pub memory_limit: Option<String>,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it runs, if it does.
    pub running_since: Option<Timestamp>,
    /// How its last instances ended, the older first: at most `lastState` and `state`.
    pub ended: Vec<Ended>,
}

/// Where in the spec a container stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// `containers`
    #[default]
    Main,
    /// `initContainers`
    Init,
    /// `initContainers` with `restartPolicy: Always`
    Sidecar,
    /// `ephemeralContainers`
    Ephemeral,
}

impl Kind {
    /// The field of the spec, as a `fieldPath` names it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Main => "containers",
            Self::Init | Self::Sidecar => "initContainers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// How an instance of a container ended (`ContainerStateTerminated`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which instance.
    pub id: Option<String>,
    /// `finishedAt`
    pub at: Timestamp,
    /// `exitCode`
    pub exit_code: i32,
    /// `reason`
    pub reason: String,
}

impl Pod {
    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }

    /// Where in the spec the container of that name stands.
    pub fn kind(&self, name: Option<&str>) -> Kind {
        name.and_then(|name| self.container(name)).map_or_else(Kind::default, |container| container.kind)
    }

    /// The limit of the pod's cgroup in bytes, as the kubelet computes it (`pkg/kubelet/cm/helpers_linux.go: ResourceConfigForPod`): the pod's own,
    /// else the sum of the containers' if every one has a limit, and at least the largest init container's.
    pub fn cgroup_limit(&self) -> Option<u64> {
        if let Some(limit) = &self.memory_limit {
            return crate::quantity::bytes(limit);
        }
        let limit = |container: &Container| container.memory_limit.as_deref().and_then(crate::quantity::bytes);
        let mut sum = 0_u64;
        let mut init = 0_u64;
        for container in &self.containers {
            match container.kind {
                Kind::Main | Kind::Sidecar => sum = sum.saturating_add(limit(container)?),
                Kind::Init => init = init.max(limit(container)?.saturating_add(sum)),
                Kind::Ephemeral => {}
            }
        }
        Some(sum.max(init)).filter(|limit| *limit > 0)
    }
}

/// All pods of the node, and for a while those that were.
#[derive(Debug, Default)]
pub struct Pods {
    by_uid: BTreeMap<String, Pod>,
    /// `config.hash` → UID.
    hashes: BTreeMap<String, String>,
    past_ids: VecDeque<PastId>,
    /// The same for a checkpoint, made anew after each change.
    past_ids_kept: Arc<[PastId]>,
    gone: VecDeque<Pod>,
    /// Pods of which nothing is known but the UID.
    strange: VecDeque<Pod>,
}

/// An id that a container had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastId {
    /// The id, without the `containerd://`.
    pub id: String,
    /// The pod's UID in the API.
    pub uid: String,
    /// The container's name.
    pub container: String,
}

impl Pods {
    /// No pods, and the ids of containers from before a restart, the oldest first.
    pub fn with_past_ids(past_ids: &Arc<[PastId]>) -> Self {
        Self { past_ids: past_ids.iter().cloned().collect(), past_ids_kept: Arc::clone(past_ids), ..Self::default() }
    }

    /// Ids of containers that have left the API's status, the oldest first, for after a restart.
    pub fn past_ids(&self) -> &Arc<[PastId]> {
        &self.past_ids_kept
    }

    /// Takes a pod as the API shows it now.
    pub fn apply(&mut self, pod: Pod) {
        if let Some(before) = self.by_uid.get(&pod.uid) {
            let left = ids(before).filter(|(id, _)| !ids(&pod).any(|(other, _)| other == *id));
            let mut is_changed = false;
            for (id, container) in left {
                is_changed |= remember(&mut self.past_ids, id, &pod.uid, container);
            }
            if is_changed {
                self.past_ids_kept = self.past_ids.iter().cloned().collect();
            }
        }
        if let Some(hash) = &pod.config_hash {
            self.hashes.insert(hash.clone(), pod.uid.clone());
        }
        self.gone.retain(|gone| gone.uid != pod.uid);
        self.strange.retain(|strange| strange.uid != pod.uid && Some(&strange.uid) != pod.config_hash.as_ref());
        self.by_uid.insert(pod.uid.clone(), pod);
    }

    /// Takes away a pod that the API does not show any more. It can still be found for a while.
    pub fn remove(&mut self, uid: &str) {
        let Some(pod) = self.by_uid.remove(uid) else { return };
        if let Some(hash) = &pod.config_hash
            && self.hashes.get(hash).is_some_and(|of| of == uid)
        {
            self.hashes.remove(hash);
        }
        if self.gone.len() >= MAX_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back(pod);
    }

    /// The pod with this UID in the API.
    pub fn get(&self, uid: &str) -> Option<&Pod> {
        self.by_uid.get(uid)
    }

    /// The pod that a cgroup belongs to, by the UID that the cgroup bears: the API's, or a static pod's `config.hash`.
    pub fn by_cgroup_uid(&self, uid: &str) -> Option<&Pod> {
        self.by_uid.get(uid).or_else(|| self.by_uid.get(self.hashes.get(uid)?))
    }

    /// A pod that was deleted, by the same UID.
    pub fn gone_by_cgroup_uid(&self, uid: &str) -> Option<&Pod> {
        self.gone.iter().rev().find(|pod| pod.uid == uid || pod.config_hash.as_deref() == Some(uid))
    }

    /// A deleted pod by its UID in the API.
    pub fn gone(&self, uid: &str) -> Option<&Pod> {
        self.gone.iter().find(|pod| pod.uid == uid)
    }

    /// Whether this UID of a cgroup was waited for in vain.
    pub fn is_strange(&self, uid: &str) -> bool {
        self.never_shown(uid).is_some()
    }

    /// A pod that the API never showed, by the UID of its cgroup: it has no name.
    pub fn never_shown(&self, uid: &str) -> Option<&Pod> {
        self.strange.iter().find(|strange| strange.uid == uid)
    }

    /// Notes that this UID of a cgroup was waited for in vain. Whether that is new.
    pub fn note_strange(&mut self, uid: &str) -> bool {
        if self.by_cgroup_uid(uid).is_some() || self.is_strange(uid) {
            return false;
        }
        if self.strange.len() >= MAX_STRANGE {
            self.strange.pop_front();
        }
        self.strange.push_back(Pod { uid: uid.to_owned(), ..Pod::default() });
        true
    }

    /// The name of the container of this pod that has or had this id.
    pub fn container_name<'a>(&'a self, pod: &'a Pod, id: &str) -> Option<&'a str> {
        let now = ids(pod).find(|(known, _)| *known == id).map(|(_, name)| name);
        now.or_else(|| self.past_ids.iter().rev().find(|past| past.id == id && past.uid == pod.uid).map(|past| past.container.as_str()))
    }

    /// All pods that the API shows, in the order of their UIDs.
    pub fn iter(&self) -> impl Iterator<Item = &Pod> {
        self.by_uid.values()
    }

    /// How many pods the API shows.
    pub fn len(&self) -> usize {
        self.by_uid.len()
    }

    /// Whether the API shows none.
    pub fn is_empty(&self) -> bool {
        self.by_uid.is_empty()
    }
}

/// The container ids in a pod's status, with the container's name.
fn ids(pod: &Pod) -> impl Iterator<Item = (&str, &str)> {
    pod.containers.iter().flat_map(|container| {
        let ended = container.ended.iter().filter_map(|ended| ended.id.as_deref());
        container.id.as_deref().into_iter().chain(ended).map(|id| (id, container.name.as_str()))
    })
}

/// Whether it is new.
fn remember(past: &mut VecDeque<PastId>, id: &str, uid: &str, container: &str) -> bool {
    if past.iter().any(|known| known.id == id) {
        return false;
    }
    if past.len() >= MAX_PAST_IDS {
        past.pop_front();
    }
    past.push_back(PastId { id: id.to_owned(), uid: uid.to_owned(), container: container.to_owned() });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, id: &str) -> Pod {
        Pod {
            uid: uid.to_owned(),
            containers: vec![Container { name: "main".to_owned(), id: Some(id.to_owned()), ..Container::default() }],
            ..Pod::default()
        }
    }

    #[test]
    fn an_id_is_known_after_it_left_the_status() {
        let mut pods = Pods::default();
        for id in ["a", "b", "c"] {
            pods.apply(pod("u", id));
        }
        let now = pods.get("u").unwrap();
        assert_eq!(pods.container_name(now, "a"), Some("main"));
        assert_eq!(pods.container_name(now, "d"), None);
        let mut again = Pods::with_past_ids(pods.past_ids());
        again.apply(pod("u", "c"));
        assert_eq!(again.container_name(again.get("u").unwrap(), "a"), Some("main"), "after a restart");
        pods.apply(pod("v", "x"));
        assert_eq!(pods.container_name(pods.get("v").unwrap(), "a"), None, "another pod's id");
    }

    #[test]
    fn the_history_is_bounded() {
        let mut pods = Pods::default();
        for id in 0..2_000 {
            pods.apply(pod("u", &id.to_string()));
        }
        assert_eq!((pods.past_ids.len(), pods.past_ids().len()), (MAX_PAST_IDS, MAX_PAST_IDS));
        for uid in 0..100 {
            pods.apply(pod(&uid.to_string(), "x"));
            pods.remove(&uid.to_string());
        }
        assert_eq!(pods.gone.len(), MAX_GONE);
    }

    #[test]
    fn a_static_pod_is_found_by_its_hash_until_another_takes_it() {
        let mut pods = Pods::default();
        let hash = Some("52c7c29c336a733ae3bc99f62ea70cb6".to_owned());
        pods.apply(Pod { config_hash: hash.clone(), ..pod("mirror-1", "a") });
        pods.apply(Pod { config_hash: hash, ..pod("mirror-2", "b") });
        pods.remove("mirror-1");
        assert_eq!(pods.by_cgroup_uid("52c7c29c336a733ae3bc99f62ea70cb6").unwrap().uid, "mirror-2");
    }

    #[test]
    fn the_limit_of_the_pod_is_the_kubelets() {
        let container = |kind, limit: &str| Container { kind, memory_limit: Some(limit.to_owned()), ..Container::default() };
        let of = |containers: Vec<Container>| Pod { containers, ..Pod::default() }.cgroup_limit();
        assert_eq!(of(vec![container(Kind::Main, "32Mi")]), Some(32 << 20));
        assert_eq!(of(vec![container(Kind::Main, "32Mi"), container(Kind::Main, "16Mi")]), Some(48 << 20));
        assert_eq!(of(vec![container(Kind::Init, "64Mi"), container(Kind::Main, "32Mi")]), Some(64 << 20));
        assert_eq!(
            of(vec![container(Kind::Sidecar, "16Mi"), container(Kind::Init, "64Mi"), container(Kind::Main, "32Mi")]),
            Some(80 << 20)
        );
        assert_eq!(of(vec![container(Kind::Main, "32Mi"), Container::default()]), None);
        assert_eq!(Pod { memory_limit: Some("1Gi".to_owned()), ..Pod::default() }.cgroup_limit(), Some(1 << 30));
    }
}
