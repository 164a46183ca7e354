//! The questions to kubectl, several at a time, and their answers.

use super::Needs;
use crate::explain::cluster::Cluster as Kubectl;
use anyhow::Context as _;
use podsight_cluster::{Cluster, Kept, Keys, Kind, Object};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;

/// Questions at a time: more would wait in the API server's queue.
const AT_ONCE: usize = 6;
/// Names in one question.
const NAMES_AT_ONCE: usize = 50;

/// Prints a name and the keys of each object on a line of its own, with tabs between. Values are never printed.
const KEYS: &str = r#"{{define "o"}}{{.metadata.name}}{{range $k, $v := .data}}{{"\t"}}{{$k}}{{end}}{{range $k, $v := .binaryData}}{{"\t"}}{{$k}}{{end}}{{"\n"}}{{end}}{{if eq .kind "List"}}{{range .items}}{{template "o" .}}{{end}}{{else}}{{template "o" .}}{{end}}"#;

/// One question.
#[derive(Clone, Debug)]
struct Question {
    kind: Kind,
    /// The namespace; empty for the whole cluster.
    namespace: String,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// All names.
    Names,
    /// All objects.
    Objects,
    /// These objects, whether they are there or not.
    These(Vec<String>),
    /// The keys of these objects, which are there.
    Keys(Vec<String>),
}

/// Asks what the manifests need. An error is a cluster that does not answer at all; what may not be read is a note.
pub(super) fn ask(kubectl: &Kubectl, needs: &Needs) -> anyhow::Result<(Cluster, Vec<String>)> {
    let version = kubectl.json(&["version".to_owned()]).context("the cluster cannot be asked")?;
    let namespace = match &kubectl.namespace {
        Some(namespace) => namespace.clone(),
        None => context_namespace(kubectl),
    };
    let cluster = Cluster::new(&namespace);
    if let Some(minor) = version.pointer("/serverVersion/minor").and_then(Value::as_str) {
        let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
        cluster.set_server_minor(digits.parse().unwrap_or(0));
    }
    let mut notes = Vec::new();
    answer(kubectl, &cluster, &questions(needs, &namespace), &mut notes);
    answer(kubectl, &cluster, &key_questions(needs, &namespace, &cluster), &mut notes);
    Ok((cluster, notes))
}

fn context_namespace(kubectl: &Kubectl) -> String {
    let words = ["config", "view", "--minify", "-o", "jsonpath={..namespace}"].map(str::to_owned);
    let said = kubectl.run(&words).ok().and_then(|said| String::from_utf8(said).ok()).unwrap_or_default();
    let first = said.split_whitespace().next().unwrap_or("default");
    if is_name(first) { first.to_owned() } else { "default".to_owned() }
}

fn questions(needs: &Needs, default: &str) -> Vec<Question> {
    let of = |namespace: &Option<String>| namespace.clone().unwrap_or_else(|| default.to_owned());
    let namespaces = needs.namespaces_or(default);
    if namespaces.is_empty() {
        return Vec::new();
    }
    let question = |kind, namespace: &str, what| Question { kind, namespace: namespace.to_owned(), what };
    let mut questions = vec![question(Kind::Node, "", What::Objects)];
    let all: Vec<String> = namespaces.iter().cloned().collect();
    questions.extend(all.chunks(NAMES_AT_ONCE).map(|names| question(Kind::Namespace, "", What::These(names.to_vec()))));
    for namespace in &namespaces {
        questions.extend([Kind::LimitRange, Kind::ResourceQuota].map(|kind| question(kind, namespace, What::Objects)));
    }
    let kinds: BTreeSet<(Kind, String)> =
        needs.kinds.iter().map(|(kind, namespace)| (*kind, if kind.is_cluster_wide() { String::new() } else { of(namespace) })).collect();
    for (kind, namespace) in kinds {
        if namespace.is_empty() || is_name(&namespace) {
            let whole = matches!(kind, Kind::PersistentVolumeClaim | Kind::StorageClass | Kind::PersistentVolume);
            questions.push(question(kind, &namespace, if whole { What::Objects } else { What::Names }));
        }
    }
    questions
}

/// Of the objects whose keys are asked for, those that are there.
fn key_questions(needs: &Needs, default: &str, cluster: &Cluster) -> Vec<Question> {
    let mut wanted: BTreeMap<(Kind, String), Vec<String>> = BTreeMap::new();
    for (kind, namespace, name) in &needs.keys {
        let namespace = namespace.clone().unwrap_or_else(|| default.to_owned());
        if is_name(name) && cluster.has(*kind, &namespace, name) {
            wanted.entry((*kind, namespace)).or_default().push(name.clone());
        }
    }
    let mut questions = Vec::new();
    for ((kind, namespace), names) in wanted {
        questions.extend(names.chunks(NAMES_AT_ONCE).map(|names| Question {
            kind,
            namespace: namespace.clone(),
            what: What::Keys(names.to_vec()),
        }));
    }
    questions
}

fn answer(kubectl: &Kubectl, cluster: &Cluster, questions: &[Question], notes: &mut Vec<String>) {
    for some in questions.chunks(AT_ONCE) {
        let answers: Vec<anyhow::Result<Vec<u8>>> = thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|question| scope.spawn(|| kubectl.run(&words(question)))).collect();
            running.into_iter().map(|one| one.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread ended early")))).collect()
        });
        for (question, answer) in some.iter().zip(answers) {
            if let Err(note) = answer.and_then(|bytes| take(cluster, question, &bytes)) {
                notes.push(unanswered(question, &note));
            }
        }
    }
}

