//! A change of one scalar in the text of a document: all around it, comments included, stays as it is.

use crate::Document;
use serde_json::Value;
use std::ops::Range;

/// A piece of a file's text, and what is to stand there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the file, without a byte order mark.
    pub range: Range<usize>,
    /// What is to stand there.
    pub text: String,
    /// JSON pointer of the value in its document.
    pub pointer: String,
    /// The value that the new text means.
    pub value: Value,
}

impl Document {
    /// The edit that makes the scalar at the JSON pointer this text, in the style of what stands there. `None` where that is no scalar of its own: an alias, a
    /// value with an anchor or a tag, a block of several lines, something absent.
    pub fn rewrite(&self, pointer: &str, new: &str) -> Option<Edit> {
        let (range, written) = self.scalar(pointer)?;
        let text = match written.chars().next()? {
            '"' => double_quoted(new)?,
            '\'' if !new.contains(char::is_control) => format!("'{}'", new.replace('\'', "''")),
            _ if self.is_json() || !is_plain(new) => double_quoted(new)?,
            _ => new.to_owned(),
        };
        self.edit(range, text, pointer, new)
    }

    /// The edit that puts the scalar at the JSON pointer in quotes, so that it is text whatever it looks like.
    pub fn quote(&self, pointer: &str) -> Option<Edit> {
        let (range, written) = self.scalar(pointer)?;
        if written.starts_with(['"', '\'']) {
            return None;
        }
        let new = written.to_owned();
        self.edit(range, double_quoted(&new)?, pointer, &new)
    }

    fn edit(&self, range: Range<usize>, text: String, pointer: &str, new: &str) -> Option<Edit> {
        let start = self.start();
        let range = start.checked_add(range.start)?..start.checked_add(range.end)?;
        Some(Edit { range, text, pointer: pointer.to_owned(), value: Value::String(new.to_owned()) })
    }

    /// Where the scalar at the pointer stands in the document's text, and what is written there.
    fn scalar(&self, pointer: &str) -> Option<(Range<usize>, &str)> {
        let value = self.value.pointer(pointer).filter(|value| !value.is_object() && !value.is_array() && !value.is_null())?;
        let range = self.span(pointer)?;
        let written = self.text().get(range.clone())?;
        // Places fall back to what is around a value: only what means the same by itself is the value. A block scalar never does.
        let alone: Value = serde_saphyr::from_str_with_options(written, serde_saphyr::options! { legacy_octal_numbers: true }).ok()?;
        if alone != *value || written.contains('\n') {
            return None;
        }
        // Who else an anchor means is not known, and a tag gives the text another meaning.
        let before = self.text().get(..range.start)?.lines().last().unwrap_or_default().trim_end();
        let mark = before.rsplit([' ', '\t', ',', '[', '{', ':']).next().unwrap_or_default();
        (!mark.starts_with(['&', '!'])).then_some((range, written))
    }

    fn is_json(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(self.text()).is_ok()
    }
}

fn double_quoted(text: &str) -> Option<String> {
    // YAML reads what JSON writes.
    serde_json::to_string(text).ok()
}

/// Whether the text can stand without quotes anywhere and is read as text.
fn is_plain(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.'));
    let ends = !text.ends_with(':');
    let inner =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b':' | b'@' | b'+' | b'='));
    begins && ends && inner && matches!(serde_saphyr::from_str::<Value>(text), Ok(Value::String(read)) if read == text)
}

#[cfg(test)]
mod tests {
    use crate::{Edit, read};

    fn applied(file: &str, edit: Option<Edit>) -> Option<String> {
        let edit = edit?;
        let mut text = file.to_owned();
        text.replace_range(edit.range, &edit.text);
        Some(text)
    }

    fn rewritten(file: &str, pointer: &str, new: &str) -> Option<String> {
        let (documents, _) = read(file.as_bytes());
        applied(file, documents.last().unwrap().rewrite(pointer, new))
    }

    #[test]
    fn keeps_the_style_and_all_around() {
        for (file, want) in [
            ("a: 128m # why\n", "a: 128Mi # why\n"),
            ("x: 1\n---\r\na:   '128m'\r\n", "x: 1\n---\r\na:   '128Mi'\r\n"),
            ("{\"a\": \"128m\"}", "{\"a\": \"128Mi\"}"),
            ("{\"a\": 128}", "{\"a\": \"128Mi\"}"),
            ("{a: 128, b: c}", "{a: 128Mi, b: c}"),
            ("ü: ä\na: 128\n", "ü: ä\na: 128Mi\n"),
        ] {
            assert_eq!(rewritten(file, "/a", "128Mi").as_deref(), Some(want), "{file}");
        }
        assert_eq!(rewritten("a: x\n", "/a", "true").as_deref(), Some("a: \"true\"\n"));
        assert_eq!(rewritten("a: 'x'\n", "/a", "it's").as_deref(), Some("a: 'it''s'\n"));
    }

    #[test]
    fn leaves_alone_what_is_not_its_own() {
        for (file, pointer) in [
            ("a: &b 128m\nc: *b\n", "/a"),
            ("a: &b 128m\nc: *b\n", "/c"),
            ("a: !!str 128m\n", "/a"),
            ("b: &b {c: 128m}\na: *b\n", "/a/c"),
            ("a: |\n  128m\n", "/a"),
            ("a: 1\n", "/b"),
            ("a:\n", "/a"),
            ("a: [1]\n", "/a"),
        ] {
            assert_eq!(rewritten(file, pointer, "128Mi"), None, "{file}");
        }
    }

    #[test]
    fn quotes_what_is_written() {
        let quoted = |file: &str| {
            let (documents, _) = read(file.as_bytes());
            applied(file, documents[0].quote("/a"))
        };
        assert_eq!(quoted("a: 0644 # octal\n").as_deref(), Some("a: \"0644\" # octal\n"));
        assert_eq!(quoted("{a: yes}").as_deref(), Some("{a: \"yes\"}"));
        assert_eq!(quoted("a: 'yes'\n"), None);
    }
}
