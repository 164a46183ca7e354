//! Explanations as text, JSON, Markdown and HTML.

/// Whether a character could change what a terminal or a reader sees beyond its own place: controls and marks of direction.
pub fn hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
