//! Entries that are more than one line, or one line of JSON.

use crate::frame::frame;
use crate::record::Record;
use serde_json::Value;
use std::borrow::Cow;

/// An entry of the journal's export format or of pretty-printed JSON is looked for in so many bytes around a line.
const REACH_BYTES: usize = 16 * 1024;

/// A line that is a JSON object: `journalctl -o json`, a container's log, or what a log shipper makes of it.
pub(crate) fn json_line(line: &[u8]) -> Option<Record<'static>> {
    object_record(&serde_json::from_slice(line).ok()?, 0)
}

/// The object around the line at `at` in pretty-printed JSON (`dmesg -J`, `journalctl -o json-pretty`), and where it ends.
pub(crate) fn pretty_object(buffer: &[u8], at: usize) -> Option<(Record<'static>, usize)> {
    let before = buffer.get(at.saturating_sub(REACH_BYTES)..at)?;
    let open = memchr::memrchr(b'{', before)?;
    let start = at - before.len() + open;
    let after = buffer.get(start..buffer.len().min(at + REACH_BYTES))?;
    let mut objects = serde_json::Deserializer::from_slice(after).into_iter::<Value>();
    let object = objects.next()?.ok()?;
    let end = start + objects.byte_offset();
    (end > at).then_some(())?;
    Some((object_record(&object, 0)?, end))
}

fn object_record(object: &Value, depth: usize) -> Option<Record<'static>> {
    let fields = object.as_object()?;
    let mut record = Record::default();
    let mut transport_is_kernel = None;
    let mut program_is_kernel = None;
    let mut text = None;
    for (key, value) in fields {
        match key.as_str() {
            "MESSAGE" => text = bytes_of(value).map(|bytes| (bytes, false)),
            "message" | "msg" | "log" | "line" | "textPayload" if text.is_none() => text = bytes_of(value).map(|bytes| (bytes, true)),
            "_TRANSPORT" => transport_is_kernel = Some(value == "kernel"),
            "SYSLOG_IDENTIFIER" => program_is_kernel = Some(value == "kernel"),
            "SYSLOG_FACILITY" | "fac" | "facility" => record.facility = integer(value).and_then(|facility| u16::try_from(facility).ok()),
            "PRIORITY" | "pri" | "prio" | "priority" => {
                let prio = integer(value);
                record.level = prio.and_then(|prio| u8::try_from(prio & 7).ok());
                if prio.is_some_and(|prio| prio > 7) {
                    record.facility = prio.and_then(|prio| u16::try_from(prio >> 3).ok());
                }
            }
            "_SOURCE_MONOTONIC_TIMESTAMP" => record.usec = integer(value),
            "__MONOTONIC_TIMESTAMP" => record.usec = record.usec.or_else(|| integer(value)),
            "__REALTIME_TIMESTAMP" => record.time = integer(value).and_then(clock).map(Cow::Owned).or(record.time),
            "time" | "timestamp" | "@timestamp" => match value {
                Value::String(time) => record.time = record.time.or_else(|| Some(Cow::Owned(time.chars().take(64).collect()))),
                Value::Number(seconds) => record.usec = record.usec.or_else(|| micros(&seconds.to_string())),
                _ => {}
            },
            "sequence" | "seq" => record.seq = integer(value),
            _ => {}
        }
    }
    let Some((text, framed)) = text else {
        // Cloud logs keep the entry of the journal in an object of their own.
        return (depth < 2).then(|| fields.values().find_map(|value| object_record(value, depth + 1)))?;
    };
    record.facility = match (transport_is_kernel, record.facility, program_is_kernel) {
        (Some(false), _, _) | (None, None, Some(false)) => Some(1),
        (_, Some(facility), _) => Some(facility),
        (Some(true), None, _) | (None, None, Some(true)) => Some(0),
        (None, None, None) => None,
    };
    let text = text.trim_ascii_end();
    if !framed {
        record.text = Cow::Owned(text.to_vec());
        return Some(record);
    }
    let inner = frame(text);
    record.text = if inner.escaped { Cow::Owned(crate::unescape(inner.text).into_owned()) } else { Cow::Owned(inner.text.to_vec()) };
    record.usec = record.usec.or(inner.usec);
    record.seq = record.seq.or(inner.seq);
    record.level = record.level.or(inner.level);
    record.facility = inner.facility.filter(|facility| *facility != 0).or(record.facility).or(inner.facility);
    Some(record)
}

/// A text, or the list of bytes that the journal writes for what is no UTF-8.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect(),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn micros(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction.parse().ok()?)
}

fn clock(micros: u64) -> Option<String> {
    Some(jiff::Timestamp::from_microsecond(i64::try_from(micros).ok()?).ok()?.to_string())
}

