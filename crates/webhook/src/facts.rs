//! What a request's rules may ask: the cluster, and what was killed before.

use crate::history::SharedHistory;
use podsight_cluster::Cluster;
use podsight_history::PastKills;
use podsight_rules::{Claim, Facts, Known, LimitRange, Node, PodSecurity, Presence, RefKind, ResourceQuota};
use podsight_spec::Workload;
use std::fmt;
use std::sync::Arc;

/// What is known in one request.
#[derive(Clone, Copy)]
pub(crate) struct RequestFacts<'a> {
    /// Where the object is, or will be.
    pub(crate) namespace: &'a str,
    /// What was killed before.
    pub(crate) history: &'a SharedHistory,
    /// Other objects.
    pub(crate) cluster: &'a Cluster,
}

impl fmt::Debug for RequestFacts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RequestFacts").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl<'a> RequestFacts<'a> {
    /// The namespace that is meant: the cluster does not know the request's.
    fn within<'n>(&self, namespace: Option<&'n str>) -> Option<&'n str>
    where
        'a: 'n,
    {
        namespace.or_else(|| (!self.namespace.is_empty()).then_some(self.namespace))
    }
}

impl Facts for RequestFacts<'_> {
    fn knows_objects(&self) -> bool {
        self.cluster.knows_objects()
    }

    fn object(&self, kind: RefKind, namespace: Option<&str>, name: &str) -> Presence {
        self.cluster.object(kind, self.within(namespace), name)
    }

    fn memory_floor(&self) -> Option<i64> {
        self.cluster.memory_floor()
    }

    fn is_validated(&self) -> bool {
        true
    }

    fn admitting_minor(&self) -> Option<u32> {
        self.cluster.server_minor()
    }

    fn key(&self, kind: RefKind, namespace: Option<&str>, name: &str, key: &str) -> Presence {
        self.cluster.key(kind, self.within(namespace), name, key)
    }

    fn limit_ranges(&self, namespace: Option<&str>) -> Known<LimitRange> {
        self.cluster.limit_ranges(self.within(namespace))
    }

    fn resource_quotas(&self, namespace: Option<&str>) -> Known<ResourceQuota> {
        self.cluster.resource_quotas(self.within(namespace))
    }

    fn pod_security(&self, namespace: Option<&str>) -> Option<PodSecurity> {
        self.cluster.pod_security(self.within(namespace))
    }

    fn claim(&self, namespace: Option<&str>, name: &str) -> Option<Arc<Claim>> {
        self.cluster.claim(self.within(namespace), name)
    }

    fn has_default_storage_class(&self) -> Option<bool> {
        self.cluster.has_default_storage_class()
    }

    fn has_free_volume(&self, class: Option<&str>) -> Option<bool> {
        self.cluster.has_free_volume(class)
    }

    fn any_node(&self, accepts: &mut dyn FnMut(&Node) -> bool) -> Option<bool> {
        self.cluster.any_node(accepts)
    }

    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills> {
        let mut past = self.history.past_kills(workload, self.namespace, container)?;
        past.largest_node = self.cluster.largest_node();
        Some(past)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_api_server_says_is_not_said_twice() {
        let namespace =
            json!({"kind": "Namespace", "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}});
        let rules = |version: &str, kind: &str, minor| {
            let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a", "namespace": "shop"},
                "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": {"metadata": {"labels": {"app": "a"}},
                    "spec": {"hostNetwork": true, "containers": [{"name": "a", "image": "b:1", "command": ["c"]}]}}}});
            let cluster = Cluster::of("default", [&namespace]);
            cluster.set_server_minor(minor);
            let facts = RequestFacts { namespace: "shop", history: &SharedHistory::default(), cluster: &cluster };
            let found: Vec<_> = podsight_spec::workloads(&object).iter().flat_map(|workload| crate::check(workload, &facts)).collect();
            found.iter().filter(|finding| finding.rule == "pod-security-violated").count()
        };
        assert_eq!(rules("apps/v1", "Deployment", 37), 0);
        assert_eq!(rules("apps/v1", "Deployment", 30), 1);
        assert_eq!(rules("argoproj.io/v1alpha1", "Rollout", 37), 1);
    }
}
