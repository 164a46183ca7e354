//! Pods and events out of whatever files people have: one object, lists, several documents, dumps of a cluster, broken ones too.

use super::mend::mend;
use super::table::ServerColumns;
use super::{piece, printed};
use podsight_explain::Event;
use serde_json::Value;
use serde_json::value::RawValue;
use std::ops::Range;

/// What was found. Pods of JSON stay text until they are looked at, so that ten thousand of them fit into little memory.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    files: Vec<Vec<u8>>,
    /// In the order of the input.
    pub(crate) pods: Vec<Found>,
    /// In the order of the input.
    pub(crate) events: Vec<Event>,
    /// Objects that are neither.
    pub(crate) others: Vec<Found>,
    /// What could not be read, and where.
    pub(crate) problems: Vec<String>,
    /// The columns of tables that kubectl printed.
    pub(super) columns: ServerColumns,
}

/// An object.
#[derive(Debug)]
pub(crate) enum Found {
    /// A piece of a file.
    Text(usize, Range<usize>),
    /// An object that was read already.
    Value(Box<Value>),
}

/// What a file is expected to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Anything,
    /// Events, whatever the objects call themselves.
    Events,
}

/// The part of an object that says what it is. The values may be of any type.
#[derive(serde::Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    items: Option<&'a RawValue>,
}

impl Bundle {
    /// Reads one more file.
    pub(crate) fn read(&mut self, name: &str, bytes: Vec<u8>, expect: Expect) {
        let mut bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
        // A line break at the end of a file that was cut off inside a text is none of the text's.
        bytes.truncate(bytes.trim_ascii_end().len());
        let file = self.files.len();
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        let before = (self.pods.len(), self.events.len(), self.others.len());
        if matches!(first, Some(b'{' | b'[')) {
            if let Err(problem) = self.json(file, &bytes, expect) {
                let nothing = before == (self.pods.len(), self.events.len(), self.others.len());
                if nothing {
                    // Flow style of YAML begins with a brace too.
                    self.yaml(name, &bytes, expect, Some(problem));
                } else {
                    self.problems.push(format!("{name}: {problem}"));
                }
            }
        } else if first.is_none() {
            self.problems.push(format!("{name}: the file is empty"));
        } else if !self.printed(name, &bytes, expect) {
            self.yaml(name, &bytes, expect, None);
        }
        self.files.push(bytes);
    }

    /// Takes the objects that the events name, where nothing else is there to be explained.
    pub(crate) fn take_objects_of_events(&mut self) {
        if self.pods.is_empty() && self.others.is_empty() {
            let (pods, others) = printed::objects(&self.events);
            self.pods.extend(pods.into_iter().map(|pod| Found::Value(Box::new(pod))));
            self.others.extend(others.into_iter().map(|other| Found::Value(Box::new(other))));
        }
    }

    /// Reads what kubectl printed for people; says whether it was that.
    fn printed(&mut self, name: &str, bytes: &[u8], expect: Expect) -> bool {
        let Some(printed) = printed::read(&String::from_utf8_lossy(bytes)) else { return false };
        self.events.extend(printed.events);
        self.problems.extend(printed.problems.into_iter().map(|problem| format!("{name}: {problem}")));
        if expect == Expect::Anything {
            self.pods.extend(printed.pods.into_iter().map(|pod| Found::Value(Box::new(pod))));
            self.others.extend(printed.others.into_iter().map(|other| Found::Value(Box::new(other))));
            self.columns.extend(printed.columns);
        }
        true
    }

    /// The object as a value. Pieces of JSON were found to be well-formed when they were cut out.
    pub(crate) fn value(&self, found: &Found) -> Value {
        match found {
            Found::Value(value) => (**value).clone(),
            Found::Text(file, range) => {
                let text = self.files.get(*file).and_then(|bytes| bytes.get(range.clone())).unwrap_or_default();
                serde_json::from_slice(text).unwrap_or_default()
            }
        }
    }

