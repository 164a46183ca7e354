//! The cluster: a table a kind, each behind a lock of its own, so that a listing of one kind keeps nobody waiting for another.

use crate::kind::Kind;
use crate::object::{Kept, Object};
use crate::table::Table;
use podsight_rules::{Claim, Facts, Known, LimitRange, Node, PodSecurity, Presence, RefKind, ResourceQuota};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// CRI-O refuses containers below this (`pkg/config/config.go: MinimumMemoryLimit`).
const CRIO_FLOOR_BYTES: i64 = 12 << 20;

/// What is known of a cluster. Readers and writers share it.
#[derive(Debug, Default)]
pub struct Cluster {
    tables: [RwLock<Table>; Kind::ALL.len()],
    /// The minor version of the API server; 0: not known.
    server_minor: AtomicU32,
    /// The namespace of objects that name none.
    namespace: Box<str>,
}

impl Cluster {
    /// Nothing is known yet. Objects that name no namespace belong to this one.
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.into(), ..Self::default() }
    }

    /// The namespace of objects that name none.
    pub fn default_namespace(&self) -> &str {
        &self.namespace
    }

    /// The most memory that pods may have on any node, in bytes. `None` where the nodes are not known, or come as they are needed.
    pub fn largest_node(&self) -> Option<u64> {
        let mut largest = 0;
        let is_open = self.any_node(&mut |node| {
            let memory = node.allocatable.get("memory").and_then(|memory| u64::try_from(memory.value()).ok());
            largest = memory.map_or(largest, |memory| memory.max(largest));
            node.is_managed
        })?;
        (!is_open && largest > 0).then_some(largest)
    }

    /// A cluster with these objects and no others. What is of none of the kinds is left out.
    pub fn of<'v>(namespace: &str, objects: impl IntoIterator<Item = &'v Value>) -> Self {
        let cluster = Self::new(namespace);
        let mut lists: BTreeMap<Kind, Vec<Object>> = Kind::ALL.into_iter().map(|kind| (kind, Vec::new())).collect();
        for value in objects {
            let kind = value.get("kind").and_then(Value::as_str).and_then(Kind::of_name);
            if let Some(kind) = kind
                && let Some(mut object) = Object::of(kind, value)
            {
                if object.namespace.is_empty() && !kind.is_cluster_wide() {
                    object.namespace = namespace.into();
                }
                lists.entry(kind).or_default().push(object);
            }
        }
        for (kind, list) in lists {
            cluster.replace(kind, list);
        }
        cluster
    }

    /// These are all objects of the kind.
    pub fn replace(&self, kind: Kind, objects: impl IntoIterator<Item = Object>) {
        self.put(kind, Table::of(objects));
    }

    /// These are the objects of the kind. The table is made before the lock is taken, and what was there is dropped after it is given back.
    pub fn put(&self, kind: Kind, mut table: Table) {
        self.change(kind, |old| std::mem::swap(old, &mut table));
    }

    /// Changes of the kind may have been missed: until it is put anew nothing is known to be absent.
    pub fn suspend(&self, kind: Kind) {
        self.change(kind, Table::suspend);
    }

    /// About how many bytes the objects of the kind take.
    pub fn weight(&self, kind: Kind) -> usize {
        self.read(kind).map_or(0, |table| table.weight())
    }

    /// Whether all objects of the kind are known.
    pub fn is_complete(&self, kind: Kind) -> bool {
        self.read(kind).is_some_and(|table| table.is_complete(""))
    }

    /// These are all objects of the kind in one namespace.
    pub fn fill(&self, kind: Kind, namespace: &str, objects: impl IntoIterator<Item = Object>) {
        let namespace = if kind.is_cluster_wide() { "" } else { namespace };
        self.change(kind, |table| table.fill(namespace, objects));
    }

    /// The object is there, as it is now.
    pub fn insert(&self, kind: Kind, object: Object) {
        self.change(kind, |table| table.insert(object));
    }

    /// The object is gone.
    pub fn remove(&self, kind: Kind, namespace: &str, name: &str) {
        self.change(kind, |table| table.remove(namespace, name));
    }

    /// Nothing is known of the kind any more.
    pub fn forget(&self, kind: Kind) {
        self.put(kind, Table::default());
    }

    /// Whether the object is known to be there. Objects of no namespace are in the empty one.
    pub fn has(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.read(kind).is_some_and(|table| table.get(namespace, name).is_some())
    }

    /// How many objects of the kind are known.
    pub fn len(&self, kind: Kind) -> usize {
        self.read(kind).map_or(0, |table| table.len())
    }

    /// Whether no object of the kind is known.
    pub fn is_empty(&self, kind: Kind) -> bool {
        self.len(kind) == 0
    }

    /// The minor version of the API server.
    pub fn set_server_minor(&self, minor: u32) {
        self.server_minor.store(minor, Ordering::Relaxed);
    }

    /// The minor version of the API server, where it is known.
    pub fn server_minor(&self) -> Option<u32> {
        Some(self.server_minor.load(Ordering::Relaxed)).filter(|minor| *minor > 0)
    }

    /// The labels of a namespace; `None` where it is not known.
    pub fn namespace_labels(&self, name: &str) -> Option<Arc<BTreeMap<String, String>>> {
        match self.read(Kind::Namespace)?.get("", name)? {
            Kept::Labels(labels) => Some(Arc::clone(labels)),
            _ => None,
        }
    }

    fn read(&self, kind: Kind) -> Option<RwLockReadGuard<'_, Table>> {
        // A panic in the middle of a change leaves a table with some of the objects: still names that were there.
        Some(self.tables.get(kind.index())?.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, kind: Kind, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.tables.get(kind.index()) {
            change(&mut table.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn namespace<'n>(&'n self, given: Option<&'n str>) -> &'n str {
        given.unwrap_or(&self.namespace)
    }

    /// What is kept of all objects of a kind in a namespace, as far as `pick` wants it.
    fn known<T>(&self, kind: Kind, namespace: Option<&str>, pick: impl Fn(&Kept) -> Option<Arc<T>>) -> Known<T> {
        let namespace = self.namespace(namespace);
        let Some(table) = self.read(kind) else { return Known::default() };
        Known { items: table.all(namespace).filter_map(pick).collect(), is_complete: table.is_complete(namespace) }
    }
}

impl Facts for Cluster {
    fn object(&self, kind: RefKind, namespace: Option<&str>, name: &str) -> Presence {
        let namespace = if kind.is_cluster_wide() { "" } else { self.namespace(namespace) };
        let Some(table) = self.read(kind.into()) else { return Presence::Unknown };
        if table.get(namespace, name).is_some() {
            Presence::Present
        } else if table.is_complete(namespace) {
            Presence::Absent { similar: table.near(namespace, name) }
        } else {
            Presence::Unknown
        }
    }

    fn memory_floor(&self) -> Option<i64> {
        // One node that takes less is enough for a pod to run.
        let other = self.any_node(&mut |node| !node.runtime.starts_with("cri-o://"))?;
        (!other).then_some(CRIO_FLOOR_BYTES)
    }

    fn key(&self, kind: RefKind, namespace: Option<&str>, name: &str, key: &str) -> Presence {
        let Some(table) = self.read(kind.into()) else { return Presence::Unknown };
        match table.get(self.namespace(namespace), name) {
            Some(Kept::Keys(keys)) if keys.has(key) => Presence::Present,
            Some(Kept::Keys(keys)) => Presence::Absent { similar: keys.near(key) },
            _ => Presence::Unknown,
        }
    }

    fn limit_ranges(&self, namespace: Option<&str>) -> Known<LimitRange> {
        self.known(Kind::LimitRange, namespace, |kept| match kept {
            Kept::LimitRange(range) => Some(Arc::clone(range)),
            _ => None,
        })
    }

    fn resource_quotas(&self, namespace: Option<&str>) -> Known<ResourceQuota> {
        self.known(Kind::ResourceQuota, namespace, |kept| match kept {
            Kept::ResourceQuota(quota) => Some(Arc::clone(quota)),
            _ => None,
        })
    }

    fn pod_security(&self, namespace: Option<&str>) -> Option<PodSecurity> {
        let labels = self.namespace_labels(self.namespace(namespace))?;
        PodSecurity::of_labels(|label| labels.get(label).map(String::as_str), self.server_minor())
    }

    fn claim(&self, namespace: Option<&str>, name: &str) -> Option<Arc<Claim>> {
        match self.read(Kind::PersistentVolumeClaim)?.get(self.namespace(namespace), name)? {
            Kept::Claim(claim) => Some(Arc::clone(claim)),
            _ => None,
        }
    }

    fn has_default_storage_class(&self) -> Option<bool> {
        let table = self.read(Kind::StorageClass)?;
        table.is_complete("").then(|| table.all("").any(|kept| *kept == Kept::StorageClass { is_default: true }))
    }

    fn has_free_volume(&self, class: Option<&str>) -> Option<bool> {
        let table = self.read(Kind::PersistentVolume)?;
        let is_free = |kept: &Kept| matches!(kept, Kept::FreeVolume(of) if **of == *class.unwrap_or_default());
        table.is_complete("").then(|| table.all("").any(is_free))
    }

    fn any_node(&self, accepts: &mut dyn FnMut(&Node) -> bool) -> Option<bool> {
        let table = self.read(Kind::Node)?;
        if !table.is_complete("") || table.len() == 0 {
            return None;
        }
        Some(table.all("").any(|kept| matches!(kept, Kept::Node(node) if accepts(node))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn absent(similar: Option<&str>) -> Presence {
        Presence::Absent { similar: similar.map(str::to_owned) }
    }

    #[test]
    fn nothing_is_said_before_a_kind_is_complete() {
        let cluster = Cluster::new("default");
        let ask = |name: &str| cluster.object(RefKind::Secret, None, name);
        assert_eq!(ask("token"), Presence::Unknown);
        // The watch's first page.
        cluster.insert(Kind::Secret, Object::named("default", "token"));
        assert_eq!((ask("token"), ask("other")), (Presence::Present, Presence::Unknown));
        cluster.replace(Kind::Secret, [Object::named("default", "token")]);
        assert_eq!((ask("token"), ask("tokn1")), (Presence::Present, absent(None)));
        cluster.remove(Kind::Secret, "default", "token");
        assert_eq!(ask("token"), absent(None));
        cluster.suspend(Kind::Secret);
        assert_eq!(ask("token"), Presence::Unknown);
        cluster.replace(Kind::Secret, []);
        assert_eq!(ask("token"), absent(None));
        cluster.forget(Kind::Secret);
        assert_eq!(ask("token"), Presence::Unknown);
        assert_eq!(cluster.has_default_storage_class(), None);
        assert_eq!(cluster.any_node(&mut |_| true), None);
    }

    #[test]
    fn no_value_of_a_secret_is_kept() {
        let secret = json!({"kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "aHVudGVyMg=="}});
        let cluster = Cluster::of("default", [&secret]);
        assert_eq!(cluster.key(RefKind::Secret, None, "db", "password"), Presence::Present);
        assert_eq!(cluster.key(RefKind::Secret, None, "db", "pasword"), absent(Some("password")));
        let shown = format!("{cluster:?}");
        assert!(!shown.contains("aHVudGVyMg") && !shown.contains("password"), "{shown}");
    }

    #[test]
    fn tells_what_decides_over_pods() {
        let objects = [
            json!({"kind": "Namespace", "metadata": {"name": "default", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}),
            json!({"kind": "StorageClass", "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}),
            json!({"kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {"storageClassName": "manual"}}),
            json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {"storageClassName": "slow"}}),
            json!({"kind": "Node", "metadata": {"name": "n"}, "status": {"nodeInfo": {"containerRuntimeVersion": "cri-o://1.34.0"}}}),
        ];
        let cluster = Cluster::of("default", &objects);
        cluster.set_server_minor(37);
        assert_eq!(cluster.pod_security(None).map(|enforced| (enforced.level.name(), enforced.minor)), Some(("baseline", Some(37))));
        assert_eq!(cluster.pod_security(Some("other")), None);
        assert_eq!(cluster.has_default_storage_class(), Some(true));
        assert_eq!((cluster.has_free_volume(Some("manual")), cluster.has_free_volume(Some("slow"))), (Some(true), Some(false)));
        assert_eq!(cluster.claim(None, "data").as_deref(), Some(&Claim::OfClass("slow".to_owned())));
        assert_eq!(cluster.memory_floor(), Some(12 << 20));
        assert_eq!(cluster.namespace_labels("default").map(|labels| labels.len()), Some(1));
    }
}
