//! The same logs in every form that programs make of them.

use crate::kmsg_captured::{folder, kills, names};
use anyhow::Result;
use podsight_kmsg::{Record, kmsg_record};
use podsight_oom::{Event, Kill};
use serde_json::json;

/// What must be the same whatever the form. Some forms cannot show all bytes of a name, and those without a table of times no order finer than a second.
fn gist(kill: &Kill, name: bool) -> String {
    let path = |path: &Option<Vec<u8>>| path.as_deref().map(podsight_kmsg::escape);
    let comm = kill.comm.as_deref().map(podsight_kmsg::escape).filter(|_| name);
    format!(
        "{} {:?} {comm:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {} {:?}",
        kill.incident,
        kill.pid,
        kill.uid,
        (kill.total_vm_kb, kill.anon_rss_kb, kill.file_rss_kb, kill.shmem_rss_kb, kill.pgtables_kb),
        kill.oom_score_adj,
        kill.constraint,
        path(&kill.limit_cgroup),
        path(&kill.victim_cgroup),
        path(&kill.group_cgroup),
        kill.group_kill,
        kill.kill_line,
        kill.attribution,
    )
}

fn records(log: &[u8]) -> Vec<Record<'_>> {
    log.split(|byte| *byte == b'\n').filter_map(kmsg_record).collect()
}

/// Bytes as `dmesg` shows them: what is no printable UTF-8 is escaped, newlines are kept.
fn dmesg_text(text: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            if char.is_control() && char != '\n' { shown.extend([format!("\\x{:02x}", u32::from(char))]) } else { shown.push(char) }
        }
        shown.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    shown
}

/// A form with a frame in front of each record, and further lines of the record indented by its width.
fn framed(records: &[Record<'_>], frame: impl Fn(&Record<'_>) -> String) -> Vec<u8> {
    let mut log = Vec::new();
    for record in records {
        let frame = frame(record);
        let indent = " ".repeat(frame.len());
        log.extend_from_slice(frame.as_bytes());
        log.extend_from_slice(dmesg_text(&record.text).replace('\n', &format!("\n{indent}")).as_bytes());
        log.push(b'\n');
    }
    log
}

fn seconds(record: &Record<'_>) -> String {
    let usec = record.usec.unwrap_or_default();
    format!("{:5}.{:06}", usec / 1_000_000, usec % 1_000_000)
}

fn clock(record: &Record<'_>) -> String {
    let seconds = record.usec.unwrap_or_default() / 1_000_000;
    format!("{:02}:{:02}:{:02}", 10 + seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The number in front of a line of syslog(2).
fn prio(record: &Record<'_>) -> u16 {
    record.facility.unwrap_or_default() << 3 | u16::from(record.level.unwrap_or_default())
}

fn wrapped(log: &[u8], columns: usize) -> Vec<u8> {
    let mut wrapped = Vec::new();
    for line in log.split(|byte| *byte == b'\n') {
        for row in line.chunks(columns) {
            wrapped.extend_from_slice(row);
            wrapped.push(b'\n');
        }
    }
    wrapped
}

#[track_caller]
fn same(name: &str, form: &str, log: &[u8], expected: &[Kill], names: bool, rejected: Option<usize>) {
    let (found, others) = kills(log);
    let expected: Vec<_> = expected.iter().map(|kill| gist(kill, names)).collect();
    let found: Vec<_> = found.iter().map(|kill| gist(kill, names)).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{name} as {form}");
    }
    assert_eq!(found.len(), expected.len(), "{name} as {form}");
    if let Some(rejected) = rejected {
        assert_eq!(others.iter().filter(|event| **event == Event::Rejected).count(), rejected, "{name} as {form}");
    }
    assert!(!others.iter().any(|event| matches!(event, Event::Incomplete(_))), "{name} as {form}: {others:?}");
}

#[test]
fn forms_with_the_time_since_boot() -> Result<()> {
    for name in names()? {
        let log = std::fs::read(folder().join(format!("{name}.kmsg")))?;
        let (expected, _) = kills(&log);
        let all = records(&log);
        let own: Vec<_> = all.iter().filter(|record| !record.is_foreign()).cloned().collect();
        same(&name, "dmesg", &framed(&own, |record| format!("[{}] ", seconds(record))), &expected, true, Some(0));
        same(
            &name,
            "dmesg with callers",
            &framed(&own, |record| format!("[{}][{:>6}] ", seconds(record), "T17")),
            &expected,
            true,
            Some(0),
        );
        same(&name, "dmesg -d", &framed(&own, |record| format!("[{} <    0.000001>] ", seconds(record))), &expected, true, Some(0));
        let decoded = |record: &Record<'_>| {
            let facility = if record.is_foreign() { "user" } else { "kern" };
            format!(
                "{facility:6}:{:6}: [{}] ",
                ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"][usize::from(record.level.unwrap())],
                seconds(record)
            )
        };
        same(&name, "dmesg -x", &framed(&all, decoded), &expected, true, Some(2));
        let raw: Vec<u8> = all
            .iter()
            .flat_map(|record| {
                record
                    .text
                    .split(|byte| *byte == b'\n')
                    .map(|line| [format!("<{}>[{}] ", prio(record), seconds(record)).as_bytes(), line, b"\r\n"].concat())
                    .collect::<Vec<_>>()
            })
            .flatten()
            .collect();
        same(&name, "syslog(2), with CR", &raw, &expected, true, Some(2));
        same(
            &name,
            "a syslog file",
            &framed(&own, |record| format!("Nov 23 {} node-1 kernel: [{}] ", clock(record), seconds(record))),
            &expected,
            true,
            Some(0),
        );
        let tagged = |record: &Record<'_>| {
            format!("Nov 23 {} node-1 {}: [{}] ", clock(record), if record.is_foreign() { "unknown" } else { "kernel" }, seconds(record))
        };
        same(&name, "a syslog file with forgeries", &framed(&all, tagged), &expected, true, Some(2));
        same(
            &name,
            "journalctl -o short-monotonic",
            &framed(&own, |record| format!("[{}] node-1 kernel: ", seconds(record))),
            &expected,
            true,
            Some(0),
        );
        let colour = |record: &Record<'_>| format!("\u{1b}[32m[{}] \u{1b}[0m", seconds(record));
        let simple: Vec<_> = own.iter().filter(|record| !record.text.contains(&b'\n')).cloned().collect();
        same(
            &name,
            "dmesg --color=always",
            &framed(&simple, colour),
            &kills(&framed(&simple, |record| format!("[{}] ", seconds(record)))).0,
            true,
            Some(0),
        );
    }
    Ok(())
}

