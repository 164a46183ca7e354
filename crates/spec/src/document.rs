//! Documents of a manifest file.

use crate::position::Places;
use crate::split::{self, Part};
use crate::{template, workloads};
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The deepest nesting that is read: more than any object of the API has, little enough for every stack.
const DEEPEST: usize = 100;

/// Up to this depth a value is built on the caller's stack.
const SHALLOW: usize = 40;

/// The stack for deeper ones, in bytes: a level takes up to 30 KiB in a build without optimisation.
const DEEP_STACK: usize = 16 << 20;

/// The most values of one document, anchors expanded: an object of 7 MiB has fewer.
const MOST_VALUES: usize = 2_000_000;

/// A place in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// One document (an object of the Kubernetes API, or something else).
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The value with YAML's types resolved as kubectl does.
    pub value: Value,
    text: Arc<str>,
    first_line: u32,
    start: usize,
    places: OnceLock<Places>,
}

impl Document {
    /// A document that comes from no file: it has no positions.
    pub fn from_value(value: Value) -> Self {
        Self { value, ..Self::default() }
    }

    /// Where the value at a JSON pointer stands in the file. A mapping or list is shown by its key; where the pointer leads nowhere, the nearest value
    /// around it is meant.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        let place = self.span(pointer)?;
        let (line, start) = self.places.get_or_init(|| Places::of(&self.text)).line(place.start);
        let column = self.text.get(start..place.start)?.chars().count();
        Some(Position {
            line: self.first_line.saturating_add(u32::try_from(line).ok()?),
            column: u32::try_from(column).ok()?.saturating_add(1),
        })
    }

    /// The same as a range of bytes in `text()`.
    pub fn span(&self, pointer: &str) -> Option<Range<usize>> {
        if self.text.is_empty() {
            return None;
        }
        self.places.get_or_init(|| Places::of(&self.text)).get(pointer)
    }

    /// The document's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where `text()` begins in the file, in bytes, without a byte order mark.
    pub fn start(&self) -> usize {
        self.start
    }

    /// The number of the first line of `text()` in the file, from 1.
    pub fn first_line(&self) -> u32 {
        self.first_line
    }
}

/// Why a part of a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, where it is known.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub message: String,
}

/// Reads a file of YAML or JSON documents. It gives what can be read and a problem for what cannot; it never fails or panics, and time and memory are bounded
/// whatever the file holds.
pub fn read(bytes: &[u8]) -> (Vec<Document>, Vec<Problem>) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
            let line = u32::try_from(before.matches('\n').count()).ok().map(|line| line.saturating_add(1));
            return (Vec::new(), vec![Problem { line, message: "this is no text in UTF-8: save it as UTF-8".to_owned() }]);
        }
    };
    if text.trim_start().starts_with(['{', '['])
        && let Some(documents) = read_json(text)
    {
        return (documents, Vec::new());
    }
    if let Some((line, message)) = template::ytt(text) {
        return (Vec::new(), vec![Problem { line: Some(line), message }]);
    }
    let mut documents = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for part in split::parts(text) {
        match read_part(part) {
            Ok((document, warning)) => {
                if let Some((line, message)) = template_in(&document) {
                    return (Vec::new(), vec![Problem { line: Some(line), message }]);
                }
                documents.push(document);
                problems.extend(warning);
            }
            Err(problem) => {
                // A template fails at its first expression, and then again in each document: one word about it is enough.
                if let Some((line, message)) = template::look(text) {
                    return (Vec::new(), vec![Problem { line: Some(line), message }]);
                }
                problems.push(problem);
            }
        }
    }
    (documents, problems)
}

/// One or more JSON values; `None` if it is no JSON.
fn read_json(text: &str) -> Option<Vec<Document>> {
    let mut documents = Vec::new();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut start = 0;
    while let Some(value) = values.next() {
        let value = value.ok()?;
        let end = values.byte_offset();
        let line = text.get(..start)?.matches('\n').count();
        documents.push(Document {
            value,
            text: text.get(start..end)?.into(),
            first_line: u32::try_from(line).ok()?.saturating_add(1),
            start,
            places: OnceLock::new(),
        });
        start = end;
    }
    Some(documents)
}