/// The entry around a `MESSAGE=` line of `journalctl -o export` or `-o verbose`, and where it ends.
pub(crate) fn entry(buffer: &[u8], at: usize) -> Option<(Record<'static>, usize)> {
    let before = buffer.get(at.saturating_sub(REACH_BYTES)..at)?;
    let start = at - before.len() + memchr::memmem::rfind(before, b"\n\n").map_or(0, |blank| blank + 2);
    let after = buffer.get(at..buffer.len().min(at + REACH_BYTES))?;
    let end = at + memchr::memmem::find(after, b"\n\n").unwrap_or(after.len());
    // `-o verbose` indents the fields below a line of their own, and puts no blank line between entries where it has no terminal.
    let (start, end) = if after.starts_with(b" ") { indented(buffer, start, at, end) } else { (start, end) };
    let mut record = Record::default();
    let mut transport_is_kernel = None;
    let mut text = None;
    let mut rest = buffer.get(start..end)?;
    while !rest.is_empty() {
        let line_end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..line_end)?;
        rest = rest.get(line_end + 1..).unwrap_or_default();
        if line == b"MESSAGE" {
            // A field with a newline or no UTF-8: its length as eight bytes, least first, then its bytes.
            let length = rest.first_chunk::<8>().and_then(|length| usize::try_from(u64::from_le_bytes(*length)).ok())?;
            let whole = buffer.get(buffer.len() - buffer_tail(buffer, rest)? + 8..)?;
            text = Some(whole.get(..length)?);
            rest = rest.get(8 + length..).unwrap_or_default();
            continue;
        }
        let line = line.trim_ascii_start();
        let Some(equals) = memchr::memchr(b'=', line) else {
            continue;
        };
        let (key, value) = line.split_at_checked(equals)?;
        let value = value.strip_prefix(b"=").unwrap_or_default();
        let number = std::str::from_utf8(value).ok().and_then(|value| value.trim().parse::<u64>().ok());
        match key {
            b"MESSAGE" => text = Some(value),
            b"_TRANSPORT" => transport_is_kernel = Some(value == b"kernel"),
            b"SYSLOG_FACILITY" => record.facility = number.and_then(|facility| u16::try_from(facility).ok()),
            b"PRIORITY" => record.level = number.and_then(|level| u8::try_from(level & 7).ok()),
            b"_SOURCE_MONOTONIC_TIMESTAMP" => record.usec = number,
            b"__REALTIME_TIMESTAMP" => record.time = number.and_then(clock).map(Cow::Owned),
            _ => {}
        }
    }
    record.facility = match transport_is_kernel {
        Some(false) => Some(1),
        Some(true) => record.facility.or(Some(0)),
        None => record.facility,
    };
    record.text = Cow::Owned(text?.to_vec());
    Some((record, end))
}

/// The part of `start..end` around `at` whose lines are indented.
fn indented(buffer: &[u8], start: usize, at: usize, end: usize) -> (usize, usize) {
    let unindented = |from: usize, to: usize| {
        let lines = buffer.get(from..to).unwrap_or_default();
        memchr::memchr_iter(b'\n', lines)
            .map(move |newline| from + newline + 1)
            .filter(|line| buffer.get(*line).is_some_and(|byte| *byte != b' '))
    };
    (unindented(start, at).next_back().unwrap_or(start), unindented(at, end).next().unwrap_or(end))
}

/// How many bytes of `buffer` are left from the start of `rest`, which is a part of it.
fn buffer_tail(buffer: &[u8], rest: &[u8]) -> Option<usize> {
    (rest.as_ptr() as usize).checked_sub(buffer.as_ptr() as usize).and_then(|offset| buffer.len().checked_sub(offset))
}

#[cfg(test)]
mod tests {
    use crate::Replay;

    fn texts(log: &str) -> Vec<String> {
        let mut replay = Replay::new(log.as_bytes());
        std::iter::from_fn(|| replay.next(true).map(|record| String::from_utf8_lossy(&record.text).into_owned())).collect()
    }

    #[test]
    fn json_of_the_journal_with_something_in_front() {
        let object = r#"{"_TRANSPORT":"kernel","MESSAGE":"Killed process 1 (x)"}"#;
        assert_eq!(texts(&format!("\u{1e}{object}\ndata: {object}\n\n")), ["Killed process 1 (x)", "Killed process 1 (x)"]);
        assert_eq!(texts(r#"{"labels":{"job":"kernel"},"line":"[    1.0] Killed process 1 (x)"}"#), ["Killed process 1 (x)"]);
    }

    #[test]
    fn verbose_entries_need_no_blank_line_between_them() {
        let entry = |text: &str| {
            format!(
                "Wed 2025-11-12 20:13:52.000001 UTC [s=a;i=1]\n    _TRANSPORT=kernel\n    MESSAGE={text}\n    _SOURCE_MONOTONIC_TIMESTAMP=7\n"
            )
        };
        let log = [entry("oom-kill:a"), entry("Killed process 1"), entry("b").replace("kernel", "syslog")].concat();
        let mut replay = Replay::new(log.as_bytes());
        let records: Vec<_> = std::iter::from_fn(|| replay.next(true)).filter(|record| record.usec.is_some()).collect();
        let read: Vec<_> = records.iter().map(|record| (String::from_utf8_lossy(&record.text), record.facility)).collect();
        assert_eq!(read, [("oom-kill:a".into(), Some(0)), ("Killed process 1".into(), Some(0)), ("b".into(), Some(1))]);
    }
}
