//! The time stamps that programs put in front of kernel lines.

use crate::record::number;

/// A time stamp and what comes after it.
pub(crate) struct Stamp<'a> {
    /// Microseconds since boot.
    pub(crate) usec: Option<u64>,
    /// A wall clock, as written.
    pub(crate) time: Option<&'a [u8]>,
    /// What comes after the stamp and one space.
    pub(crate) rest: &'a [u8],
    pub(crate) kind: Kind,
}

/// Who writes such a stamp.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The kernel itself or dmesg: `[  12.345678]`, `[Wed Nov 12 20:13:52 2025]`, `[Nov12 20:13]`.
    Bracket,
    /// dmesg, journalctl or rsyslog: `2025-01-21T08:46:30,287197+00:00`.
    Iso,
    /// syslog: `Nov 27 01:26:57`.
    Syslog,
    /// Seconds of the epoch.
    Epoch,
}

/// The stamp at the start of a line.
pub(crate) fn stamp(line: &[u8]) -> Option<Stamp<'_>> {
    match line.first()? {
        b'[' => bracket(line),
        b'0'..=b'9' => iso(line).or_else(|| epoch(line)).or_else(|| syslog(line)),
        _ => syslog(line),
    }
}

/// `[…]`, with `[ T123]` behind it on kernels with `CONFIG_PRINTK_CALLER`.
pub(crate) fn bracket(line: &[u8]) -> Option<Stamp<'_>> {
    let inside_and_rest = line.strip_prefix(b"[")?;
    let end = memchr::memchr(b']', inside_and_rest.get(..inside_and_rest.len().min(48))?)?;
    let inside = trim(inside_and_rest.get(..end)?);
    let mut rest = inside_and_rest.get(end + 1..)?;
    let usec = seconds(inside);
    let mut time = None;
    if usec.is_none() {
        // `dmesg -H` and `dmesg --show-delta` without a time.
        let delta = inside.strip_prefix(b"+").or_else(|| inside.strip_prefix(b"<").and_then(|delta| delta.strip_suffix(b">")));
        let relative = delta.is_some_and(|delta| seconds(trim(delta)).is_some());
        if !relative {
            // A clock has a colon; the table of tasks and registers in brackets have none.
            if !clock_inside(inside) {
                return None;
            }
            time = Some(inside);
        }
    }
    if let Some(after) = caller(rest) {
        rest = after;
    }
    Some(Stamp { usec, time, rest: rest.strip_prefix(b" ").unwrap_or(rest), kind: Kind::Bracket })
}

/// `12.345678`, and `12.345678 <    0.000012>` of `dmesg -d`.
fn seconds(inside: &[u8]) -> Option<u64> {
    let (seconds, rest) = number(inside)?;
    let fraction = rest.strip_prefix(b".")?;
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let after = trim(fraction.get(digits..)?);
    if digits == 0 || !(after.is_empty() || after.starts_with(b"<") && after.ends_with(b">")) {
        return None;
    }
    let mut micros = 0;
    for place in 0..6 {
        micros = micros * 10 + fraction.get(place).filter(|byte| byte.is_ascii_digit()).map_or(0, |byte| u64::from(byte - b'0'));
    }
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

/// What comes after `[ T123]` or `[ C1]`.
pub(crate) fn caller(rest: &[u8]) -> Option<&[u8]> {
    let inside = rest.strip_prefix(b"[").or_else(|| rest.strip_prefix(b" ["))?;
    let end = memchr::memchr(b']', inside.get(..inside.len().min(16))?)?;
    let (kind, id) = trim(inside.get(..end)?).split_first()?;
    let right = matches!(kind, b'T' | b'C') && !id.is_empty() && id.iter().all(u8::is_ascii_digit);
    if right { inside.get(end + 1..) } else { None }
}

fn clock_inside(inside: &[u8]) -> bool {
    inside.windows(5).any(|window| matches!(window, [a, b, b':', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit())))
}

/// `2025-01-21T08:46:30,287197+00:00`, `2025-01-21 08:46:30.287 UTC`.
fn iso(line: &[u8]) -> Option<Stamp<'_>> {
    let mut at = 0;
    for (shape, separator) in [(4, b'-'), (2, b'-'), (2, 0), (2, b':'), (2, b':'), (2, 0)] {
        let digits = line.get(at..at + shape)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        at += shape;
        match separator {
            0 => {}
            _ if line.get(at) == Some(&separator) => at += 1,
            _ => return None,
        }
        if at == 10 {
            if !matches!(line.get(at), Some(b'T' | b't' | b' ')) {
                return None;
            }
            at += 1;
        }
    }
    if matches!(line.get(at), Some(b'.' | b',')) {
        at += 1 + digits(line.get(at + 1..)?);
    }
    match line.get(at) {
        Some(b'Z' | b'z') => at += 1,
        Some(b'+' | b'-') => {
            at += 1;
            at += line.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b':').count();
        }
        Some(b' ') => {
            // `+0100`
            let offset = line
                .get(at + 1..at + 6)
                .is_some_and(|zone| matches!(zone, [b'+' | b'-', digits @ ..] if digits.iter().all(u8::is_ascii_digit)));
            if offset && line.get(at + 6) == Some(&b' ') {
                at += 6;
            }
            let zone = line.get(at + 1..)?.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            if (3..=5).contains(&zone) && line.get(at + 1 + zone) == Some(&b' ') {
                at += 1 + zone;
            }
        }
        _ => {}
    }
    let rest = line.get(at..)?;
    if !rest.is_empty() && !rest.starts_with(b" ") && !rest.starts_with(b"\t") {
        return None;
    }
    Some(Stamp { usec: None, time: line.get(..at), rest: rest.get(1..).unwrap_or_default(), kind: Kind::Iso })
}

