//! Bytes from outside as text that is safe to show.

use std::fmt::Write;

/// What ends a text that was cut.
const CUT: &str = "...";

/// Shows a process name or a path: printable ASCII as it is, everything else and the backslash as `\xNN`, as `/dev/kmsg` does.
///
/// At most `limit` bytes are given back; a longer text is cut after a whole character and ends in `...`.
pub fn printable(bytes: &[u8], limit: usize) -> String {
    let mut text = String::with_capacity(bytes.len().min(limit));
    let mut cut_at = 0;
    for &byte in bytes {
        if (0x20..0x7f).contains(&byte) && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _written = write!(text, "\\x{byte:02x}");
        }
        if text.len() > limit {
            text.truncate(cut_at);
            text.push_str(CUT.get(..limit.min(CUT.len())).unwrap_or_default());
            break;
        }
        if text.len() + CUT.len() <= limit {
            cut_at = text.len();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_plain_text() {
        assert_eq!(printable(b"work", 64), "work");
        assert_eq!(printable(b"a\nb\xc3\xa9 \\z", 64), "a\\x0ab\\xc3\\xa9 \\x5cz");
        assert_eq!(printable(&[0xff; 100], 20), "\\xff\\xff\\xff\\xff...");
        assert_eq!(printable(b"0123456789", 10), "0123456789");
        assert_eq!(printable(b"0123456789a", 10), "0123456...");
        assert_eq!(printable(b"abc", 0), "");
    }
}
