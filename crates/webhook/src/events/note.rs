//! What is to be told of one object. Values in, values out.

use crate::answer::{Answer, Outcome};
use crate::review::Review;
use podsight_rules::shown;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The reason of the Events.
pub(crate) const REASON: &str = "PodsightFinding";
/// Who writes them.
pub(crate) const COMPONENT: &str = "podsight-webhook";

/// The API server takes messages of 1,024 bytes (`pkg/apis/core/validation/events.go`).
const MESSAGE_MAX_BYTES: usize = 1024;
/// What stands for the rest of a message.
const CUT: &str = "…";
/// Names, kinds, namespaces and UIDs are shorter; anything longer is no object of an API server's.
const TEXT_MAX_BYTES: usize = 253;
/// Of the object's name so much is in the Event's, which takes 253 bytes with a dot and 16 digits.
const STEM_MAX_BYTES: usize = 200;
/// Where Events about objects without a namespace are.
const DEFAULT_NAMESPACE: &str = "default";

/// What is to be told of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The object, as an `ObjectReference`, field by field.
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
    /// Empty where the review has none.
    uid: String,
    /// The findings in one line of at most 1,024 bytes.
    message: String,
}

impl Note {
    /// What is told of the object of a review. Nothing where nothing was found, where nothing comes to be (a dry run, a denial), and where
    /// the object could not be named. The API server gives an object its name and its UID before it asks validating webhooks
    /// (`Store.Create` in `k8s.io/apiserver/pkg/registry/generic/registry/store.go`).
    pub(crate) fn of(review: &Review, answer: &Answer) -> Option<Self> {
        if review.is_dry_run || answer.outcome != Outcome::Allowed || answer.warnings.is_empty() {
            return None;
        }
        let object = review.object.as_ref()?.as_ref().ok()?;
        let text = |pointer: &str| {
            let text = object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            (text.len() <= TEXT_MAX_BYTES).then(|| text.to_owned())
        };
        let note = Self {
            api_version: text("/apiVersion")?,
            kind: text("/kind")?,
            namespace: review.namespace.clone(),
            name: text("/metadata/name")?,
            uid: text("/metadata/uid")?,
            message: message(&answer.warnings),
        };
        let is_named = !note.kind.is_empty() && !note.name.is_empty() && note.namespace.len() <= TEXT_MAX_BYTES;
        is_named.then_some(note)
    }

    /// What is the same for all notes about the same object.
    pub(super) fn key(&self) -> String {
        if self.uid.is_empty() { format!("{}/{}/{}", self.kind, self.namespace, self.name) } else { self.uid.clone() }
    }

    /// Whether it says the same.
    pub(super) fn says(&self, other: &Self) -> bool {
        self.message == other.message
    }

    /// The namespace of the Event.
    pub(super) fn event_namespace(&self) -> &str {
        if self.namespace.is_empty() { DEFAULT_NAMESPACE } else { &self.namespace }
    }

    /// The name of the Event: the same for the same object, message and replica, so that it is never there twice.
    pub(super) fn event_name(&self, instance: &str) -> String {
        let mut hasher = DefaultHasher::new();
        (self.key(), &self.message, instance).hash(&mut hasher);
        let is_plain = |letter: &char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '.');
        let stem: String = self.name.chars().filter(is_plain).take(STEM_MAX_BYTES).collect();
        let stem = stem.trim_matches(['-', '.']);
        let stem = if stem.is_empty() { "object" } else { stem };
        format!("{stem}.{:016x}", hasher.finish())
    }

    /// The Event, as of now (RFC 3339), of something that was seen so often.
    pub(super) fn event(&self, instance: &str, now: &str, count: u32) -> Value {
        let mut object = json!({"apiVersion": self.api_version, "kind": self.kind, "name": self.name});
        if let Some(fields) = object.as_object_mut() {
            for (key, value) in [("namespace", &self.namespace), ("uid", &self.uid)] {
                if !value.is_empty() {
                    fields.insert(key.to_owned(), json!(value));
                }
            }
        }
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"namespace": self.event_namespace(), "name": self.event_name(instance)},
            "involvedObject": object,
            "type": "Warning",
            "reason": REASON,
            "message": self.message,
            "action": "Admission",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": count,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": instance,
        })
    }
}

