//! Whose pod it is: what a user applied, not what a controller made of it.

use podsight_spec::Workload;
use serde_json::Value;
use std::fmt;

/// A name or namespace has at most 253 bytes; kinds and groups are shorter.
const MAX_NAME_BYTES: usize = 253;

/// How `CronJob`s name their Jobs: their name and the minute, in so many digits at least (`pkg/controller/cronjob/utils.go`).
const MINUTE_DIGITS: usize = 8;

/// What a user applies, by name. It stays the same when the object is deleted and made again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkloadKey {
    /// The namespace.
    pub namespace: String,
    /// The API group; empty for the core.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// An object's controller, as its `ownerReferences` name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Controller {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `name`.
    pub name: String,
    /// `uid`.
    pub uid: String,
}

/// Whose a pod is, as far as the pod itself tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This workload's.
    Known(WorkloadKey),
    /// The object has a controller of its own, perhaps: it has to be asked.
    Ask(Controller),
}

impl WorkloadKey {
    /// A key of its parts. `None` where one of them cannot be a name in Kubernetes.
    pub fn new(namespace: &str, api_version: &str, kind: &str, name: &str) -> Option<Self> {
        let key = Self {
            namespace: namespace.to_owned(),
            group: api_version.split_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        key.is_sound().then_some(key)
    }

    /// The key of an object that is applied in this namespace. For a Pod with a controller it is the one that its name tells.
    pub fn of(workload: &Workload<'_>, namespace: &str) -> Option<Self> {
        let name = workload.name?;
        if workload.is_pod()
            && let Some(controller) = controller(workload.object)
        {
            let hash = workload.object.pointer("/metadata/labels/pod-template-hash").and_then(Value::as_str);
            return by_name(namespace, &controller, hash);
        }
        Self::new(namespace, workload.api_version, workload.kind, name)
    }

    /// Reads what `Display` wrote.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut part = || parts.next().map(str::to_owned);
        let key = Self { namespace: part()?, group: part()?, kind: part()?, name: part()? };
        (parts.next().is_none() && key.is_sound()).then_some(key)
    }

    fn is_sound(&self) -> bool {
        let sound = |text: &str| text.len() <= MAX_NAME_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        [&self.namespace, &self.group, &self.kind, &self.name].into_iter().all(|part| sound(part))
            && !self.kind.is_empty()
            && !self.name.is_empty()
    }
}

impl fmt::Display for WorkloadKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}/{}", self.namespace, self.group, self.kind, self.name)
    }
}

impl Controller {
    /// Whether it is one of those that are mostly made by another controller: for a Deployment or Rollout, a `CronJob` or `JobSet`, a
    /// `DeploymentConfig`.
    pub fn is_made(&self) -> bool {
        matches!(
            (self.api_version.as_str(), self.kind.as_str()),
            ("apps/v1", "ReplicaSet") | ("batch/v1", "Job") | ("v1", "ReplicationController")
        )
    }
}

/// Whose pod it is, by its controller; without one it is its own.
pub(crate) fn of(namespace: &str, pod: &str, controller: Option<&Controller>) -> Option<Owner> {
    match controller {
        Some(controller) if controller.is_made() => Some(Owner::Ask(controller.clone())),
        Some(controller) => WorkloadKey::new(namespace, &controller.api_version, &controller.kind, &controller.name).map(Owner::Known),
        None => WorkloadKey::new(namespace, "v1", "Pod", pod).map(Owner::Known),
    }
}

/// Whose a controller is, by the names that Kubernetes' own controllers give: for where the object is gone or may not be read.
pub(crate) fn by_name(namespace: &str, controller: &Controller, pod_template_hash: Option<&str>) -> Option<WorkloadKey> {
    let own = || WorkloadKey::new(namespace, &controller.api_version, &controller.kind, &controller.name);
    match (controller.api_version.as_str(), controller.kind.as_str()) {
        ("apps/v1", "ReplicaSet") => {
            let stem = pod_template_hash.and_then(|hash| controller.name.strip_suffix(hash)?.strip_suffix('-'));
            stem.map_or_else(own, |stem| WorkloadKey::new(namespace, "apps/v1", "Deployment", stem))
        }
        ("batch/v1", "Job") => {
            let stem = controller
                .name
                .rsplit_once('-')
                .filter(|(_, minute)| minute.len() >= MINUTE_DIGITS && minute.bytes().all(|byte| byte.is_ascii_digit()));
            stem.map_or_else(own, |(stem, _)| WorkloadKey::new(namespace, "batch/v1", "CronJob", stem))
        }
        _ => own(),
    }
}

/// The controller of an object, by its `ownerReferences`.
pub(crate) fn controller(object: &Value) -> Option<Controller> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    let text = |key: &str| owner.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Controller { api_version: text("apiVersion")?, kind: text("kind")?, name: text("name")?, uid: text("uid").unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(api_version: &str, kind: &str, name: &str) -> Controller {
        Controller { api_version: api_version.to_owned(), kind: kind.to_owned(), name: name.to_owned(), uid: "u".to_owned() }
    }

    #[test]
    fn names_tell_the_owner_where_nobody_else_does() {
        for (controller, hash, want) in [
            (made("apps/v1", "ReplicaSet", "web-7d4b9c5f6"), Some("7d4b9c5f6"), "default/apps/Deployment/web"),
            (made("apps/v1", "ReplicaSet", "web-7d4b9c5f6"), Some("other"), "default/apps/ReplicaSet/web-7d4b9c5f6"),
            (made("apps/v1", "ReplicaSet", "web"), None, "default/apps/ReplicaSet/web"),
            (made("batch/v1", "Job", "nightly-29384756"), None, "default/batch/CronJob/nightly"),
            (made("batch/v1", "Job", "import-2026"), None, "default/batch/Job/import-2026"),
            (made("apps/v1", "StatefulSet", "db"), None, "default/apps/StatefulSet/db"),
            (made("v1", "ReplicationController", "old-3"), None, "default//ReplicationController/old-3"),
        ] {
            let key = by_name("default", &controller, hash).unwrap();
            assert_eq!(key.to_string(), want);
            assert_eq!(WorkloadKey::from_text(want), Some(key));
        }
    }

    #[test]
    fn what_is_no_name_has_no_key() {
        assert_eq!(WorkloadKey::new("a/b", "v1", "Pod", "x"), None);
        assert_eq!(WorkloadKey::new("a", "v1", "Pod", ""), None);
        assert_eq!(WorkloadKey::new("a", "v1", "Pod", "x\u{1b}"), None);
        assert_eq!(WorkloadKey::new("a", "v1", "Pod", &"x".repeat(254)), None);
        for text in ["", "a", "a//Pod", "a//Pod/x/y", "a//Pod/", "a///x"] {
            assert_eq!(WorkloadKey::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_is_made_by_others_is_asked() {
        assert!(matches!(of("a", "p", Some(&made("apps/v1", "ReplicaSet", "r"))), Some(Owner::Ask(_))));
        let set = of("a", "p", Some(&made("apps/v1", "StatefulSet", "db"))).unwrap();
        assert_eq!(set, Owner::Known(WorkloadKey::new("a", "apps/v1", "StatefulSet", "db").unwrap()));
        assert_eq!(of("a", "p", None).unwrap(), Owner::Known(WorkloadKey::new("a", "v1", "Pod", "p").unwrap()));
    }
}
