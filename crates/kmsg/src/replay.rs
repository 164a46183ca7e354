//! A whole log, in any form or a mixture of forms.

use crate::filter::Filter;
use crate::frame::{Framed, frame};
use crate::journal;
use crate::record::{Place, Record, kmsg_header, unescape, unescape_octal};
use crate::salvage::{quoted, salvage};
use std::borrow::Cow;

/// Gives the records of a log that is held in memory.
///
/// The form is told line by line: raw `/dev/kmsg`, syslog(2), `dmesg` with any kind of time, `journalctl`, syslog files, the logs of containers,
/// text without any frame, and all of these in one file. Nothing is refused; a line whose frame is unknown is a line without one.
#[derive(Debug)]
pub struct Replay<'a> {
    buffer: &'a [u8],
    at: usize,
    filter: Filter,
    /// The next position that the filter has found, while it is not behind `at`.
    hit: Option<usize>,
    last_seq: Option<u64>,
    lost: u64,
    /// The part of `lost` that no record has told of yet.
    lost_untold: u64,
    /// The width of the last frame in bytes, 0 where lines have none.
    indent: usize,
    /// The same in characters: months have names in many scripts.
    indent_chars: usize,
    raw: bool,
    /// The log is one that somebody kept, in whatever frames.
    kept: bool,
}

impl<'a> Replay<'a> {
    /// A reader of `buffer` from its start.
    pub fn new(buffer: &'a [u8]) -> Self {
        Self {
            buffer,
            at: 0,
            filter: Filter,
            hit: None,
            last_seq: None,
            lost: 0,
            lost_untold: 0,
            indent: 0,
            indent_chars: 0,
            raw: false,
            kept: false,
        }
    }

    /// A reader of a log that somebody kept: lines in frames that are not known are read by how the kernel's text begins.
    ///
    /// Not for what comes from the kernel itself, where each frame is known.
    pub fn of_kept(buffer: &'a [u8]) -> Self {
        Self { kept: true, ..Self::new(buffer) }
    }

