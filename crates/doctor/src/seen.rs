//! What was read of a cluster.

use crate::guard::POLICIES;
use serde_json::Value;

/// An object or a list that somebody tried to read.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Read {
    /// There it is.
    Found(Value),
    /// There is none.
    Missing,
    /// Nobody asked, or nobody was told: why.
    #[default]
    NotAsked,
    /// The API server did not give it: why.
    Refused(String),
}

impl Read {
    /// The object.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Found(value) => Some(value),
            _ => None,
        }
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Value> {
        self.value().and_then(|list| list.get("items")?.as_array()).into_iter().flatten()
    }
}

/// What was read of an installation.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The namespace of the installation.
    pub namespace: String,
    /// Seconds since 1970.
    pub now: i64,
    /// The version of whoever asks.
    pub version: String,
    /// What the API server says of itself: `/version`.
    pub server: Read,
    /// The `ValidatingWebhookConfiguration`.
    pub validating: Read,
    /// The `MutatingWebhookConfiguration`.
    pub mutating: Read,
    /// The Service of the webhook.
    pub service: Read,
    /// The Deployment of the webhook.
    pub deployment: Read,
    /// The `DaemonSet` of the agent.
    pub daemon_set: Read,
    /// The Secret that the webhook makes itself.
    pub own_secret: Read,
    /// The Secret that somebody else makes.
    pub mounted_secret: Read,
    /// The pods of the namespace, a list.
    pub pods: Read,
    /// The nodes, a list.
    pub nodes: Read,
    /// The `ValidatingAdmissionPolicies`, a list.
    pub policies: Read,
    /// Their bindings, a list.
    pub bindings: Read,
    /// The `NetworkPolicies` of the namespace, a list.
    pub network_policies: Read,
    /// Whether a pod that cannot start was warned about, where that was tried.
    pub is_warned: Option<bool>,
}

impl Seen {
    /// Everything that can be asked for, by what the API server calls it.
    fn parts(&self) -> [(&'static str, &Read); 13] {
        [
            ("version", &self.server),
            ("validatingwebhookconfigurations", &self.validating),
            ("mutatingwebhookconfigurations", &self.mutating),
            ("services", &self.service),
            ("deployments", &self.deployment),
            ("daemonsets", &self.daemon_set),
            ("secrets", &self.own_secret),
            ("secrets (mounted)", &self.mounted_secret),
            ("pods", &self.pods),
            ("nodes", &self.nodes),
            ("validatingadmissionpolicies", &self.policies),
            ("validatingadmissionpolicybindings", &self.bindings),
            ("networkpolicies", &self.network_policies),
        ]
    }

    /// Whether nothing of the installation could be looked at. What the API server says of itself and the cluster's nodes are none of it:
    /// everybody may read the one, and without the agent's pods nothing is known from the other.
    pub fn is_blind(&self) -> bool {
        let mut installation = self.parts().into_iter().filter(|(name, _)| !matches!(*name, "version" | "nodes"));
        self.is_warned.is_none() && installation.all(|(_, read)| matches!(read, Read::NotAsked | Read::Refused(_)))
    }

    /// Parts of podsight that are not installed. An administrator may want it so: it is no fault while the rest fits together.
    pub fn absent(&self) -> Vec<&'static str> {
        let has = |list: &Read, name: &str| list.items().any(|object| text(object, "/metadata/name") == name);
        let has_no_policy = matches!(self.policies, Read::Found(_)) && !POLICIES.iter().any(|name| has(&self.policies, name));
        let is_without_webhook = self.validating == Read::Missing && self.deployment == Read::Missing && self.service == Read::Missing;
        [
            ("webhook", is_without_webhook),
            ("mutation", !is_without_webhook && self.mutating == Read::Missing),
            ("agent", self.daemon_set == Read::Missing),
            ("policy", self.daemon_set.value().is_some() && has_no_policy),
        ]
        .into_iter()
        .filter_map(|(part, is_absent)| is_absent.then_some(part))
        .collect()
    }

    /// What was asked for and not given, each with the reason.
    pub fn refused(&self) -> Vec<(&'static str, &str)> {
        self.parts()
            .into_iter()
            .filter_map(|(name, read)| match read {
                Read::Refused(why) => Some((name, why.as_str())),
                _ => None,
            })
            .collect()
    }

    /// The pods of a component.
    pub(crate) fn pods_of(&self, component: &str) -> Vec<&Value> {
        self.pods.items().filter(|pod| text(pod, "/metadata/labels/app.kubernetes.io~1component") == component).collect()
    }
}

/// The text at a pointer, or nothing.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a pointer, or nothing.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether a pod reports itself ready.
pub(crate) fn is_ready(pod: &Value) -> bool {
    list(pod, "/status/conditions").iter().any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True")
}
