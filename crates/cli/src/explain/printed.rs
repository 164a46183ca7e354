//! What kubectl prints for people, read back as far as it goes: `describe`, and the tables of pods and events.
//!
//! A log line or message in such a text can look like any other line, so nothing here is trusted more than the text itself: what is read
//! becomes fields of objects, bounded in number and length, and never a command.

mod describe;
mod events;
mod pods;

pub(super) use events::objects;

use super::table::{ServerColumns, heads};
use podsight_explain::Event;
use serde_json::Value;

/// The most objects that are read from one text.
const MOST: usize = 20_000;

/// So many lines may stand before the first one that is known, such as the command itself.
const PREFACE: usize = 10;

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) pods: Vec<Value>,
    pub(super) others: Vec<Value>,
    pub(super) events: Vec<Event>,
    pub(super) columns: ServerColumns,
    pub(super) problems: Vec<String>,
}

/// Reads a text that kubectl has printed; nothing where it is none.
pub(super) fn read(text: &str) -> Option<Printed> {
    let start = text.lines().take(PREFACE).position(|line| form(line).is_some())?;
    let mut blocks: Vec<(Form, Vec<&str>)> = Vec::new();
    for line in text.lines().skip(start) {
        match (form(line), blocks.last_mut()) {
            // In a description anything may look like the head of a table.
            (Some(found), last) if last.as_ref().is_none_or(|(form, _)| *form != Form::Description) => blocks.push((found, vec![line])),
            (_, Some((_, lines))) => lines.push(line),
            (_, None) => {}
        }
    }
    let mut printed = Printed::default();
    for (form, lines) in blocks {
        match form {
            Form::Description => describe::read(&lines, &mut printed),
            Form::Pods => pods::read(&lines, &mut printed),
            Form::Events => events::read(&lines, &mut printed),
            Form::Table(of) => printed
                .problems
                .push(format!("a table of {of} as kubectl prints it says too little; give the same with -o json, and their pods")),
        }
    }
    let nothing = printed.pods.is_empty() && printed.others.is_empty() && printed.events.is_empty() && printed.problems.is_empty();
    (!nothing).then_some(printed)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Description,
    Pods,
    Events,
    Table(&'static str),
}

/// What a line begins.
fn form(line: &str) -> Option<Form> {
    if line.strip_prefix("Name:").is_some_and(|rest| rest.starts_with(' ') && !rest.trim().is_empty()) {
        return Some(Form::Description);
    }
    if !line.starts_with(|c: char| c.is_ascii_uppercase()) || line.contains(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    let heads = heads(line);
    let has = |names: &[&str]| names.iter().all(|name| heads.iter().any(|(head, _)| head == name));
    if has(&["NAME", "READY", "STATUS", "RESTARTS"]) {
        Some(Form::Pods)
    } else if has(&["TYPE", "REASON", "OBJECT", "MESSAGE"]) {
        Some(Form::Events)
    } else if has(&["NAME", "READY", "UP-TO-DATE"]) {
        Some(Form::Table("Deployments"))
    } else if has(&["NAME", "STATUS", "ROLES", "VERSION"]) {
        Some(Form::Table("Nodes"))
    } else if has(&["NAME", "DESIRED", "CURRENT", "READY"]) {
        Some(Form::Table("ReplicaSets or DaemonSets"))
    } else if has(&["NAME", "COMPLETIONS"]) {
        Some(Form::Table("Jobs"))
    } else if has(&["NAME", "READY", "AGE"]) {
        Some(Form::Table("StatefulSets"))
    } else if has(&["NAME", "STATUS", "VOLUME", "CAPACITY"]) {
        Some(Form::Table("PersistentVolumeClaims"))
    } else {
        None
    }
}

/// A cell of a row below these heads, counted in characters.
fn cell(heads: &[(String, usize)], line: &str, head: &str) -> Option<String> {
    let place = heads.iter().position(|(name, _)| name == head)?;
    let from = heads.get(place)?.1;
    let until = heads.get(place + 1).map_or(usize::MAX, |(_, next)| *next);
    Some(line.chars().skip(from).take(until.saturating_sub(from)).collect::<String>().trim().to_owned())
}

/// Sets a field of an object.
fn put(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value.into());
    }
}

/// What kubectl prints for nothing.
fn known(text: &str) -> &str {
    let text = text.trim();
    if matches!(text, "<none>" | "<unset>" | "<unknown>" | "<nil>") { "" } else { text }
}

#[cfg(test)]
mod tests;
