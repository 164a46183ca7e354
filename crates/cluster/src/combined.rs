//! The files of a run and the cluster that they will be applied to, together.

use crate::cluster::Cluster;
use podsight_history::{History, PastKills, WorkloadKey};
use podsight_rules::{Claim, Facts, Folder, ImageAnswer, Known, LimitRange, Node, PodSecurity, Presence, RefKind, ResourceQuota};
use podsight_spec::Workload;
use std::sync::Arc;

/// A run and a cluster: what the run's files hold counts as existing, since they will be applied together.
#[derive(Clone, Copy, Debug)]
pub struct Combined<'a> {
    /// The files of the run, seen from one folder.
    pub run: Folder<'a>,
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What was killed in it.
    pub past: &'a History,
}

impl Facts for Combined<'_> {
    fn is_kustomized(&self) -> bool {
        self.run.is_kustomized()
    }

    fn object(&self, kind: RefKind, namespace: Option<&str>, name: &str) -> Presence {
        match (self.run.object(kind, namespace, name), self.cluster.object(kind, namespace, name)) {
            (Presence::Present, _) | (_, Presence::Present) => Presence::Present,
            // A slip is likelier towards the file beside than towards anything in the cluster.
            (Presence::Misspelt { similar }, Presence::Absent { .. }) => Presence::Absent { similar: Some(similar) },
            (own, Presence::Unknown) => own,
            (_, seen) => seen,
        }
    }

    fn memory_floor(&self) -> Option<i64> {
        self.cluster.memory_floor()
    }

    fn key(&self, kind: RefKind, namespace: Option<&str>, name: &str, key: &str) -> Presence {
        // The run's object takes the place of the cluster's.
        if self.run.object(kind, namespace, name) == Presence::Present {
            return self.run.key(kind, namespace, name, key);
        }
        self.cluster.key(kind, namespace, name, key)
    }

    fn limit_ranges(&self, namespace: Option<&str>) -> Known<LimitRange> {
        joined(self.run.limit_ranges(namespace), self.cluster.limit_ranges(namespace), |range| &range.name)
    }

    fn resource_quotas(&self, namespace: Option<&str>) -> Known<ResourceQuota> {
        joined(self.run.resource_quotas(namespace), self.cluster.resource_quotas(namespace), |quota| &quota.name)
    }

    fn pod_security(&self, namespace: Option<&str>) -> Option<PodSecurity> {
        self.run.pod_security(namespace).or_else(|| self.cluster.pod_security(namespace))
    }

    fn claim(&self, namespace: Option<&str>, name: &str) -> Option<Arc<Claim>> {
        // One that is bound stays bound, whatever the file says.
        let there = self.cluster.claim(namespace, name);
        if there.as_deref() == Some(&Claim::Bound) { there } else { self.run.claim(namespace, name).or(there) }
    }

    fn has_default_storage_class(&self) -> Option<bool> {
        match (self.run.has_default_storage_class(), self.cluster.has_default_storage_class()) {
            (Some(true), Some(_)) => Some(true),
            (_, there) => there,
        }
    }

    fn has_free_volume(&self, class: Option<&str>) -> Option<bool> {
        match (self.run.has_free_volume(class), self.cluster.has_free_volume(class)) {
            (Some(true), Some(_)) => Some(true),
            (_, there) => there,
        }
    }

    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills> {
        let in_cluster = || {
            let key = WorkloadKey::of(workload, workload.namespace.unwrap_or_else(|| self.cluster.default_namespace()))?;
            self.past.past_kills(&key, container)
        };
        let mut past = self.run.past_kills(workload, container).or_else(in_cluster)?;
        past.largest_node = self.cluster.largest_node();
        Some(past)
    }

    fn image(&self, image: &str) -> ImageAnswer {
        self.run.image(image)
    }

    fn any_node(&self, accepts: &mut dyn FnMut(&Node) -> bool) -> Option<bool> {
        self.cluster.any_node(accepts)
    }
}

/// Both lists; of one name the run's. Complete if the cluster's is.
fn joined<T>(mut run: Known<T>, cluster: Known<T>, name: impl Fn(&T) -> &str) -> Known<T> {
    for item in cluster.items {
        if !run.items.iter().any(|own| name(own) == name(&item)) {
            run.items.push(item);
        }
    }
    Known { items: run.items, is_complete: cluster.is_complete }
}

#[cfg(test)]
mod tests {
    use super::*;
    use podsight_history::KilledPod;
    use podsight_rules::Bundle;
    use podsight_spec::workloads;
    use serde_json::json;

    #[test]
    fn a_workload_without_a_namespace_is_the_contexts() {
        let pod = |namespace: &str| {
            let evidence = r#"{"v": 1, "containers": {"main": {"kills": 1, "incidents": 1, "scope": "container", "limit": "32Mi",
                "first": "2026-11-22T10:00:00Z", "last": "2026-11-22T10:00:00Z"}}}"#;
            KilledPod::of(
                &json!({"kind": "Pod", "metadata": {"name": "web", "namespace": namespace, "annotations": {"podsight.dev/oom": evidence}},
                "spec": {"containers": [{"name": "main", "image": "web:1"}]}}),
            )
            .unwrap()
        };
        let mut past = History::default();
        let shop = pod("shop");
        past.observe(&shop.owner_by_name().unwrap(), &shop);
        let bundle = Bundle::default();
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [{"name": "main"}]}});
        let workload = workloads(&object).remove(0);
        for (namespace, is_known) in [("shop", true), ("default", false)] {
            let cluster = Cluster::new(namespace);
            let facts = Combined { run: bundle.from_folder(""), cluster: &cluster, past: &past };
            assert_eq!(facts.past_kills(&workload, "main").is_some(), is_known, "{namespace}");
        }
    }
}