    fn json(&mut self, file: usize, bytes: &[u8], expect: Expect) -> Result<(), String> {
        let mut start = 0;
        loop {
            let Some(rest) = bytes.get(start..) else { return Ok(()) };
            let mut documents = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
            let mut done = 0;
            let failed = loop {
                match documents.next() {
                    None => return Ok(()),
                    Some(Ok(document)) => {
                        self.raw(file, bytes, document.get(), "", expect);
                        done = documents.byte_offset();
                    }
                    Some(Err(error)) => break error,
                }
            };
            start += done;
            // `kubectl cluster-info dump` writes the logs of the containers between the objects.
            let rest = bytes.get(start..).unwrap_or_default();
            let text = String::from_utf8_lossy(rest);
            if let Some(end) = text.trim_start().starts_with("====").then(|| text.find("==== END logs")).flatten() {
                let line_end = text.get(end..).and_then(|text| text.find('\n')).map_or(text.len(), |length| end + length);
                // The text may be longer than the bytes where they are no UTF-8; then the rest is lost.
                start = (start + line_end).min(bytes.len());
                continue;
            }
            if failed.is_eof()
                && let Some(value) = mend(rest)
            {
                self.object(value, "", expect, String::new());
                return Err(format!("the file ends in the middle of an object (line {}); what is there was read", failed.line()));
            }
            return Err(format!("not JSON: {failed}"));
        }
    }

    /// Sorts one piece of JSON.
    fn raw(&mut self, file: usize, bytes: &[u8], text: &str, inherited: &str, expect: Expect) {
        let Ok(head) = serde_json::from_str::<Head<'_>>(text) else {
            // A list without a head, or a bare value.
            if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
                if let Some(pod) = pieces(&items).filter(|_| expect == Expect::Anything) {
                    self.pods.push(Found::Value(Box::new(pod)));
                    return;
                }
                for item in items {
                    self.raw(file, bytes, item.get(), inherited, expect);
                }
            } else if let Ok(value) = serde_json::from_str(text) {
                self.object(value, inherited, expect, String::new());
            }
            return;
        };
        let kind = head.kind.and_then(|kind| serde_json::from_str::<String>(kind.get()).ok()).unwrap_or_default();
        let items = head.items.and_then(|items| serde_json::from_str::<Vec<&RawValue>>(items.get()).ok());
        if let Some(items) = items.filter(|_| kind.is_empty() || kind.ends_with("List")) {
            let of = kind.strip_suffix("List").unwrap_or_default();
            for (place, item) in items.into_iter().enumerate() {
                self.item(file, bytes, item.get(), of, expect, place);
            }
            return;
        }
        let kind = if kind.is_empty() { inherited } else { &kind };
        if expect == Expect::Anything && kind == "Pod" {
            self.pods.push(cut(file, bytes, text));
        } else if let Ok(value) = serde_json::from_str(text) {
            self.object(value, kind, expect, String::new());
        }
    }

    fn item(&mut self, file: usize, bytes: &[u8], text: &str, of: &str, expect: Expect, place: usize) {
        let head = serde_json::from_str::<Head<'_>>(text).ok();
        let own =
            head.as_ref().and_then(|head| head.kind).and_then(|kind| serde_json::from_str::<String>(kind.get()).ok()).unwrap_or_default();
        let kind = if own.is_empty() { of } else { &own };
        if expect == Expect::Anything && kind == "Pod" {
            self.pods.push(cut(file, bytes, text));
        } else if head.is_some_and(|head| head.items.is_some()) {
            self.raw(file, bytes, text, of, expect);
        } else if let Ok(value) = serde_json::from_str(text) {
            self.object(value, kind, expect, format!("/items/{place}"));
        }
    }

    /// Sorts one object that was read already.
    fn object(&mut self, value: Value, inherited: &str, expect: Expect, pointer: String) {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let own = text("kind");
        let kind = if own.is_empty() { inherited } else { own }.to_owned();
        if kind.is_empty() || kind.ends_with("List") {
            if let Some(items) = value.get("items").and_then(Value::as_array) {
                let of = kind.strip_suffix("List").unwrap_or_default();
                for (place, item) in items.iter().enumerate() {
                    self.object(item.clone(), of, expect, format!("/items/{place}"));
                }
                return;
            }
            if let Value::Array(items) = value {
                if let Some(pod) = piece::containers(&items).filter(|_| expect == Expect::Anything) {
                    self.pods.push(Found::Value(Box::new(pod)));
                    return;
                }
                for (place, item) in items.into_iter().enumerate() {
                    self.object(item, "", expect, format!("/{place}"));
                }
                return;
            }
        }
        let like_an_event =
            !text("reason").is_empty() && ["message", "note"].iter().any(|key| !text(key).is_empty()) && value.get("spec").is_none();
        let like_an_event = like_an_event && !piece::is_piece(&value);
        if expect == Expect::Events || kind == "Event" || (kind.is_empty() && like_an_event) {
            self.events.push(Event::from_value(&value, pointer));
        } else if kind == "Pod" {
            self.pods.push(Found::Value(Box::new(value)));
        } else if kind.is_empty() && value.is_object() {
            self.pods.push(Found::Value(Box::new(piece::whole(value))));
        } else if value.is_object() {
            self.others.push(Found::Value(Box::new(value)));
        } else {
            self.problems.push("a document that is no object was left out".to_owned());
        }
    }

    fn yaml(&mut self, name: &str, bytes: &[u8], expect: Expect, json_problem: Option<String>) {
        let (mut documents, mut problems) = podsight_spec::read(bytes);
        // A file that was cut off in the middle of a line or value reads well without its end.
        let mut rest = bytes;
        for _ in 0..5 {
            if !documents.is_empty() {
                break;
            }
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { break };
            rest = rest.get(..end).unwrap_or_default();
            documents = podsight_spec::read(rest).0;
        }
        let read = documents.iter().any(|document| document.value.is_object() || document.value.is_array());
        for document in documents.drain(..).filter(|document| document.value.is_object() || document.value.is_array()) {
            self.object(document.value, "", expect, String::new());
        }
        if let Some(problem) = json_problem {
            if !read {
                self.problems.push(format!("{name}: {problem}"));
            }
            return;
        }
        if !read && problems.is_empty() {
            self.problems.push(format!("{name}: no object of Kubernetes in it"));
        }
        for problem in problems.drain(..) {
            let line = problem.line.map_or_else(String::new, |line| format!(" line {line}:"));
            self.problems.push(format!("{name}:{line} {}", problem.message));
        }
    }
}

