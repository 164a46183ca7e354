//! One line an incident, when there are many.

use super::analysis::{Incident, Place};
use super::words::{place, process, say, time};
use podsight_cause::Lang;
use podsight_cgroup::Scope;
use std::fmt::Write as _;

/// Fewer incidents need no time line.
pub(super) const MANY: usize = 6;
/// A longer time line is cut in the middle.
const MAX_LINES: usize = 40;

/// The time line, with incidents in a row at the same place on one line.
pub(super) fn timeline(incidents: &[Incident<'_>], lang: Lang) -> String {
    let mut text = String::new();
    let mut rows: Vec<(String, String, usize, Vec<String>)> = Vec::new();
    for incident in incidents {
        let Some(first) = incident.kills.first() else { continue };
        let at = Place::of(first);
        let whereabouts = format!("{}{}", place(first.victim_cgroup.as_deref(), &at.victim, lang), limit(at.scope, lang));
        let name = process(first.comm.as_deref(), first.pid, lang);
        match rows.last_mut().filter(|row| row.1 == whereabouts) {
            Some(row) => {
                row.2 += incident.kills.len();
                row.3.push(name);
            }
            None => rows.push((time(first, lang), whereabouts, incident.kills.len(), vec![name])),
        }
    }
    let cut = rows.len().saturating_sub(MAX_LINES);
    for (number, (time, whereabouts, kills, names)) in rows.iter().enumerate() {
        if cut > 0 && number == MAX_LINES / 2 {
            let line = match lang {
                Lang::En => format!("  … {cut} more lines"),
                Lang::Zh => format!("  …… 另有 {cut} 行"),
            };
            writeln!(text, "{line}").unwrap_or_default();
        }
        if number >= MAX_LINES / 2 && number < MAX_LINES / 2 + cut {
            continue;
        }
        let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let more = if names.len() > 3 { ", …" } else { "" };
        writeln!(text, "  {time}  {kills:>3} ×  {shown}{more}  {whereabouts}").unwrap_or_default();
    }
    text
}

/// The limit in two words.
fn limit(scope: Option<Scope>, lang: Lang) -> &'static str {
    match scope {
        Some(Scope::Container) => say(lang, " (its own limit)", "（自身限额）"),
        Some(Scope::Pod) => say(lang, " (limit of the pod)", "（Pod 限额）"),
        Some(Scope::Qos) => say(lang, " (limit of the QoS class)", "（QoS 级别限额）"),
        Some(Scope::NodeAllocatable) => say(lang, " (allocatable memory of the node)", "（节点可分配内存）"),
        Some(Scope::Node) => say(lang, " (memory of the node)", "（节点内存）"),
        Some(Scope::Cgroup) => say(lang, " (limit of a cgroup)", "（某 cgroup 限额）"),
        None => "",
    }
}