fn read_part(part: Part<'_>) -> Result<(Document, Option<Problem>), Problem> {
    let (value, warning) = match parse(part.text, DuplicateKeyPolicy::Error) {
        Ok(value) => (value, None),
        Err(error) if matches!(error.without_snippet(), serde_saphyr::Error::DuplicateMappingKey { .. }) => {
            // The API server takes the last one with a warning, kubectl refuses the file: say so and check it all the same.
            let value = parse(part.text, DuplicateKeyPolicy::LastWins).map_err(|error| problem(part, &error))?;
            (value, Some(problem(part, &error)))
        }
        Err(error) => return Err(problem(part, &error)),
    };
    Ok((Document { value, text: part.text.into(), first_line: part.line, start: part.start, places: OnceLock::new() }, warning))
}

fn options_for(duplicate_keys: DuplicateKeyPolicy) -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            max_events: 2 * MOST_VALUES,
            max_nodes: MOST_VALUES,
            max_aliases: 10_000,
            max_anchors: 10_000
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 200_000 },
        duplicate_keys: duplicate_keys,
        legacy_octal_numbers: true,
        with_snippet: false
    }
}

fn parse(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Value, serde_saphyr::Error> {
    let aliases = text.contains('&') && text.contains('*');
    if !aliases && depth_bound(text) <= SHALLOW {
        return serde_saphyr::from_str_with_options(text, options_for(duplicate_keys));
    }
    // Values are built by recursion: what may be deep gets a stack of its own size, so that no caller's stack matters.
    std::thread::scope(|scope| {
        let deep = std::thread::Builder::new().stack_size(DEEP_STACK);
        let unread =
            || serde_saphyr::Error::Message { msg: "it is nested too deeply".to_owned(), location: serde_saphyr::Location::UNKNOWN };
        // The options hold an `Rc` and are made again over there.
        let run = move || serde_saphyr::from_str_with_options(text, options_for(duplicate_keys));
        deep.spawn_scoped(scope, run).map_or_else(|_| Err(unread()), |thread| thread.join().unwrap_or_else(|_| Err(unread())))
    })
}

/// No document is nested deeper than this number: the widest indentation, the dashes that follow it, and all brackets of the text that are open at one time.
fn depth_bound(text: &str) -> usize {
    let (mut deepest, mut open) = (0, 0_usize);
    for line in text.lines() {
        let indent = line.bytes().take_while(|byte| matches!(byte, b' ' | b'-' | b'?' | b'\t')).count();
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(open);
        }
        deepest = deepest.max(indent + open);
    }
    deepest
}

fn problem(part: Part<'_>, error: &serde_saphyr::Error) -> Problem {
    let line = error.location().and_then(|location| u32::try_from(location.line()).ok()).filter(|line| *line > 0);
    let message = error.without_snippet().to_string();
    // The position stands in front of the text, counted from the document: the file's own line is what helps.
    let message = message
        .split_once(": ")
        .filter(|(front, _)| front.starts_with("error: line ") || front.starts_with("line "))
        .map_or(message.as_str(), |(_, rest)| rest);
    let message = message.lines().next().unwrap_or_default();
    // What the library's callers could set is nothing to who reads this.
    let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
    let message = match message {
        deep if deep.contains("Depth {") || deep.contains("recursion limit") => "it is nested deeper than 100 levels",
        large if large.contains("budget breached") || large.contains("alias replay limit") => {
            "it is too large, or its aliases expand to too much"
        }
        cyclic if cyclic.contains("recursive references") => "an alias refers to the value that it stands in",
        other => other,
    };
    let (message, at) = match message.rsplit_once(" at line ") {
        Some((message, at)) if line.is_none() => {
            (message, at.split(|c: char| !c.is_ascii_digit()).next().and_then(|line| line.parse().ok()))
        }
        Some((message, _)) => (message, line),
        None => (message, line),
    };
    Problem {
        line: at.map(|line: u32| part.line.saturating_add(line.saturating_sub(1))),
        message: format!("this is no valid YAML: {message}"),
    }
}