fn words(question: &Question) -> Vec<String> {
    let kind = question.kind;
    let resource = if kind.group().is_empty() { kind.plural().to_owned() } else { format!("{}.{}", kind.plural(), kind.group()) };
    let mut words = vec!["get".to_owned(), resource];
    let end: &[&str] = match &question.what {
        What::Names => &["--no-headers"],
        What::Objects => &["-o", "json"],
        What::These(names) => {
            words.extend(names.iter().cloned());
            &["-o", "json", "--ignore-not-found"]
        }
        What::Keys(names) => {
            words.extend(names.iter().cloned());
            &["--ignore-not-found", "-o"]
        }
    };
    words.extend(end.iter().map(|word| (*word).to_owned()));
    if matches!(question.what, What::Keys(_)) {
        words.push(format!("go-template={KEYS}"));
    }
    if !question.namespace.is_empty() {
        words.extend(["-n".to_owned(), question.namespace.clone()]);
    }
    words
}

fn take(cluster: &Cluster, question: &Question, bytes: &[u8]) -> anyhow::Result<()> {
    let (kind, namespace) = (question.kind, question.namespace.as_str());
    match &question.what {
        What::Names => {
            let text = String::from_utf8_lossy(bytes);
            let names = text.lines().filter_map(|line| line.split_whitespace().next());
            cluster.fill(kind, namespace, names.map(|name| Object::named(namespace, name)));
        }
        What::Objects => {
            let list: Value = serde_json::from_slice(bytes).context("kubectl printed no JSON")?;
            let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
            cluster.fill(kind, namespace, items.filter_map(|item| Object::of(kind, item)));
        }
        // Of one object kubectl prints no list, and of none nothing.
        What::These(_) if bytes.is_empty() => {}
        What::These(_) => {
            let value: Value = serde_json::from_slice(bytes).context("kubectl printed no JSON")?;
            let items = value.get("items").and_then(Value::as_array).map_or_else(|| std::slice::from_ref(&value), Vec::as_slice);
            for object in items.iter().filter_map(|item| Object::of(kind, item)) {
                cluster.insert(kind, object);
            }
        }
        What::Keys(_) => {
            for line in String::from_utf8_lossy(bytes).lines() {
                let mut parts = line.split('\t');
                let Some(name) = parts.next().filter(|name| !name.is_empty()) else { continue };
                if let Some(keys) = Keys::of(parts) {
                    let object = Object { namespace: namespace.into(), name: name.into(), kept: Kept::Keys(keys) };
                    cluster.insert(kind, object);
                }
            }
        }
    }
    Ok(())
}

fn unanswered(question: &Question, error: &anyhow::Error) -> String {
    let place = if question.namespace.is_empty() { String::new() } else { format!(" in namespace {}", question.namespace) };
    let what = if matches!(question.what, What::Keys(_)) { "the keys of some " } else { "" };
    format!("note: {what}{}{place} are not known ({}): nothing is said about them", question.kind.plural(), reason(error))
}

/// Why kubectl gave no answer.
pub(super) fn reason(error: &anyhow::Error) -> String {
    let said = format!("{error:#}");
    if said.contains("(Forbidden)") { "you may not list them".to_owned() } else { said.lines().next().unwrap_or_default().to_owned() }
}

/// Whether the text can be a name of an object: nothing else is given to kubectl.
pub(super) fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    text.len() <= 253 && text.bytes().all(inner) && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_become_words_of_a_command() {
        for (text, want) in
            [("app-config", true), ("kube-root-ca.crt", true), ("--raw=/x", false), ("", false), ("a b", false), ("A", false)]
        {
            assert_eq!(is_name(text), want, "{text}");
        }
    }

    #[test]
    fn answers_are_taken_as_kubectl_prints_them() {
        let cluster = Cluster::new("default");
        let question = |kind, what| Question { kind, namespace: "default".to_owned(), what };
        take(&cluster, &question(Kind::Secret, What::Names), b"db      Opaque   2   3d\ntoken   Opaque   1   3d\n").unwrap();
        assert!(cluster.has(Kind::Secret, "default", "db") && !cluster.has(Kind::Secret, "default", "Opaque"));
        take(&cluster, &question(Kind::Secret, What::Keys(vec!["db".to_owned()])), b"db\tpassword\tuser\n").unwrap();
        let asked = |key| podsight_rules::Facts::key(&cluster, RefKind::Secret, None, "db", key);
        assert_eq!(asked("password"), podsight_rules::Presence::Present);
        assert_ne!(asked("passwort"), podsight_rules::Presence::Present);
        take(&cluster, &question(Kind::LimitRange, What::Objects), br#"{"items": [{"metadata": {"name": "l", "namespace": "default"}}]}"#)
            .unwrap();
        assert_eq!(cluster.len(Kind::LimitRange), 1);
        take(&cluster, &Question { namespace: String::new(), ..question(Kind::Namespace, What::These(Vec::new())) }, b"").unwrap();
        assert!(take(&cluster, &question(Kind::Node, What::Objects), b"no").is_err());
    }

    use podsight_rules::RefKind;
}