    /// The next record.
    ///
    /// With `everything` it is that of the next line; without, lines that cannot begin a report of the kernel's are passed over. The line before
    /// one that can is given too: in a log that splits records at newlines it may hold the start of a name.
    pub fn next(&mut self, everything: bool) -> Option<Record<'a>> {
        loop {
            if !everything && !self.skip() {
                return None;
            }
            let start = self.at;
            let rest = self.buffer.get(start..).filter(|rest| !rest.is_empty())?;
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.at = start + end + 1;
            let line = rest.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(record) = self.line(line, start) {
                return Some(record);
            }
        }
    }

    /// Records that are missing between two sequence numbers, up to where the log has been read.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Goes on to the next line that can matter, or to the line before it. False at the end.
    fn skip(&mut self) -> bool {
        if self.hit.is_none_or(|hit| hit < self.at) {
            self.hit = self.buffer.get(self.at..).and_then(|rest| self.filter.find(rest)).map(|found| self.at + found);
        }
        let Some(hit) = self.hit else {
            self.count_lines(self.buffer.len());
            return false;
        };
        let before = self.buffer.get(self.at..hit).unwrap_or_default();
        let Some(line) = memchr::memrchr(b'\n', before) else {
            return true;
        };
        let context = memchr::memrchr(b'\n', before.get(..line).unwrap_or_default()).map_or(0, |line| line + 1);
        self.count_lines(self.at + context);
        true
    }

    /// Passes over the lines up to `end`, minding sequence numbers.
    fn count_lines(&mut self, end: usize) {
        let mut skipped = self.buffer.get(self.at..end).unwrap_or_default();
        self.at = end;
        // A log is raw or not for long stretches: one look tells, and a wrong guess can only miss a gap in a mixture.
        if !self.raw && !skipped.first().is_some_and(u8::is_ascii_digit) {
            return;
        }
        if self.is_unbroken(skipped) {
            return;
        }
        while !skipped.is_empty() {
            if let Some((header, _)) = kmsg_header(skipped) {
                self.raw = true;
                self.see(header.seq);
            }
            let next = memchr::memchr(b'\n', skipped).map_or(skipped.len(), |end| end + 1);
            skipped = skipped.get(next..).unwrap_or_default();
        }
    }

    /// Whether raw records follow each other without a gap: the first and the last number are as far apart as there are lines. Counting lines is much
    /// faster than reading their numbers. If it does not come out, the numbers are read.
    fn is_unbroken(&mut self, lines: &[u8]) -> bool {
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        let last_line = memchr::memrchr(b'\n', lines).map_or(0, |end| end + 1);
        let (Some((first, _)), Some((last, _))) = (kmsg_header(lines), lines.get(last_line..).and_then(kmsg_header)) else {
            return false;
        };
        let dictionary = memchr::memmem::find_iter(lines, b"\n ").count();
        let records = (memchr::memchr_iter(b'\n', lines).count() - dictionary) as u64;
        let unbroken =
            last.seq.checked_sub(first.seq) == Some(records) && self.last_seq.is_none_or(|before| Some(first.seq) == before.checked_add(1));
        if unbroken {
            self.raw = true;
            self.last_seq = Some(last.seq);
        }
        unbroken
    }

    fn see(&mut self, seq: u64) {
        if let Some(gap) = self.last_seq.and_then(|last| seq.checked_sub(last)?.checked_sub(1)) {
            self.lost = self.lost.saturating_add(gap);
            self.lost_untold = self.lost_untold.saturating_add(gap);
        }
        self.last_seq = Some(seq);
    }

    fn line(&mut self, line: &'a [u8], start: usize) -> Option<Record<'a>> {
        match line.trim_ascii_start().first()? {
            // A record separator stands before each object of `journalctl -o json-seq`, and `data: ` in `-o json-sse`.
            b'{' | 0x1e | b'd' => {
                let object = line.trim_ascii();
                let object = object.strip_prefix(b"\x1e").or_else(|| object.strip_prefix(b"data: ")).unwrap_or(object);
                if let Some(record) = object.starts_with(b"{").then(|| journal::json_line(object)).flatten() {
                    return Some(record);
                }
            }
            b'"' => {
                if let Some((record, end)) = journal::pretty_object(self.buffer, start) {
                    self.at = self.at.max(end);
                    return Some(record);
                }
            }
            b'M' if line == b"MESSAGE" || line.trim_ascii_start().starts_with(b"MESSAGE=") => {
                if let Some((record, end)) = journal::entry(self.buffer, start) {
                    self.at = self.at.max(end);
                    return Some(record);
                }
            }
            _ => {}
        }
        // The dictionary of a raw record.
        if self.raw && line.starts_with(b" ") && line.contains(&b'=') {
            return None;
        }
        if memchr::memchr(0x1b, line).is_some() && !matches!(line.first(), Some(b'<' | b'0'..=b'9')) {
            let plain = without_colour(line);
            let framed = frame(&plain);
            self.indent = if framed.bare { 0 } else { plain.len().saturating_sub(framed.text.len()) };
            return Some(self.record(&framed).owned());
        }
        let mut framed = frame(line);
        // Fluentd's own form has an object where the text should be.
        if self.kept
            && framed.text.starts_with(b"{")
            && let Some(record) = journal::json_line(framed.text)
        {
            let facility = framed.facility.filter(|facility| *facility != 0).or(record.facility);
            return Some(Record { facility, ..record });
        }
        let unknown = framed.facility.is_none() && framed.usec.is_none() && !framed.escaped;
        if self.kept
            && unknown
            && let Some(salvaged) = self.filter.find(line).and_then(|_| salvage(framed.text).or_else(|| salvage(line)))
        {
            return Some(self.record(&salvaged));
        }
        let mut place = Place::Own;
        if framed.bare {
            place = Place::Bare;
            let spaces = line.iter().take_while(|byte| **byte == b' ').count();
            let indent = [self.indent, self.indent_chars].into_iter().find(|indent| *indent > 1 && spaces >= *indent);
            if let Some(indent) = indent {
                place = Place::Indented;
                framed.text = line.get(indent..).unwrap_or_default();
            } else if let Some(inner) = quoted(line) {
                framed = inner;
                place = Place::Own;
            }
        }
        if place == Place::Own {
            self.indent = line.len().saturating_sub(framed.text.len());
            // A byte that continues a character has the bits 10 in front.
            let continuing = line.iter().take(self.indent).filter(|byte| **byte & 0xc0 == 0x80).count();
            self.indent_chars = self.indent - continuing;
            self.raw = framed.escaped;
        }
        Some(Record { place, ..self.record(&framed) })
    }

    fn record<'b>(&mut self, framed: &Framed<'b>) -> Record<'b> {
        if let Some(seq) = framed.seq {
            self.see(seq);
        }
        Record {
            seq: framed.seq,
            usec: framed.usec,
            time: framed.time.map(String::from_utf8_lossy),
            facility: framed.facility,
            level: framed.level,
            text: match (framed.escaped, framed.octal) {
                (true, _) => unescape(framed.text),
                (false, true) => unescape_octal(framed.text),
                (false, false) => Cow::Borrowed(framed.text),
            },
            place: if framed.bare { Place::Bare } else { Place::Own },
            lost: std::mem::take(&mut self.lost_untold),
        }
    }
}

