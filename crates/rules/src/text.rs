//! Values from outside, made fit for a message of one line.

/// A value for a message: control characters escaped, at most `most` characters.
pub fn shown(value: &str, most: usize) -> String {
    let mut out = String::with_capacity(value.len().min(most.saturating_mul(4)));
    let mut length = 0;
    for c in value.chars() {
        let escaped: String = if c.is_control() || is_invisible(c) { c.escape_default().collect() } else { c.to_string() };
        let width = escaped.chars().count();
        if length + width > most {
            // What is cut off is replaced by the mark, which needs a place of its own.
            while length + 1 > most {
                out.pop();
                length -= 1;
            }
            out.push('…');
            return out;
        }
        length += width;
        out.push_str(&escaped);
    }
    out
}

/// Marks that change the direction of text or cannot be seen: they could make a message look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_shortens() {
        assert_eq!(shown("a\nb\u{1b}[1m", 40), "a\\nb\\u{1b}[1m");
        assert_eq!(shown("a\u{202e}b", 40), "a\\u{202e}b");
        assert_eq!(shown("abcdef", 4), "abc…");
        assert_eq!(shown("abcd", 4), "abcd");
        assert_eq!(shown("内存不足", 3), "内存…");
    }
}
