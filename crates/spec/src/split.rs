//! Documents of a YAML stream, cut at the lines where kubectl cuts them, so that a broken document does not take the others with it.

/// One document's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The text, with its `---` line in front where it has one.
    pub(crate) text: &'a str,
    /// The number of its first line in the file, from 1.
    pub(crate) line: u32,
    /// Where the text begins in the file, in bytes.
    pub(crate) start: usize,
}

/// Cuts a text at its `---` lines; documents of nothing but comments are left out.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let (mut offset, mut line) = (0, 1_u32);
    for content in text.split_inclusive('\n') {
        if is_separator(content) && !is_directives(text.get(start..offset).unwrap_or_default()) {
            push(&mut parts, text, start..offset, start_line);
            (start, start_line) = (offset, line);
        }
        offset += content.len();
        line = line.saturating_add(1);
    }
    push(&mut parts, text, start..text.len(), start_line);
    parts
}

fn push<'a>(parts: &mut Vec<Part<'a>>, text: &'a str, range: std::ops::Range<usize>, line: u32) {
    let start = range.start;
    let text = text.get(range).unwrap_or_default();
    let says_something = text.lines().any(|line| {
        let line = line.trim();
        let line = line.strip_prefix("---").map_or(line, str::trim_start);
        !line.is_empty() && !line.starts_with('#') && line != "..." && line != "\u{feff}"
    });
    if says_something {
        parts.push(Part { text, line, start });
    }
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether the text holds a directive (`%YAML 1.2`) and no document yet: the `---` behind it belongs to it.
fn is_directives(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    lines.peek().is_some() && lines.all(|line| line.starts_with('%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_where_kubectl_cuts() {
        let text = "# head\n---\na: 1\n--- # next\nb: |\n  ---\n---x: 1\n---\r\n\r\n---\n---\nc: 3";
        let found: Vec<(u32, &str)> = parts(text).iter().map(|part| (part.line, part.text)).collect();
        assert_eq!(found, [(2, "---\na: 1\n"), (4, "--- # next\nb: |\n  ---\n---x: 1\n"), (11, "---\nc: 3")]);
    }

    #[test]
    fn keeps_directives_with_their_document() {
        assert_eq!(parts("%YAML 1.2\n---\na: 1\n"), [Part { text: "%YAML 1.2\n---\na: 1\n", line: 1, start: 0 }]);
        assert!(parts("").is_empty() && parts("# only\n---\n...\n").is_empty());
    }
}
