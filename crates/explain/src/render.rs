//! Explanations as text, JSON, Markdown and HTML.

mod html;
mod json;
mod markdown;
mod text;
mod words;

pub use html::html;
pub use json::{SCHEMA, json};
pub use markdown::markdown;
pub use text::{Line, lines, text};

use std::borrow::Cow;

/// Whether a character could change what a terminal or a reader sees beyond its own place: controls and marks of direction.
pub fn hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line, with what could do harm escaped.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\n' | '\r' | '\t' => clean.push(' '),
            c if hostile(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}
