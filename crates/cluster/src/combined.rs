//! The files of a run and the cluster that they will be applied to, together.

use crate::cluster::Cluster;
use podsight_history::PastKills;
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
}

impl Facts for Combined<'_> {
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
        self.run.past_kills(workload, container)
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
