//! Events, of `v1` and of `events.k8s.io/v1`.

use crate::view::View as _;
use jiff::Timestamp;
use serde_json::Value;

/// One event, as far as it can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Where it stands in its input, as a JSON pointer.
    pub pointer: String,
    /// The reason, such as `FailedMount`.
    pub reason: String,
    /// The text.
    pub message: String,
    /// Whether its type is Warning; events of unknown type count as warnings.
    pub warning: bool,
    /// How often it was seen; at least 1.
    pub count: i64,
    /// The kind of object it is about; empty where the input does not say.
    pub kind: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The object's UID.
    pub uid: String,
    /// The container that the event is about, from the object's field path.
    pub container: Option<String>,
    /// When it was seen first.
    pub first: Option<Timestamp>,
    /// When it was seen last.
    pub last: Option<Timestamp>,
}

impl Event {
    /// Reads an event object. Fields that are missing stay empty.
    pub fn from_value(value: &Value, pointer: String) -> Self {
        let object = match value.get_or_null("involvedObject") {
            Value::Null => value.get_or_null("regarding"),
            object => object,
        };
        let text = |old: &str, new: &str| if value.text(old).is_empty() { value.text(new) } else { value.text(old) }.to_owned();
        let first = value.time("firstTimestamp").or_else(|| value.time("deprecatedFirstTimestamp")).or_else(|| value.time("eventTime"));
        let last = value
            .time("lastTimestamp")
            .or_else(|| value.time("deprecatedLastTimestamp"))
            .or_else(|| value.get_or_null("series").time("lastObservedTime"))
            .or(first);
        let count =
            value.integer("count").or_else(|| value.get_or_null("series").integer("count")).or_else(|| value.integer("deprecatedCount"));
        Self {
            pointer,
            reason: value.text("reason").to_owned(),
            message: text("message", "note"),
            warning: value.text("type") != "Normal",
            count: count.unwrap_or(1).max(1),
            kind: object.text("kind").to_owned(),
            namespace: object.text("namespace").to_owned(),
            name: object.text("name").to_owned(),
            uid: object.text("uid").to_owned(),
            container: container_of(object.text("fieldPath")).map(str::to_owned),
            first: first.or(last),
            last,
        }
    }

    /// Whether the event may be about this pod or its node. An event that names no object belongs to every pod of the input.
    pub fn concerns(&self, pod: &Value) -> bool {
        let meta = pod.get_or_null("metadata");
        let agrees = |ours: &str, theirs: &str| ours.is_empty() || theirs.is_empty() || ours == theirs;
        match self.kind.as_str() {
            "Pod" | "" if matches!(pod.text("kind"), "" | "Pod") => {
                agrees(&self.name, meta.text("name"))
                    && agrees(&self.namespace, meta.text("namespace"))
                    && agrees(&self.uid, meta.text("uid"))
            }
            "Node" if pod.text("kind") != "Node" => !self.name.is_empty() && self.name == pod.get_or_null("spec").text("nodeName"),
            // Another object in the place of a pod.
            kind => {
                kind == pod.text("kind")
                    && !self.name.is_empty()
                    && self.name == meta.text("name")
                    && agrees(&self.namespace, meta.text("namespace"))
                    && agrees(&self.uid, meta.text("uid"))
            }
        }
    }
}

/// The name in `spec.containers{name}` or `spec.initContainers{name}`.
fn container_of(field_path: &str) -> Option<&str> {
    let (_, rest) = field_path.split_once('{')?;
    rest.strip_suffix('}').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_both_versions() {
        let old = json!({"type": "Warning", "reason": "BackOff", "message": "m", "count": 4, "lastTimestamp": "2026-11-22T10:00:00Z",
            "involvedObject": {"kind": "Pod", "namespace": "a", "name": "b", "uid": "c", "fieldPath": "spec.containers{main}"}});
        let new = json!({"type": "Warning", "reason": "BackOff", "note": "m", "series": {"count": 4, "lastObservedTime": "2026-11-22T10:00:00Z"},
            "regarding": {"kind": "Pod", "namespace": "a", "name": "b", "uid": "c", "fieldPath": "spec.containers{main}"}});
        let (old, new) = (Event::from_value(&old, String::new()), Event::from_value(&new, String::new()));
        assert_eq!(old.container.as_deref(), Some("main"));
        assert_eq!((old.message, old.count, old.last, old.uid), (new.message, new.count, new.last, new.uid));
    }

    #[test]
    fn another_pod_of_the_same_name_is_another_pod() {
        let event = Event { kind: "Pod".into(), name: "b".into(), uid: "old".into(), ..Event::default() };
        assert!(!event.concerns(&json!({"metadata": {"name": "b", "uid": "new"}})));
        assert!(event.concerns(&json!({"metadata": {"name": "b"}})));
        assert!(Event::default().concerns(&json!({"metadata": {"name": "b"}})));
    }
}