#[test]
fn forms_with_a_clock_only() -> Result<()> {
    for name in names()? {
        let log = std::fs::read(folder().join(format!("{name}.kmsg")))?;
        let (expected, _) = kills(&log);
        let own: Vec<_> = records(&log).into_iter().filter(|record| !record.is_foreign()).collect();
        for (form, frame) in [
            (
                "dmesg -T",
                Box::new(|record: &Record<'_>| format!("[Mon Nov 23 {} 2026] ", clock(record))) as Box<dyn Fn(&Record<'_>) -> String>,
            ),
            ("dmesg -T in German", Box::new(|record| format!("[Mo Nov 23 {} 2026] ", clock(record)))),
            ("dmesg --time-format iso", Box::new(|record| format!("2026-11-23T{},123456+00:00 ", clock(record)))),
            ("journalctl -k", Box::new(|record| format!("Nov 23 {} node-1 kernel: ", clock(record)))),
            ("journalctl -k in Chinese", Box::new(|record| format!("11月 23 {} node-1 kernel: ", clock(record)))),
            ("journalctl -o short-iso", Box::new(|record| format!("2026-11-23T{}+0100 node-1 kernel: ", clock(record)))),
            ("journalctl -o short-full", Box::new(|record| format!("Mon 2026-11-23 {} UTC node-1 kernel: ", clock(record)))),
            ("journalctl -o short-unix", Box::new(|record| format!("17953{:05}.123456 node-1 kernel: ", record.usec.unwrap() / 1_000_000))),
            (
                "the log of a container",
                Box::new(|record| format!("2026-11-23T{}.123456789Z stdout F <{}>[{}] ", clock(record), prio(record), seconds(record))),
            ),
        ] {
            same(&name, form, &framed(&own, frame), &expected, true, Some(0));
        }
    }
    Ok(())
}

#[test]
fn json() -> Result<()> {
    for name in names()? {
        let log = std::fs::read(folder().join(format!("{name}.kmsg")))?;
        let (expected, _) = kills(&log);
        let mut lines = Vec::new();
        for record in records(&log) {
            let message = match std::str::from_utf8(&record.text) {
                Ok(text) => json!(text),
                Err(_) => json!(record.text.to_vec()),
            };
            let entry = json!({"__REALTIME_TIMESTAMP": "1795300000000000", "_TRANSPORT": "kernel", "SYSLOG_FACILITY": record.facility.unwrap().to_string(), "PRIORITY": record.level.unwrap().to_string(), "MESSAGE": message, "_SOURCE_MONOTONIC_TIMESTAMP": record.usec.unwrap().to_string()});
            lines.push(entry.to_string());
        }
        same(&name, "journalctl -o json", lines.join("\n").as_bytes(), &expected, true, Some(2));
        let pretty: Vec<_> = lines
            .iter()
            .map(|line| serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(line).unwrap()).unwrap())
            .collect();
        same(&name, "journalctl -o json-pretty", pretty.join("\n").as_bytes(), &expected, true, None);
    }
    Ok(())
}

#[test]
fn wrapped_lines() -> Result<()> {
    for name in names()? {
        let log = std::fs::read(folder().join(format!("{name}.kmsg")))?;
        // A name with a newline in it and a wrapped line cannot be told apart.
        let own: Vec<_> = records(&log).into_iter().filter(|record| !record.is_foreign() && !record.text.contains(&b'\n')).collect();
        let dmesg = framed(&own, |record| format!("[{}] ", seconds(record)));
        let (expected, _) = kills(&dmesg);
        for columns in [72, 80, 100, 132] {
            same(&name, &format!("dmesg in {columns} columns"), &wrapped(&dmesg, columns), &expected, true, Some(0));
        }
    }
    Ok(())
}

#[test]
fn bare_text() -> Result<()> {
    for name in names()? {
        let log = std::fs::read(folder().join(format!("{name}.kmsg")))?;
        let (expected, _) = kills(&log);
        let own: Vec<_> = records(&log).into_iter().filter(|record| !record.is_foreign()).collect();
        same(&name, "text without frames", &framed(&own, |_| String::new()), &expected, true, Some(0));
    }
    Ok(())
}
