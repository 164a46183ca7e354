//! What must hold whatever comes: one function a target.
//!
//! `cargo xtask fuzz` runs the targets for a minute each, with the captured logs for seeds; `cargo test` runs the same functions on the captured logs and on
//! pieces of them (`tests/offline/fuzz_targets.rs`).

pub mod explain;

use podsight_cause::Lang;
use podsight_cgroup::parse;
use podsight_evidence::checkpoint;
use podsight_kmsg::{Replay, escape, unescape};
use podsight_oom::{Event, Kill, Machine, read_log};
use podsight_report::{Item, Report, fix, github, json, junit, markdown, sarif, text};
use podsight_rules::{bundle_of, check_with};
use podsight_spec::{ImageRef, Quantity, read, workloads};
use podsight_webhook::Webhook;
use podsight_webhook::metrics::WebhookMetrics;
use prometheus_client::registry::Registry;

/// A record, its escapes, and a log in any form.
pub fn kmsg_record(data: &[u8]) {
    if let Some(record) = podsight_kmsg::kmsg_record(data) {
        assert!(record.text.len() <= data.len());
        assert_eq!(&*unescape(escape(&record.text).as_bytes()), &*record.text, "escapes come back");
    }
    let lines = data.split(|byte| *byte == b'\n').count();
    for everything in [true, false] {
        let mut replay = Replay::new(data);
        let mut records = 0;
        while let Some(record) = replay.next(everything) {
            records += 1;
            assert!(record.level.is_none_or(|level| level < 8));
        }
        assert!(records <= lines, "no line is given twice");
    }
}

/// A whole log: whatever is found is bounded and makes sense.
pub fn oom_machine(data: &[u8]) {
    let mut machine = Machine::default();
    let mut events = Vec::new();
    read_log(data, &mut machine, &mut events);
    let mut kills = 0;
    let mut incident = 1;
    for event in &events {
        match event {
            Event::Kill(kill) => {
                is_sound(kill);
                assert!(kill.pid.is_some());
                assert!(kill.incident >= incident, "incidents are numbered in order");
                incident = kill.incident;
                kills += u64::from(kill.kill_line && kill.group_cgroup.is_none());
            }
            Event::Incomplete(kill) => {
                is_sound(kill);
                assert!(kill.pid.is_none());
            }
            Event::NoKill(_) | Event::Suppressed(_) | Event::Rejected => {}
        }
    }
    assert!(kills <= machine.kill_lines(), "no kill without its line");
    assert!(!machine.wants_everything(), "nothing is open at the end");
}

fn is_sound(kill: &Kill) {
    for path in [&kill.limit_cgroup, &kill.victim_cgroup, &kill.group_cgroup].into_iter().flatten() {
        assert!(path.starts_with(b"/") && path.len() <= 4096);
    }
    assert!(kill.comm.as_ref().is_none_or(|comm| comm.len() <= 64));
    assert!(kill.report.as_ref().is_none_or(|report| report.tasks.len() <= 10));
    assert!(kill.global != Some(true) || kill.limit_cgroup.is_none() || !kill.kill_line, "the machine's memory is no cgroup's");
}

/// A path: what is told of it has the shape that it must have.
pub fn cgroup_path(data: &[u8]) {
    let said = parse(data);
    assert_eq!(said.pods.len(), said.pod_uids.len());
    assert!(said.pods.len() <= 16);
    for (pod, uid) in said.pods.iter().zip(&said.pod_uids) {
        assert_eq!(&pod.uid, uid);
        assert!(
            matches!(uid.len(), 32 | 36) && uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        );
        assert!(pod.container_id.as_ref().is_none_or(|id| id.len() == 64));
    }
    assert!(said.container_id.is_none_or(|id| id.len() == 64));
    assert_eq!(said.scope.is_none(), data.is_empty());
}

