//! A pod as the matchers see it.

use crate::container::{Container, Role};
use crate::view::View as _;
use jiff::Timestamp;
use serde_json::Value;

static NULL: Value = Value::Null;

/// A condition of the pod.
#[derive(Clone, Debug)]
pub(crate) struct Condition<'a> {
    pub(crate) pointer: String,
    pub(crate) kind: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

/// A pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod<'a> {
    pub(crate) value: &'a Value,
    pub(crate) spec: &'a Value,
    pub(crate) status: &'a Value,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) uid: &'a str,
    pub(crate) node: &'a str,
    pub(crate) phase: &'a str,
    /// `status.reason` without blanks: old kubelets wrote `Topology Affinity Error`.
    pub(crate) reason: String,
    pub(crate) message: &'a str,
    pub(crate) restart_policy: &'a str,
    /// Whether its deletion was requested.
    pub(crate) deleting: bool,
    /// When the grace period of its deletion ends, where that is known.
    pub(crate) deletion: Option<Timestamp>,
    pub(crate) conditions: Vec<Condition<'a>>,
    pub(crate) containers: Vec<Container<'a>>,
}

impl<'a> Pod<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        let (meta, spec, status) = (value.get_or_null("metadata"), value.get_or_null("spec"), value.get_or_null("status"));
        let conditions = status
            .list("conditions")
            .iter()
            .enumerate()
            .map(|(position, condition)| Condition {
                pointer: format!("/status/conditions/{position}"),
                kind: condition.text("type"),
                status: condition.text("status"),
                reason: condition.text("reason"),
                message: condition.text("message"),
            })
            .collect();
        let mut containers = Vec::new();
        for (role, spec_key, status_key) in [
            (Role::Init, "initContainers", "initContainerStatuses"),
            (Role::Main, "containers", "containerStatuses"),
            (Role::Ephemeral, "ephemeralContainers", "ephemeralContainerStatuses"),
        ] {
            pair(&mut containers, role, (spec, spec_key), (status, status_key));
        }
        let restart_policy = spec.text("restartPolicy");
        Self {
            value,
            spec,
            status,
            name: meta.text("name"),
            namespace: meta.text("namespace"),
            uid: meta.text("uid"),
            node: spec.text("nodeName"),
            phase: status.text("phase"),
            reason: status.text("reason").split_whitespace().collect(),
            message: status.text("message"),
            restart_policy: if restart_policy.is_empty() { "Always" } else { restart_policy },
            deleting: !meta.get_or_null("deletionTimestamp").is_null(),
            deletion: meta.time("deletionTimestamp"),
            conditions,
            containers,
        }
    }

    pub(crate) fn condition(&self, kind: &str) -> Option<&Condition<'a>> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    pub(crate) fn annotation(&self, key: &str) -> &'a str {
        self.value.get_or_null("metadata").get_or_null("annotations").text(key)
    }

    pub(crate) fn label(&self, key: &str) -> &'a str {
        self.value.get_or_null("metadata").get_or_null("labels").text(key)
    }

    /// Whether any container of the pod has ever run or been tried.
    pub(crate) fn any_container_tried(&self) -> bool {
        self.containers.iter().any(|container| {
            container.running
                || container.end().is_some()
                || (container.is_waiting && !crate::container::NOT_YET.contains(&container.waiting))
        })
    }

    /// Whether the containers have a past, but wait for a new sandbox or volumes, as after a restart of the node.
    pub(crate) fn set_up_again(&self) -> bool {
        let waits = |container: &Container<'_>| container.is_waiting && crate::container::NOT_YET.contains(&container.waiting);
        let torn = self.condition("PodReadyToStartContainers").is_some_and(|condition| condition.status == "False");
        let mut lasting = self.containers.iter().filter(|container| container.role != Role::Ephemeral);
        // A pod that is over has lost its sandbox for good.
        !self.over()
            && self.any_container_tried()
            && lasting.clone().any(waits)
            && lasting.all(|container| {
                let done = container.role == Role::Init && container.ended.as_ref().is_some_and(crate::container::End::clean);
                waits(container) || done || (torn && container.ended.is_some())
            })
    }

    /// Whether a phase says that all is over.
    pub(crate) fn over(&self) -> bool {
        matches!(self.phase, "Succeeded" | "Failed")
    }
}

/// Puts spec and status of the containers of one list side by side: by name, or by place where the status has no name.
fn pair<'a>(containers: &mut Vec<Container<'a>>, role: Role, (spec, spec_key): (&'a Value, &str), (status, status_key): (&'a Value, &str)) {
    let (specs, statuses) = (spec.list(spec_key), status.list(status_key));
    let mut taken = vec![false; statuses.len()];
    for (place, spec) in specs.iter().enumerate() {
        let name = spec.text("name");
        let found = statuses.iter().position(|status| !name.is_empty() && status.text("name") == name).or_else(|| {
            let nameless = statuses.get(place).is_some_and(|status| name.is_empty() || status.text("name").is_empty());
            nameless.then_some(place)
        });
        if let Some(taken) = found.and_then(|found| taken.get_mut(found)) {
            *taken = true;
        }
        let status = found.and_then(|found| statuses.get(found)).unwrap_or(&NULL);
        let status_pointer = format!("/status/{status_key}/{}", found.unwrap_or(place));
        containers.push(Container::new(role, spec, format!("/spec/{spec_key}/{place}"), status, status_pointer));
    }
    for (place, status) in statuses.iter().enumerate() {
        if taken.get(place) == Some(&false) {
            containers.push(Container::new(role, &NULL, String::new(), status, format!("/status/{status_key}/{place}")));
        }
    }
}