/// Whether a document that can be read is a Helm template all the same (all its expressions stand in quotes).
fn template_in(document: &Document) -> Option<(u32, String)> {
    let text = document.text();
    if !text.contains("{{") || !template::is_helm(text) {
        return None;
    }
    let has_expression = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(template::is_helm);
    let found = workloads(&document.value).iter().any(|workload| {
        has_expression(workload.object.pointer("/metadata/name"))
            || workload.containers().iter().any(|container| has_expression(container.value.get("image")))
    });
    let (line, message) = template::look(text).filter(|_| found)?;
    Some((document.first_line.saturating_add(line.saturating_sub(1)), message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_yaml_as_kubectl_does() {
        let (documents, problems) = read(b"mode: 0644\non: yes\nbig: 1_000\nx: &a {y: 1}\nz: {<<: *a, w: ~}\nt: 2001-01-01\n---\n- 1\n");
        assert_eq!(problems, []);
        assert_eq!(
            documents[0].value,
            json!({"mode": 420, "on": true, "big": 1000, "x": {"y": 1}, "z": {"y": 1, "w": null}, "t": "2001-01-01"})
        );
        assert_eq!(documents[1].value, json!([1]));
        assert_eq!(documents[1].position("/0"), Some(Position { line: 8, column: 3 }));
    }

    #[test]
    fn reads_json_and_several_in_one_file() {
        let (documents, problems) = read(b"{\n\t\"a\": [1, \"b\"]\n}\n{\"c\": 2}");
        assert!(problems.is_empty());
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0].position("/a/1"), Some(Position { line: 2, column: 11 }));
        assert_eq!(documents[1].position("/c"), Some(Position { line: 4, column: 7 }));
    }

    #[test]
    fn a_broken_document_does_not_take_the_others_with_it() {
        let (documents, problems) = read(b"a: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n");
        assert_eq!(
            documents.iter().map(|document| document.value.clone()).collect::<Vec<_>>(),
            [json!({"a": 1}), json!({"c": 3}), json!({"d": 2})]
        );
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].line >= Some(3), "{problems:?}");
        assert_eq!(problems[1].line, Some(8), "{problems:?}");
        assert_eq!(problems[1].message, "this is no valid YAML: duplicate mapping key: d");
    }

    #[test]
    fn a_template_is_one_problem() {
        let (documents, problems) = read(b"a: 1\n---\nkind: {{ .Values.kind }}\n---\n{{ x }}\n");
        assert!(documents.is_empty());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("Helm template"), "{problems:?}");
        assert_eq!(problems[0].line, Some(3));
        let (documents, problems) = read(b"kind: Pod\nspec: {containers: [{image: '{{ .Values.image }}'}]}\n");
        assert!(documents.is_empty() && problems.len() == 1);
        let (documents, problems) = read(b"kind: ConfigMap\ndata: {a: '{{ .Values.image }}'}\n");
        assert!(documents.len() == 1 && problems.is_empty());
    }

    #[test]
    fn hostile_files_are_bounded() {
        let bomb = (0..30).fold(String::from("a0: &a0 [x, x]\n"), |text, n| format!("{text}a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1));
        for file in [
            bomb.into_bytes(),
            "[".repeat(100_000).into_bytes(),
            "{\"a\":".repeat(100_000).into_bytes(),
            "a: &a [*a]".into(),
            vec![0xff, 0xfe],
            vec![0; 1000],
            "- ".repeat(50_000).into_bytes(),
            b"a: !!binary x\n? [b]\n: c\n".to_vec(),
        ] {
            let (documents, problems) = read(&file);
            assert!(documents.len() + problems.len() <= 1, "{problems:?}");
        }
    }
}
