//! A record, and the form that `/dev/kmsg` gives it.

use std::borrow::Cow;

/// One record of the kernel log, whatever form it was read in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// The sequence number; only `/dev/kmsg` gives it.
    pub seq: Option<u64>,
    /// Microseconds since boot by the kernel's `local_clock()`.
    pub usec: Option<u64>,
    /// The wall clock as the log wrote it (`dmesg -T`, journal, syslog), as text for people.
    pub time: Option<Cow<'a, str>>,
    /// The facility (0 is the kernel); absent where the form does not give it.
    ///
    /// Where a form gives the name of the program and no facility (syslog files), 0 stands for `kernel` and 1 for all others.
    pub facility: Option<u16>,
    /// The severity, 0 to 7.
    pub level: Option<u8>,
    /// The message without framing, escapes undone.
    pub text: Cow<'a, [u8]>,
    /// How the line stands to the one before it.
    pub place: Place,
    /// Records that are missing between the record before this one and this one, by their sequence numbers.
    pub lost: u64,
}

impl Record<'_> {
    /// Whether the form says that somebody else than the kernel wrote the record.
    ///
    /// `devkmsg_write` (kernel/printk/printk.c) lets nobody write facility 0, so what has it cannot be forged.
    pub fn is_foreign(&self) -> bool {
        self.facility.is_some_and(|facility| facility != 0)
    }
}

/// How a line stands to the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// A record of its own.
    #[default]
    Own,
    /// Indented by the width of the frame before it: how `dmesg` and `journalctl` show a record with a newline in it.
    Indented,
    /// Without a frame in a log that has them, or in a log without any: it may be the rest of a wrapped line.
    Bare,
}

/// Reads one record of `/dev/kmsg`, `prio,seq,usec,flags[,…];text` (Documentation/ABI/testing/dev-kmsg).
///
/// The dictionary, lines that begin with a space, is left out. Unknown fields in the header are skipped.
pub fn kmsg_record(bytes: &[u8]) -> Option<Record<'_>> {
    let (header, text) = kmsg_header(bytes)?;
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    Some(Record {
        seq: Some(header.seq),
        usec: Some(header.usec),
        facility: Some(header.facility),
        level: Some(header.level),
        text: unescape(text.get(..end).unwrap_or_default()),
        ..Record::default()
    })
}

/// The numbers in front of a record.
pub(crate) struct KmsgHeader {
    pub(crate) facility: u16,
    pub(crate) level: u8,
    pub(crate) seq: u64,
    pub(crate) usec: u64,
}

/// The header and what comes after the semicolon.
pub(crate) fn kmsg_header(bytes: &[u8]) -> Option<(KmsgHeader, &[u8])> {
    let (prio, rest) = number(bytes)?;
    let (seq, rest) = number(rest.strip_prefix(b",")?)?;
    let (usec, rest) = number(rest.strip_prefix(b",")?)?;
    let rest = rest.strip_prefix(b",")?;
    // Flags and optional fields; they hold neither a semicolon nor a newline.
    let text = if let [b'-', b';', text @ ..] = rest {
        text
    } else {
        let end = memchr::memchr2(b';', b'\n', rest)?;
        rest.get(end..)?.strip_prefix(b";")?
    };
    let facility = u16::try_from(prio >> 3).ok()?;
    let level = u8::try_from(prio & 7).ok()?;
    Some((KmsgHeader { facility, level, seq, usec }, text))
}

/// A decimal number at the start.
pub(crate) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut digits = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        // 19 digits cannot overflow.
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        digits += 1;
    }
    if digits == 0 || digits > 19 { None } else { Some((value, bytes.get(digits..)?)) }
}