impl Record<'_> {
    /// The record with its own text.
    pub fn owned(self) -> Record<'static> {
        Record { text: Cow::Owned(self.text.into_owned()), time: self.time.map(|time| Cow::Owned(time.into_owned())), ..self }
    }
}

/// Takes the colours of `dmesg` and of consoles out.
fn without_colour(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != 0x1b {
            plain.push(*byte);
            continue;
        }
        if let Some(control) = after.strip_prefix(b"[") {
            let length = control.iter().take_while(|byte| !(0x40..0x7f).contains(*byte)).count();
            rest = control.get(length + 1..).unwrap_or_default();
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &str, everything: bool) -> Vec<String> {
        let mut replay = Replay::new(log.as_bytes());
        std::iter::from_fn(|| replay.next(everything).map(|record| String::from_utf8_lossy(&record.text).into_owned())).collect()
    }

    #[test]
    fn gaps_in_raw_records_are_counted_whether_lines_are_given_or_passed_over() {
        let log = "6,1,1,-;a\n SUBSYSTEM=x\n6,2,1,-;b\n6,5,1,-;c\n6,6,1,-;Killed process 1 (x)\n6,16,1,-;d\n";
        for everything in [true, false] {
            let mut replay = Replay::new(log.as_bytes());
            let mut told = 0;
            while let Some(record) = replay.next(everything) {
                told += record.lost;
            }
            assert_eq!(replay.lost(), 2 + 9, "{everything}");
            assert!(told == 11 || !everything);
        }
    }

    #[test]
    fn a_new_boot_is_no_gap() {
        let mut replay = Replay::new(b"6,900,1,-;a\n6,0,1,-;b\n6,1,1,-;c\n");
        while replay.next(true).is_some() {}
        assert_eq!(replay.lost(), 0);
    }

    #[test]
    fn lines_that_cannot_matter_are_passed_over_but_for_the_one_before() {
        assert_eq!(texts("[    1.0] a\n[    2.0] b\n[    3.0] c\n[    3.1] x oom-kill: y\n[    4.0] d\n", false), ["c", "x oom-kill: y"]);
        assert_eq!(texts("x oom-kill: y", false), ["x oom-kill: y"]);
        assert!(texts("a\nb\n", false).is_empty());
    }

    #[test]
    fn frames_may_change_from_line_to_line() {
        let log = "6,1,1,-;raw\\x0atext\r\n<6>[    1.0] syslog\n[    1.0] dmesg\nNov 27 01:26:57 host kernel: file\nbare\n  > [    2.0] quoted\n\x1b[32m[    0.0] \x1b[0m\x1b[33mcolour\x1b[0m\n";
        assert_eq!(texts(log, true), ["raw\ntext", "syslog", "dmesg", "file", "bare", "quoted", "colour"]);
    }

    #[test]
    fn a_newline_in_a_record_is_shown_by_an_indent() {
        let mut replay = Replay::new(b"[Di Aug 12 03:54:03 2025] anon 311\n                          file 688\nother\n");
        assert_eq!(replay.next(true).unwrap().place, Place::Own);
        let second = replay.next(true).unwrap();
        assert_eq!((second.place, &*second.text), (Place::Indented, &b"file 688"[..]));
        assert_eq!(replay.next(true).unwrap().place, Place::Bare);
    }

    #[test]
    fn a_newline_in_a_syslog_file_is_shown_by_a_number() {
        let line = "Sep  4 13:00:04 node1 kernel: [    1.5] anon 311#012file 688#177 #912 #";
        assert_eq!(texts(line, true), ["anon 311\nfile 688\u{7f} #912 #"]);
        // No other form has it: there it is a name.
        assert_eq!(texts("[    1.5] a#012b", true), ["a#012b"]);
    }

    #[test]
    fn json_of_the_journal() {
        let mut replay = Replay::new(
            br#"{"_TRANSPORT":"kernel","SYSLOG_FACILITY":"0","PRIORITY":"3","MESSAGE":"Killed process 1 (\u00e9)","_SOURCE_MONOTONIC_TIMESTAMP":"4652044","__REALTIME_TIMESTAMP":"1763000000000000"}
{"_TRANSPORT":"syslog","SYSLOG_FACILITY":"0","MESSAGE":"Killed process 2 (x)"}
{"_TRANSPORT":"kernel","SYSLOG_FACILITY":"1","MESSAGE":"Killed process 3 (x)"}
{"_TRANSPORT":"kernel","MESSAGE":[75,105,108,108,101,100,255]}
{"jsonPayload":{"MESSAGE":"Killed process 4 (x)","_TRANSPORT":"kernel"}}
{"log":"<3>[    1.5] Killed process 5 (x)\n","stream":"stdout"}
"#,
        );
        let first = replay.next(false).unwrap();
        assert_eq!(first.text, "Killed process 1 (é)".as_bytes());
        assert_eq!(
            (first.facility, first.level, first.usec, first.time.as_deref()),
            (Some(0), Some(3), Some(4_652_044), Some("2025-11-13T02:13:20Z"))
        );
        assert_eq!(replay.next(false).unwrap().facility, Some(1));
        assert_eq!(replay.next(false).unwrap().facility, Some(1));
        assert_eq!(&*replay.next(false).unwrap().text, b"Killed\xff");
        assert_eq!(replay.next(false).unwrap().facility, Some(0));
        let inner = replay.next(false).unwrap();
        assert_eq!((&*inner.text, inner.usec), (&b"Killed process 5 (x)"[..], Some(1_500_000)));
    }

    #[test]
    fn pretty_json() {
        let log = "{\n   \"dmesg\": [\n      {\n         \"pri\": 6,\n         \"time\":     1.500000,\n         \"msg\": \"a\"\n      },{\n         \"pri\": 11,\n         \"time\":     2.500000,\n         \"msg\": \"Killed process 1 (x)\"\n      }\n   ]\n}\n";
        let mut replay = Replay::new(log.as_bytes());
        let mut records = Vec::new();
        while let Some(record) = replay.next(false) {
            records.push(record);
        }
        let killed: Vec<_> = records.iter().filter(|record| record.text.starts_with(b"Killed")).collect();
        assert_eq!(killed.len(), 1);
        assert_eq!((killed[0].usec, killed[0].facility), (Some(2_500_000), Some(1)));
    }

    #[test]
    fn export_of_the_journal() {
        let log = b"__CURSOR=a\nPRIORITY=3\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\nMESSAGE=Killed process 1 (x)\n_SOURCE_MONOTONIC_TIMESTAMP=1500000\n\n__CURSOR=b\n_TRANSPORT=kernel\nMESSAGE\n\x16\0\0\0\0\0\0\0Killed process 1 (a\nb)\nPRIORITY=3\n\n";
        let mut replay = Replay::new(log);
        let mut records = Vec::new();
        while let Some(record) = replay.next(false) {
            records.push(record);
        }
        let killed: Vec<_> = records.iter().filter(|record| record.text.starts_with(b"Killed")).collect();
        assert_eq!(killed.len(), 2, "{records:?}");
        assert_eq!((killed[0].usec, killed[0].facility, killed[0].level), (Some(1_500_000), Some(0), Some(3)));
        assert_eq!(&*killed[1].text, b"Killed process 1 (a\nb)");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), everything: bool) {
            let mut replay = Replay::new(&bytes);
            let mut records = 0;
            while replay.next(everything).is_some() {
                records += 1;
            }
            assert!(records <= bytes.len());
        }
    }
}
