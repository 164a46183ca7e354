//! Bytes from outside as text that is safe to show.

/// Shows a process name or a path: printable ASCII as it is, everything else and the backslash as `\xNN`, as `/dev/kmsg` does.
///
/// At most `limit` bytes are given back; a longer text is cut after a whole character and ends in `…`.
pub fn printable(bytes: &[u8], limit: usize) -> String {
    const ELLIPSIS: char = '…';
    let mut text = String::with_capacity(bytes.len().min(limit));
    for &byte in bytes {
        let length = text.len();
        if (0x20..0x7f).contains(&byte) && byte != b'\\' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("\\x{byte:02x}"));
        }
        if text.len() > limit {
            text.truncate(length);
            while text.len() + ELLIPSIS.len_utf8() > limit && text.pop().is_some() {}
            if limit >= ELLIPSIS.len_utf8() {
                text.push(ELLIPSIS);
            }
            break;
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
        assert_eq!(printable(&[0xff; 100], 20), "\\xff\\xff\\xff\\xff\u{2026}");
        assert_eq!(printable(b"0123456789", 10), "0123456789");
        assert_eq!(printable(b"0123456789a", 10), "0123456\u{2026}");
        assert_eq!(printable(b"abc", 0), "");
    }
}