/// The warnings in one line, without anything that a terminal could take for a command, and cut where the API server would refuse it.
fn message(warnings: &[String]) -> String {
    let mut message = shown(&warnings.join("; "), usize::MAX);
    if message.len() > MESSAGE_MAX_BYTES {
        let end = message.floor_char_boundary(MESSAGE_MAX_BYTES - CUT.len());
        message.truncate(end);
        message.push_str(CUT);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Kind, Operation};
    use crate::review;

    fn reviewed(request: &Value) -> Review {
        let mut request = request.clone();
        request["uid"] = json!("r");
        let body = json!({"kind": "AdmissionReview", "apiVersion": review::API_VERSION, "request": request}).to_string();
        review::read(body.as_bytes()).unwrap()
    }

    fn warned(warnings: &[&str]) -> Answer {
        let warnings = warnings.iter().map(|&warning| warning.to_owned()).collect();
        Answer { warnings, ..Answer::plain(Kind::Pod, Operation::Create, Outcome::Allowed) }
    }

    fn request() -> Value {
        json!({"operation": "CREATE", "namespace": "shop", "dryRun": false,
            "object": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "uid": "u-1"}}})
    }

    #[test]
    fn an_event_names_the_object_and_says_what_was_found() {
        let note = Note::of(&reviewed(&request()), &warned(&["one", "two\n"])).unwrap();
        let mut event = note.event("webhook-1", "2026-11-23T10:00:00Z", 2);
        let name = event["metadata"]["name"].take();
        assert_eq!(
            event,
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "shop", "name": null},
                "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": "u-1"},
                "type": "Warning", "reason": "PodsightFinding", "message": "one; two\\n", "action": "Admission",
                "firstTimestamp": "2026-11-23T10:00:00Z", "lastTimestamp": "2026-11-23T10:00:00Z", "count": 2,
                "source": {"component": "podsight-webhook"}, "reportingComponent": "podsight-webhook", "reportingInstance": "webhook-1"})
        );
        let name = name.as_str().unwrap();
        assert!(name.starts_with("web.") && name.len() == 20, "{name}");
        // The same again is the same Event, and of another replica another one.
        let again = Note::of(&reviewed(&request()), &warned(&["one", "two\n"])).unwrap();
        assert_eq!(again.event_name("webhook-1"), name);
        assert_ne!(again.event_name("webhook-2"), name);
        assert_ne!(Note::of(&reviewed(&request()), &warned(&["one"])).unwrap().event_name("webhook-1"), name);
    }

    #[test]
    fn without_a_uid_kind_and_name_have_to_do() {
        let mut request = request();
        request["object"]["metadata"]["uid"] = Value::Null;
        let note = Note::of(&reviewed(&request), &warned(&["one"])).unwrap();
        assert_eq!(
            note.event("i", "now", 1)["involvedObject"],
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web"})
        );
        assert_eq!(note.key(), "Deployment/shop/web");
    }

    #[test]
    fn what_comes_to_nothing_is_not_told() {
        let of = |request: &Value, answer: &Answer| Note::of(&reviewed(request), answer);
        let found = warned(&["one"]);
        assert!(of(&request(), &found).is_some());
        assert_eq!(of(&request(), &warned(&[])), None);
        assert_eq!(of(&request(), &Answer { outcome: Outcome::Denied("no".to_owned()), ..found.clone() }), None);
        // What is not known to be no dry run is taken for one.
        for is_dry in [json!(true), json!("false"), json!(0)] {
            let mut request = request();
            request["dryRun"] = is_dry;
            assert_eq!(of(&request, &found), None, "{request}");
        }
        for (pointer, value) in [
            ("/object/metadata/name", json!("")),
            ("/object/metadata/name", json!("n".repeat(254))),
            ("/object/kind", Value::Null),
            ("/object/metadata/uid", json!("u".repeat(254))),
            ("/namespace", json!("n".repeat(254))),
        ] {
            let mut request = request();
            *request.pointer_mut(pointer).unwrap() = value;
            assert_eq!(of(&request, &found), None, "{pointer}");
        }
        let mut absent = request();
        absent.as_object_mut().unwrap().remove("dryRun");
        assert!(of(&absent, &found).is_some(), "it is left out where it is false");
    }

    #[test]
    fn hostile_texts_stay_within_what_the_api_server_takes() {
        let mut request = request();
        request["object"]["metadata"]["name"] = json!("-A\u{1b}[31m..ä");
        let warnings = vec!["\u{1b}[31mé\u{202e}".repeat(200); 6];
        let note = Note::of(&reviewed(&request), &Answer { warnings, ..warned(&[]) }).unwrap();
        let event = note.event("i", "now", 1);
        let said = event["message"].as_str().unwrap();
        assert!(said.len() <= 1024 && said.len() > 1000 && said.ends_with('…') && !said.contains(char::is_control), "{said}");
        let name = event["metadata"]["name"].as_str().unwrap();
        assert!(name.starts_with("31m.") && name.len() == 20, "{name}");
    }
}
