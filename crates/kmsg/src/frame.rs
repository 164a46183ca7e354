//! What programs put around a kernel line, recognised line by line.

use crate::record::{kmsg_header, number};
use crate::salvage::node_event;
use crate::stamp::{Kind, Stamp, bracket, caller, stamp, trim, word_at};

/// A line without its frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Framed<'a> {
    pub(crate) seq: Option<u64>,
    pub(crate) usec: Option<u64>,
    pub(crate) time: Option<&'a [u8]>,
    pub(crate) facility: Option<u16>,
    pub(crate) level: Option<u8>,
    pub(crate) text: &'a [u8],
    /// There was no frame.
    pub(crate) bare: bool,
    /// The text has the escapes of `/dev/kmsg`.
    pub(crate) escaped: bool,
    /// The text may have those of rsyslog.
    pub(crate) octal: bool,
}

/// Frames that stand in each other: a container's log of a syslog file of a kernel line.
const MAX_DEPTH: usize = 4;

/// Takes the frame off a line.
pub(crate) fn frame(line: &[u8]) -> Framed<'_> {
    frame_at(line, 0)
}

fn frame_at(line: &[u8], depth: usize) -> Framed<'_> {
    let bare = Framed { text: line, bare: true, ..Framed::default() };
    if depth >= MAX_DEPTH {
        return bare;
    }
    match line.first() {
        Some(b'0'..=b'9') => {
            if let Some((header, text)) = kmsg_header(line) {
                return Framed {
                    seq: Some(header.seq),
                    usec: Some(header.usec),
                    facility: Some(header.facility),
                    level: Some(header.level),
                    text,
                    escaped: true,
                    ..Framed::default()
                };
            }
        }
        Some(b'<') => {
            if let Some((facility, level, rest)) = priority(line) {
                // RFC 5424 has its version after the number.
                let rest = rest.strip_prefix(b"1 ").filter(|rest| stamp(rest).is_some()).unwrap_or(rest);
                let mut inner = frame_at(rest, depth + 1);
                // The outer number is the log's own; a program's text cannot raise its rank by a tag of its own.
                inner.facility = Some(inner.facility.filter(|inner| *inner != 0).unwrap_or(facility));
                inner.level = Some(level);
                inner.bare = false;
                return inner;
            }
        }
        Some(b'k' | b'u' | b'm' | b'd' | b'a' | b's' | b'l' | b'n' | b'c' | b'f') => {
            if let Some((facility, level, rest)) = decoded(line) {
                let mut inner = frame_at(rest, depth + 1);
                inner.facility = Some(facility);
                inner.level = Some(level);
                inner.bare = false;
                // `talosctl dmesg` has a colon behind the time.
                inner.text = inner.text.strip_prefix(b": ").unwrap_or(inner.text);
                return inner;
            }
            if let Some(text) = kernel_tag(line) {
                return tagged(text, 0);
            }
        }
        _ => {}
    }
    // `dmesg -t` of a kernel that tells who printed.
    if let Some(text) = caller(line) {
        return Framed { text: text.strip_prefix(b" ").unwrap_or(text), ..Framed::default() };
    }
    let Some(stamp) = stamp(line) else {
        // `host kernel: text`, where somebody has cut the time off.
        let text =
            word_at(line, 0).filter(|host| host.text.len() < 64).and_then(|host| kernel_tag(line.get(host.end..)?.strip_prefix(b" ")?));
        return text.map(|text| tagged(text, 0)).or_else(|| node_event(line)).unwrap_or(bare);
    };
    let mut framed = after_stamp(&stamp, depth);
    framed.octal |= stamp.kind != Kind::Bracket && framed.facility == Some(0) && !framed.escaped;
    framed.usec = framed.usec.or(stamp.usec);
    if framed.time.is_none() {
        framed.time = stamp.time;
    }
    framed.bare = false;
    framed
}

/// `<6>` of syslog(2) and `dmesg -r`; the number holds the facility.
fn priority(line: &[u8]) -> Option<(u16, u8, &[u8])> {
    let (prio, rest) = number(line.strip_prefix(b"<")?)?;
    let rest = rest.strip_prefix(b">")?;
    Some((u16::try_from(prio >> 3).ok()?, u8::try_from(prio & 7).ok()?, rest))
}