/// Undoes the escapes of `/dev/kmsg`: bytes below 0x20, from 0x7f on and the backslash are written `\xNN` (`append_char`, kernel/printk/printk.c).
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', text) else {
        return Cow::Borrowed(text);
    };
    let (before, mut rest) = text.split_at_checked(first).unwrap_or((text, b""));
    let mut plain = before.to_vec();
    while let Some(byte) = rest.first() {
        match rest {
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            [_, after @ ..] => {
                plain.push(*byte);
                rest = after;
            }
            [] => {}
        }
    }
    Cow::Owned(plain)
}

/// Undoes what rsyslog does to control characters: `#` and three octal digits (`$EscapeControlCharactersOnReceive`).
pub(crate) fn unescape_octal(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'#', text) else {
        return Cow::Borrowed(text);
    };
    let (before, mut rest) = text.split_at_checked(first).unwrap_or((text, b""));
    let mut plain = before.to_vec();
    while let Some((byte, after)) = rest.split_first() {
        match rest {
            [b'#', b'0', high @ b'0'..=b'3', low @ b'0'..=b'7', after @ ..] => {
                plain.push((high - b'0') << 3 | (low - b'0'));
                rest = after;
            }
            [b'#', b'1', b'7', b'7', after @ ..] => {
                plain.push(0x7f);
                rest = after;
            }
            _ => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    Cow::Owned(plain)
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// Writes text as `/dev/kmsg` does, so that any bytes are one line of printable ASCII.
pub fn escape(text: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut line = String::with_capacity(text.len());
    for byte in text {
        if (0x20..0x7f).contains(byte) && *byte != b'\\' {
            line.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            write!(line, "\\x{byte:02x}").unwrap_or_default();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record() {
        let record = kmsg_record(b"6,2697,3812808832,-;oom-kill:constraint=CONSTRAINT_MEMCG\n SUBSYSTEM=mm\n").unwrap();
        assert_eq!((record.seq, record.usec, record.facility, record.level), (Some(2697), Some(3_812_808_832), Some(0), Some(6)));
        assert_eq!(&*record.text, b"oom-kill:constraint=CONSTRAINT_MEMCG");
    }

    #[test]
    fn facilities() {
        assert!(!kmsg_record(b"3,1,2,-;x").unwrap().is_foreign());
        assert!(kmsg_record(b"11,1,2,-;x").unwrap().is_foreign());
        assert_eq!(kmsg_record(b"30,1,2,-;x").unwrap().facility, Some(3));
    }

    #[test]
    fn unknown_header_fields_are_skipped() {
        for header in ["4,9,8,c", "4,9,8,+", "4,9,8,-,caller=T12", "4,9,8,-,caller=C0,more=1,cpu=2,pid=3,comm=x"] {
            let record = format!("{header};text; with, more");
            let record = kmsg_record(record.as_bytes()).unwrap();
            assert_eq!(&*record.text, b"text; with, more", "{header}");
            assert_eq!(record.seq, Some(9), "{header}");
        }
    }

    #[test]
    fn what_is_no_record() {
        for text in
            ["", "6", "6,", "6,1,2", "6,1,2,-", "6,1,2,-\n;", ",1,2,-;", "-6,1,2,-;x", "6,99999999999999999999999,2,-;x", " KEY=value"]
        {
            assert_eq!(kmsg_record(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(&*unescape(b"a\\x0ab\\xc3\\xa9 \\x5cz"), "a\nbé \\z".as_bytes());
        assert_eq!(&*unescape(b"\\x5cx41 \\x4 \\y \\"), b"\\x41 \\x4 \\y \\");
        assert_eq!(escape("a\nbé \\z".as_bytes()), "a\\x0ab\\xc3\\xa9 \\x5cz");
    }

    proptest::proptest! {
        #[test]
        fn escapes_come_back(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let escaped = escape(&text);
            assert_eq!(&*unescape(escaped.as_bytes()), &text[..]);
            let line = format!("12,3,4,-;{escaped}");
            assert_eq!(&*kmsg_record(line.as_bytes()).unwrap().text, &text[..]);
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _record = kmsg_record(&bytes);
            let _text = unescape(&bytes);
        }
    }
}
