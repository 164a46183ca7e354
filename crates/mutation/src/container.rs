//! One container, and what is to be changed in it.

use crate::change::{Change, TERMINATION_MESSAGE_POLICY};
use crate::record::Entry;
use crate::{Knowledge, LIMIT_ANNOTATION, RUNTIME_ANNOTATION, environment, memory};
use podsight_spec::{Container, Role, Workload};
use serde_json::{Map, Value, json};

/// Where the kubelet looks for the message if nothing else is said.
const DEFAULT_PATH: &str = "/dev/termination-log";

/// A container that may be changed.
pub(crate) struct Target<'a> {
    pub(crate) workload: &'a Workload<'a>,
    pub(crate) container: &'a Container<'a>,
    pub(crate) name: &'a str,
    pub(crate) value: &'a Map<String, Value>,
    pub(crate) recorded: &'a [Entry],
    pub(crate) knowledge: &'a dyn Knowledge,
}

impl<'a> Target<'a> {
    /// `None` for an ephemeral container, which somebody adds by hand to look into a pod, and for what is no container.
    pub(crate) fn of(
        workload: &'a Workload<'a>,
        container: &'a Container<'a>,
        recorded: &'a [Entry],
        knowledge: &'a dyn Knowledge,
    ) -> Option<Self> {
        if container.role == Role::Ephemeral {
            return None;
        }
        Some(Self { workload, container, name: container.name?, value: container.value.as_object()?, recorded, knowledge })
    }

    /// Adds what is to be changed.
    pub(crate) fn plan(&self, changes: &mut Vec<Change>, operations: &mut Vec<Value>) {
        let limit = memory::plan(self, changes, operations);
        environment::plan(self, limit, changes, operations);
        self.termination_message(changes, operations);
    }

    pub(crate) fn is_on(&self, rule: &str) -> bool {
        !self.knowledge.is_off(self.workload, rule)
    }

    /// A change of this container.
    pub(crate) fn change(&self, below: &str, from: Value, to: Value, rule: &'static str, en: String, zh: String) -> Change {
        Change { path: self.container.at(below), from, to, rule, container: self.name.to_owned(), message_en: en, message_zh: zh }
    }

    /// Whether an annotation that lists containers, `all` of them or some, lists this one.
    pub(crate) fn may_raise_limit(&self) -> bool {
        self.annotations(LIMIT_ANNOTATION).any(|list| list.split(',').map(str::trim).any(|name| name == self.name || name == "all"))
    }

    /// The runtime that is declared for this container.
    pub(crate) fn runtime(&self) -> Option<&'a str> {
        let lists: Vec<&'a str> = self.annotations(RUNTIME_ANNOTATION).collect();
        let entries = || lists.iter().flat_map(|list| list.split(',')).map(str::trim);
        let own = entries()
            .find_map(|entry| entry.split_once('=').filter(|(name, _)| name.trim() == self.name).map(|(_, runtime)| runtime.trim()));
        own.or_else(|| entries().find(|entry| !entry.contains('=')))
    }

    /// The annotation's values on the object and on its pod template.
    fn annotations(&self, key: &'static str) -> impl Iterator<Item = &'a str> + use<'a> {
        let of = move |metadata: Option<&'a Value>| metadata?.get("annotations")?.get(key)?.as_str();
        [of(self.workload.object.get("metadata")), of(self.workload.pod_metadata())].into_iter().flatten()
    }

    /// The end of the log is shown where a program that failed left no message. The API server's default, `File`, cannot be told from what
    /// somebody wrote; a message in the file is shown as before.
    fn termination_message(&self, changes: &mut Vec<Change>, operations: &mut Vec<Value>) {
        let from = self.value.get("terminationMessagePolicy").cloned().unwrap_or_default();
        let has_own_path = self.value.get("terminationMessagePath").is_some_and(|path| !path.is_null() && path != DEFAULT_PATH);
        if !(from.is_null() || from == "File") || has_own_path || !self.is_on(TERMINATION_MESSAGE_POLICY) {
            return;
        }
        let change = self.change(
            "/terminationMessagePolicy",
            from,
            json!("FallbackToLogsOnError"),
            TERMINATION_MESSAGE_POLICY,
            "set terminationMessagePolicy to FallbackToLogsOnError".to_owned(),
            "已把 terminationMessagePolicy 设为 FallbackToLogsOnError".to_owned(),
        );
        operations.push(json!({"op": "add", "path": change.path, "value": change.to}));
        changes.push(change);
    }
}