/// The file in which the agent keeps how far it has read: what is taken for one comes back the same.
pub fn checkpoint_file(data: &[u8]) {
    let Ok(taken) = checkpoint::read(data) else { return };
    assert!(data.len() <= checkpoint::MAX_BYTES);
    let written = checkpoint::write(&taken);
    assert_eq!(checkpoint::read(&written).ok().as_ref(), Some(&taken), "what is written can be read");
    assert!(taken.through.is_none_or(|id| id.boot == taken.boot), "a place in another boot's log");
}

/// A file of manifests: whatever it holds, it is read, judged, shown in every format and mended.
pub fn manifest(data: &[u8]) {
    let (documents, problems) = read(data);
    assert!(documents.len() + problems.len() <= data.len() + 1, "no document of nothing");
    let facts = bundle_of(&documents);
    let mut report = Report::default();
    for document in &documents {
        for workload in workloads(&document.value) {
            report.workloads += 1;
            for finding in check_with(&workload, &facts) {
                for lang in [Lang::En, Lang::Zh] {
                    let message = finding.message(lang);
                    assert!(!message.is_empty() && message.chars().count() <= 400 && !message.contains(char::is_control), "{message:?}");
                }
                report.items.push(Item::new("a", document, &workload, finding));
            }
        }
    }
    for render in [text::render, json::render, sarif::render, junit::render, github::render, markdown::render] {
        assert_eq!(render(&report, Lang::En), render(&report, Lang::En), "the same report gives the same bytes");
    }
    let Some(text) = std::str::from_utf8(data).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text)) else { return };
    let edits: Vec<_> = report.items.iter().filter_map(|item| item.edit.clone()).collect();
    if let Some(fixed) = fix::fixed(text, &edits) {
        assert!(fixed.edits > 0 && read(fixed.text.as_bytes()).1 == problems, "what could be read can be read still");
    }
}

/// A quantity: a sign and zeros in front mean nothing, whole units are never less than what was written, and it can be shown.
pub fn quantity(data: &[u8]) {
    let Some(text) = std::str::from_utf8(data).ok() else { return };
    let Ok(quantity) = Quantity::parse(text) else { return };
    if !text.starts_with(['+', '-']) {
        assert_eq!(Quantity::parse(&format!("+00{text}")).ok(), Some(quantity), "{text:?}");
        assert_eq!(Quantity::parse(&format!("-{text}")).ok().map(Quantity::is_negative), Some(!quantity.is_zero()), "{text:?}");
        assert!(quantity.value() >= 0 && quantity.milli_value() >= quantity.value(), "{text:?}");
    }
    assert!(!quantity.to_string().is_empty());
}

/// An image reference: what is one consists of its parts.
pub fn image_ref(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match ImageRef::parse(text) {
        Ok(image) => {
            let domain = image.domain.map(|domain| format!("{domain}/")).unwrap_or_default();
            let tag = image.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            let digest = image.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
            assert_eq!(format!("{domain}{}{tag}{digest}", image.path), text);
            assert!(!image.base_name().is_empty());
        }
        Err(error) => assert!(!format!("{error:?}").is_empty()),
    }
}

/// The body of a request to the webhook: it is refused with a reason, or answered with the request's own id and "allowed".
pub fn review(data: &[u8]) {
    let webhook = Webhook::new(podsight_webhook::check, WebhookMetrics::register(&mut Registry::default()));
    match webhook.review(data) {
        Ok(answer) => {
            let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
            assert_eq!(answer.pointer("/response/allowed"), Some(&serde_json::Value::Bool(true)), "nothing is denied by default");
            assert!(answer.pointer("/response/uid").is_some_and(serde_json::Value::is_string));
            let warnings = answer.pointer("/response/warnings").and_then(serde_json::Value::as_array);
            let warnings = warnings.into_iter().flatten().filter_map(serde_json::Value::as_str);
            assert!(warnings.clone().count() <= 6);
            for warning in warnings {
                assert!(warning.chars().count() <= 256 && !warning.contains(char::is_control), "{warning:?}");
            }
        }
        Err(reason) => assert!(!reason.is_empty()),
    }
}