fn epoch(line: &[u8]) -> Option<Stamp<'_>> {
    let whole = digits(line);
    let fraction = if line.get(whole) == Some(&b'.') { 1 + digits(line.get(whole + 1..)?) } else { 0 };
    let end = whole + fraction;
    (matches!(whole, 9 | 10) && line.get(end) == Some(&b' ')).then_some(Stamp {
        usec: None,
        time: line.get(..end),
        rest: line.get(end + 1..).unwrap_or_default(),
        kind: Kind::Epoch,
    })
}

/// `Nov 27 01:26:57`, `11月 27 01:26:57.123456`, `Nov 27 2025 01:26:57`, `Wed Nov 12 20:13:52 2025`, `Wed 2025-11-12 20:13:52 UTC`.
fn syslog(line: &[u8]) -> Option<Stamp<'_>> {
    let mut at = 0;
    let mut day = false;
    for words_before in 0..4 {
        let word = word_at(line, at)?;
        if word.text.len() > 18 {
            return None;
        }
        if clock(word.text) {
            if words_before < 2 || !day {
                return None;
            }
            let mut end = word.end;
            // The year may come last, and so may a zone.
            for _ in 0..2 {
                if let Some(next) = word_at(line, end) {
                    let year = next.text.len() == 4 && next.text.iter().all(u8::is_ascii_digit) && next.text.starts_with(b"20");
                    let zone = (3..=4).contains(&next.text.len())
                        && matches!(next.text, b"UTC" | b"GMT" | b"CET" | b"CEST" | b"EST" | b"EDT" | b"PST" | b"PDT" | b"CST" | b"JST");
                    if year || zone {
                        end = next.end;
                    }
                }
            }
            let rest = line.get(end..)?;
            return Some(Stamp { usec: None, time: line.get(..end), rest: rest.strip_prefix(b" ").unwrap_or(rest), kind: Kind::Syslog });
        }
        let numbers = word.text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
        day |= numbers && matches!(word.text.len(), 1 | 2 | 10);
        at = word.end;
    }
    None
}

/// `01:26:57`, with any number of digits of a fraction.
fn clock(word: &[u8]) -> bool {
    let Some((clock, fraction)) = word.split_at_checked(8) else {
        return false;
    };
    let shape = clock.iter().enumerate().all(|(at, byte)| if at == 2 || at == 5 { *byte == b':' } else { byte.is_ascii_digit() });
    shape
        && (fraction.is_empty()
            || fraction.strip_prefix(b".").is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)))
}

pub(crate) struct Word<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) end: usize,
}

/// The next word of `line` from `at` on.
pub(crate) fn word_at(line: &[u8], at: usize) -> Option<Word<'_>> {
    let rest = line.get(at..)?;
    let skipped = rest.iter().take_while(|byte| **byte == b' ' || **byte == b'\t').count();
    let rest = rest.get(skipped..)?;
    let length = rest.iter().take_while(|byte| **byte != b' ' && **byte != b'\t').count();
    (length > 0).then_some(Word { text: rest.get(..length)?, end: at + skipped + length })
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}