/// The pod that a list of statuses of containers belongs to. A list of whole objects is not even read.
fn pieces(items: &[&RawValue]) -> Option<Value> {
    const MOST_BYTES: usize = 1 << 20;
    let small = items.iter().map(|item| item.get().len()).sum::<usize>() <= MOST_BYTES;
    let values = items.iter().filter(|_| small).map(|item| serde_json::from_str(item.get())).collect::<Result<Vec<Value>, _>>();
    piece::containers(&values.ok()?)
}

/// Remembers a piece of a file by its place.
fn cut(file: usize, bytes: &[u8], text: &str) -> Found {
    let start = (text.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
    Found::Text(file, start..start + text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Bundle {
        let mut bundle = Bundle::default();
        bundle.read("f", text.as_bytes().to_vec(), Expect::Anything);
        bundle
    }

    fn names(bundle: &Bundle) -> Vec<String> {
        bundle.pods.iter().map(|pod| bundle.value(pod)["metadata"]["name"].as_str().unwrap_or("?").to_owned()).collect()
    }

    #[test]
    fn sorts_what_a_cluster_dump_holds() {
        let bundle = read(
            r#"{"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "a"}}, {"kind": "Event", "reason": "R", "message": "m"}, {"kind": "Node"}]}
               {"kind": "PodList", "items": [{"metadata": {"name": "b"}}]}
               ==== START logs for container c of pod d/e ====
               { this is no JSON
               ==== END logs for container c of pod d/e ====
               {"kind": "EventList", "items": [{"reason": "S", "message": "n"}]}"#,
        );
        assert_eq!(names(&bundle), ["a", "b"]);
        assert_eq!(bundle.events.iter().map(|event| event.reason.as_str()).collect::<Vec<_>>(), ["R", "S"]);
        assert_eq!(bundle.others.len(), 1);
        assert_eq!(bundle.problems, Vec::<String>::new());
    }

    #[test]
    fn reads_what_a_truncated_file_still_holds() {
        let bundle = read("{\"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}, \"status\": {\"phase\": \"Fail\n");
        assert_eq!(names(&bundle), ["a"]);
        assert_eq!(bundle.problems.len(), 1);
        let bundle = read("kind: Pod\nmetadata:\n  name: a\nstatus:\n  message: \"never clo");
        assert_eq!(names(&bundle), ["a"]);
        assert_eq!(bundle.problems.len(), 1);
    }

    #[test]
    fn reads_yaml_documents_and_fragments() {
        let bundle = read("metadata: {name: a}\nstatus: {phase: Failed}\n---\nkind: Pod\nmetadata:\n  name: b\n");
        assert_eq!(names(&bundle), ["a", "b"]);
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        for text in ["", "just words", "[1, 2]", "null", "{\"kind\": 5, \"items\": 7", "\u{0}\u{1}"] {
            let bundle = read(text);
            assert!(!bundle.problems.is_empty() || !bundle.pods.is_empty(), "{text:?}");
        }
    }
}