/// `kern  :warn  : ` of `dmesg -x`.
fn decoded(line: &[u8]) -> Option<(u16, u8, &[u8])> {
    const FACILITIES: [&[u8]; 24] = [
        b"kern",
        b"user",
        b"mail",
        b"daemon",
        b"auth",
        b"syslog",
        b"lpr",
        b"news",
        b"uucp",
        b"cron",
        b"authpriv",
        b"ftp",
        b"res0",
        b"res1",
        b"res2",
        b"res3",
        b"local0",
        b"local1",
        b"local2",
        b"local3",
        b"local4",
        b"local5",
        b"local6",
        b"local7",
    ];
    const LEVELS: [&[u8]; 8] = [b"emerg", b"alert", b"crit", b"err", b"warn", b"notice", b"info", b"debug"];
    let head = line.get(..line.len().min(24))?;
    let first = memchr::memchr(b':', head)?;
    let facility = trim(line.get(..first)?);
    let rest = line.get(first + 1..)?;
    let second = memchr::memchr(b':', rest.get(..rest.len().min(12))?)?;
    let level = trim(rest.get(..second)?);
    let facility = FACILITIES.iter().position(|name| *name == facility)?;
    let level = if level == b"warning" { 4 } else { LEVELS.iter().position(|name| *name == level)? };
    let rest = rest.get(second + 1..)?;
    Some((u16::try_from(facility).ok()?, u8::try_from(level).ok()?, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// What stands between a time stamp and the kernel's text.
fn after_stamp<'a>(stamp: &Stamp<'a>, depth: usize) -> Framed<'a> {
    let rest = stamp.rest;
    let plain = Framed { text: rest, ..Framed::default() };
    if let Some(text) = kernel_tag(rest) {
        return tagged(text, 0);
    }
    // A log shipper's or a console's clock in front of the kernel's own.
    if stamp.usec.is_none() && (rest.starts_with(b"<") || rest.starts_with(b"[")) {
        let inner = frame_at(rest, depth + 1);
        if !inner.bare && (inner.usec.is_some() || caller(rest).is_some()) {
            return inner;
        }
    }
    let Some(first) = word_at(rest, 0) else {
        return plain;
    };
    let after_first = rest.get(first.end..).and_then(|rest| rest.strip_prefix(b" ")).unwrap_or_default();
    match stamp.kind {
        // `journalctl -o short-monotonic`: `[12345.678901] host kernel: text`. dmesg's own lines have no host.
        Kind::Bracket => {
            return match kernel_tag(after_first) {
                Some(text) if stamp.usec.is_some() => tagged(text, 0),
                _ => plain,
            };
        }
        // The log of a container: `2025-… stdout F text`.
        Kind::Iso if matches!(first.text, b"stdout" | b"stderr") => {
            let rest = after_first.strip_prefix(b"F ").or_else(|| after_first.strip_prefix(b"P ")).unwrap_or(after_first);
            return frame_at(rest, depth + 1);
        }
        Kind::Iso | Kind::Syslog | Kind::Epoch => {}
    }
    if let Some(text) = kernel_tag(after_first) {
        return tagged(text, 0);
    }
    if let Some(inner) = bracket(after_first) {
        return Framed { usec: inner.usec, text: inner.rest, ..Framed::default() };
    }
    let Some(second) = word_at(after_first, 0) else {
        return plain;
    };
    let after_second = after_first.get(second.end..).and_then(|rest| rest.strip_prefix(b" ")).unwrap_or_default();
    // `host kern.err kernel: text` of busybox and OpenWrt; `host kernel - - - text` of RFC 5424.
    if second.text.contains(&b'.')
        && let Some(text) = kernel_tag(after_second)
    {
        return tagged(text, 0);
    }
    if second.text == b"kernel"
        && let Some(text) = structured(after_second)
    {
        return tagged(text, 0);
    }
    let is_tag = second.text.ends_with(b":") && !first.text.ends_with(b":");
    if is_tag && (stamp.kind != Kind::Iso || second.text.len() > 1) {
        return tagged(after_second, 1);
    }
    plain
}

/// The text after `kernel: `.
fn kernel_tag(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"kernel")?;
    let rest = match rest.strip_prefix(b"[") {
        Some(pid) => pid.get(memchr::memchr(b']', pid.get(..pid.len().min(12))?)? + 1..)?,
        None => rest,
    };
    let rest = rest.strip_prefix(b":")?;
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

/// The message of RFC 5424 after the program's name: `PROCID MSGID STRUCTURED-DATA MSG`.
fn structured(text: &[u8]) -> Option<&[u8]> {
    let process = word_at(text, 0)?;
    let message = word_at(text, process.end)?;
    let data = word_at(text, message.end)?;
    if data.text.starts_with(b"[") {
        // The last element ends before a space; a value may hold a bracket, but not a bare quote in front of one.
        let elements = text.get(message.end..)?.trim_ascii_start();
        let end = memchr::memmem::find(elements, b"\"] ")?;
        return elements.get(end + 3..);
    }
    (data.text == b"-").then(|| text.get(data.end..).map(|rest| rest.strip_prefix(b" ").unwrap_or(rest)))?
}

/// A line after its tag: the kernel's own time stamp and level may still stand before the text.
fn tagged(text: &[u8], facility: u16) -> Framed<'_> {
    let (level, text) = match priority(text) {
        Some((_, level, rest)) => (Some(level), rest),
        None => (None, text),
    };
    let text = caller(text).map_or(text, |text| text.strip_prefix(b" ").unwrap_or(text));
    match bracket(text).filter(|stamp| stamp.usec.is_some()) {
        Some(stamp) => Framed { usec: stamp.usec, facility: Some(facility), level, text: stamp.rest, ..Framed::default() },
        None => Framed { facility: Some(facility), level, text, ..Framed::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn text(line: &str, text: &str) -> Framed<'static> {
        let line: &'static str = line.to_owned().leak();
        let framed = frame(line.as_bytes());
        assert_eq!(String::from_utf8_lossy(framed.text), text, "{line}");
        framed
    }

    #[test]
    fn dev_kmsg() {
        let framed = text("6,2697,3812808832,-,caller=T1;Killed process", "Killed process");
        assert_eq!((framed.seq, framed.usec, framed.facility, framed.level), (Some(2697), Some(3_812_808_832), Some(0), Some(6)));
        assert!(framed.escaped && !framed.bare);
    }

    #[test]
    fn syslog_2() {
        let framed = text("<3>[    4.652044] Killed process", "Killed process");
        assert_eq!((framed.usec, framed.facility, framed.level), (Some(4_652_044), Some(0), Some(3)));
        assert_eq!(text("<11>[    4.652044] Killed process", "Killed process").facility, Some(1));
        assert_eq!(text("<6>no time", "no time").facility, Some(0));
        assert_eq!(text("<4>[  244.945440][ T3106] a [b] c", "a [b] c").usec, Some(244_945_440));
        // Text that begins with a bracket is text.
        assert_eq!(text("<6>[    1.000002] [  pid  ]   uid", "[  pid  ]   uid").usec, Some(1_000_002));
    }

    #[test]
    fn dmesg() {
        assert_eq!(text("[14808.063890] main invoked", "main invoked").usec, Some(14_808_063_890));
        assert_eq!(text("[  244.945440][ T3106] oom-kill:x", "oom-kill:x").usec, Some(244_945_440));
        assert_eq!(text("[  244.945440] [   C0] oom-kill:x", "oom-kill:x").usec, Some(244_945_440));
        assert_eq!(text("[    1.5 <    0.000012>] x", "x").usec, Some(1_500_000));
        assert_eq!(text("[Di Aug 12 03:54:03 2025] x y", "x y").time, Some(&b"Di Aug 12 03:54:03 2025"[..]));
        assert_eq!(text("[Aug12 03:54] x y", "x y").time, Some(&b"Aug12 03:54"[..]));
        assert_eq!(text("[  +0.000012] x y", "x y").usec, None);
        assert_eq!(text("kern  :warn  : [    1.500000] x", "x").facility, Some(0));
        assert_eq!(text("user  :notice: [    1.500000] x", "x").facility, Some(1));
        let iso = text("kern  :warn  : 2025-01-21T08:46:30,287197+00:00 oom-kill:constraint=X", "oom-kill:constraint=X");
        assert_eq!((iso.facility, iso.level, iso.time), (Some(0), Some(4), Some(&b"2025-01-21T08:46:30,287197+00:00"[..])));
        text("2025-01-21T08:46:30,287197+00:00 Out of memory: Killed process 1 (x)", "Out of memory: Killed process 1 (x)");
        text("2025-01-21T08:46:30,287197+00:00 oom_reaper: reaped process 1 (x)", "oom_reaper: reaped process 1 (x)");
    }

    #[test]
    fn journalctl() {
        for line in [
            "Nov 27 01:26:57 host kernel: x y",
            "11月 27 01:26:57.123456 host kernel: x y",
            "2025-11-12T20:13:52+0100 host kernel: x y",
            "2025-11-12T20:13:52.123456+01:00 host kernel: x y",
            "Wed 2025-11-12 20:13:52 UTC host kernel: x y",
            "Wed 2025-11-12 20:13:52.123456 CET host kernel: x y",
            "1762978432.123456 host kernel: x y",
            "[ 8523.347168] host kernel: x y",
        ] {
            let framed = text(line, "x y");
            assert_eq!(framed.facility, Some(0), "{line}");
            assert!(!framed.bare, "{line}");
        }
        assert_eq!(text("[ 8523.347168] host kernel: x y", "x y").usec, Some(8_523_347_168));
    }

    #[test]
    fn syslog_files() {
        for line in [
            "Sep  4 13:00:04 node1 kernel: [34365327.044983] python invoked",
            "Sep  4 13:00:04 node1 kernel:[34365327.044983] python invoked",
            "<4>Sep  4 13:00:04 node1 kernel: [34365327.044983] python invoked",
            "2025-09-04T13:00:04.123456+00:00 node1 kernel: [34365327.044983] python invoked",
            "Sep  4 13:00:04 node1 kern.warn kernel: [34365327.044983] python invoked",
            "Thu Sep  4 13:00:04 2025 kern.warn kernel: [34365327.044983] python invoked",
            "<4>1 2025-09-04T13:00:04.123456+00:00 node1 kernel - - - [34365327.044983] python invoked",
        ] {
            let framed = text(line, "python invoked");
            assert_eq!((framed.facility, framed.usec), (Some(0), Some(34_365_327_044_983)), "{line}");
        }
        assert_eq!(text("1500316299 dev37-devc [30533610.306528] apache2 invoked", "apache2 invoked").usec, Some(30_533_610_306_528));
    }

    #[test]
    fn a_clock_in_front_of_the_kernels() {
        for line in [
            "2025-11-12T20:13:52.123456789Z [    1.500000] x y",
            "2025-11-12T20:13:52.123456789Z <6>[    1.500000] x y",
            "2025-11-27 01:26:57 +0100 host kernel: [    1.500000] x y",
            "Nov 27 01:26:57 [    1.500000] x y",
            "[2025-11-27 01:26:57] [    1.500000] x y",
            "<4>1 2025-09-04T13:00:04.123456+00:00 node1 kernel - - [meta sequenceId=\"1\"] [    1.500000] x y",
        ] {
            assert_eq!(text(line, "x y").usec, Some(1_500_000), "{line}");
        }
        assert_eq!(text("2025-11-12T20:13:52Z <14>[    1.500000] x y", "x y").facility, Some(1));
        for line in [
            "2025-01-21T08:46:30,287197+00:00 [ T4711] x y",
            "[ T4711] x y",
            "Nov 27 01:26:57 host kernel: [ T4711] x y",
            "[<    0.000012>] x y",
        ] {
            assert!(!text(line, "x y").bare, "{line}");
        }
    }

    #[test]
    fn a_time_that_was_cut_off() {
        assert_eq!(text("node-1 kernel: [    1.500000] x y", "x y").usec, Some(1_500_000));
        assert_eq!(text("kernel: x y", "x y").facility, Some(0));
        assert!(text("x kubelet: y", "x kubelet: y").bare);
    }

    #[test]
    fn programs_that_quote_the_kernel_are_not_the_kernel() {
        assert_eq!(text("Nov 27 01:26:57 host kubelet[123]: Killed process 1 (x)", "Killed process 1 (x)").facility, Some(1));
        assert_eq!(text("Nov 27 01:26:57 host logger: kernel: Killed process 1 (x)", "kernel: Killed process 1 (x)").facility, Some(1));
        assert_eq!(text("<13>Nov 27 01:26:57 host kernel: Killed process 1 (x)", "Killed process 1 (x)").facility, Some(1));
    }

    #[test]
    fn logs_of_containers() {
        let framed = text("2025-01-21T08:46:30.287197Z stdout F <3>[    4.652044] Killed process", "Killed process");
        assert_eq!((framed.usec, framed.facility), (Some(4_652_044), Some(0)));
    }

    #[test]
    fn bare_lines() {
        for line in [
            "[  323]     0   323     9458",
            "Mem-Info:",
            " active_file:18099",
            "",
            "[<ffffffff81720bf6>] dump_stack+0x45/0x56",
            "a b 12:13:14",
        ] {
            assert!(frame(line.as_bytes()).bare, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let framed = frame(&bytes);
            assert!(framed.text.len() <= bytes.len());
        }

        #[test]
        fn any_text_is_taken(line in "[<\\[ 0-9:.,;T\\]>a-zA-Z-]{0,80}") {
            let framed = frame(line.as_bytes());
            assert!(line.as_bytes().ends_with(framed.text) || framed.text.is_empty() || line.contains("OOMKilling"));
        }
    }
}
