//! The checks of the Pod Security Standards, as `k8s.io/pod-security-admission/policy` makes them.
//!
//! Where the version of the checks is not known, a check that came later is not made and an allowance that came later is given.

mod baseline;
mod restricted;

use crate::facts::{Level, PodSecurity};
use crate::rule::Subject;
use serde_json::Value;

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What the API server calls it.
    pub(crate) reason: &'static str,
    /// JSON pointer to the value that is forbidden, or to where one is missing.
    pub(crate) pointer: String,
}

/// The violations of a pod, one a check, in the order of the checks' names.
pub(crate) fn violations(subject: &Subject<'_>, enforced: PodSecurity) -> Vec<Violation> {
    let pod = Pod { subject, minor: enforced.minor };
    let mut found = baseline::violations(&pod, enforced.level);
    if enforced.level == Level::Restricted {
        found.extend(restricted::violations(&pod));
    }
    found.sort_by_key(|violation| violation.reason);
    found
}

/// A pod, and which version of the checks it is held against.
struct Pod<'s> {
    subject: &'s Subject<'s>,
    minor: Option<u32>,
}

/// A place with a security context: the pod or a container.
struct Setter<'s> {
    pointer: String,
    context: Option<&'s Value>,
    /// The container; `None` for the pod.
    container: Option<&'s Value>,
}

impl<'s> Pod<'s> {
    /// Whether a check of this version is made.
    fn checks_of(&self, minor: u32) -> bool {
        self.minor.is_some_and(|own| own >= minor)
    }

    /// Whether what was allowed from this version on is allowed.
    fn allows_since(&self, minor: u32) -> bool {
        self.minor.is_none_or(|own| own >= minor)
    }

    fn get(&self, field: &str) -> Option<&'s Value> {
        self.subject.workload.pod.get(field)
    }

    fn at(&self, below: &str) -> String {
        format!("{}{below}", self.subject.workload.pod_pointer)
    }

    fn pod(&self) -> Setter<'s> {
        Setter { pointer: self.subject.workload.pod_pointer.to_string(), context: self.get("securityContext"), container: None }
    }

    fn containers(&self) -> impl Iterator<Item = Setter<'s>> + use<'_, 's> {
        self.subject.containers.iter().map(|container| Setter {
            pointer: container.pointer.clone(),
            context: container.value.get("securityContext"),
            container: Some(container.value),
        })
    }

    /// The pod, then its containers.
    fn setters(&self) -> impl Iterator<Item = Setter<'s>> + use<'_, 's> {
        std::iter::once(self.pod()).chain(self.containers())
    }

    fn is_windows(&self) -> bool {
        self.get("os").and_then(|os| os.get("name")).and_then(Value::as_str) == Some("windows")
    }

    /// Whether the pod is in a user namespace, for which some checks are relaxed from 1.35 on.
    fn is_relaxed(&self) -> bool {
        self.allows_since(35) && self.get("hostUsers") == Some(&Value::Bool(false))
    }
}

impl<'s> Setter<'s> {
    /// A field of the security context that is set.
    fn set(&self, field: &str) -> Option<&'s Value> {
        self.context.and_then(|context| context.get(field)).filter(|value| !value.is_null())
    }

    fn is_true(&self, field: &str) -> bool {
        self.set(field) == Some(&Value::Bool(true))
    }

    fn at(&self, field: &str) -> String {
        format!("{}/securityContext/{field}", self.pointer)
    }

    /// The names in a list of capabilities.
    fn capabilities(&self, list: &str) -> impl Iterator<Item = &'s str> + use<'s> {
        let names = self.set("capabilities").and_then(|capabilities| capabilities.get(list)).and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str)
    }
}

fn violation(reason: &'static str, pointer: String) -> Violation {
    Violation { reason, pointer }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}
