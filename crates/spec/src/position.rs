//! Where values stand in a document: JSON pointer → place in the text.

use granit_parser::{Event, Parser, Span};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;

/// The places of all values of one document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// By the hash of the pointer, so that a large document costs no text for each value.
    by_pointer: HashMap<u64, Range<usize>>,
    /// Where each line begins, so that a place far down costs no more than one at the top.
    line_starts: Vec<usize>,
}

/// What the parser is within.
enum Frame {
    /// A mapping: the hash of its pointer, and the key that was read last with its place.
    Mapping { pointer: DefaultHasher, key: Option<(DefaultHasher, Range<usize>)> },
    /// A sequence: the hash of its pointer and the number of the next item.
    Sequence { pointer: DefaultHasher, next: usize },
    /// A key that is a collection, or what it holds.
    Skipped,
}

impl Places {
    /// Reads the places of the first document in the text. What comes behind an error is left out.
    pub(crate) fn of(text: &str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut places = Self { line_starts, ..Self::default() };
        let mut frames: Vec<Frame> = Vec::new();
        let options = granit_parser::options! { emit_comments: false };
        for event in Parser::new_from_str_with_options(text, options) {
            let Ok((event, span)) = event else { break };
            match event {
                Event::Scalar(ref value, ..) => {
                    if let Some(Frame::Mapping { pointer, key: key @ None }) = frames.last_mut() {
                        *key = Some((child(pointer, value), range(&span)));
                    } else {
                        places.value(&mut frames, range(&span), false);
                    }
                }
                Event::Alias(_) => {
                    if let Some(Frame::Mapping { pointer, key: key @ None }) = frames.last_mut() {
                        *key = Some((child(pointer, ""), range(&span)));
                    } else {
                        places.value(&mut frames, range(&span), false);
                    }
                }
                Event::MappingStart(..) | Event::SequenceStart(..) => {
                    let sequence = matches!(event, Event::SequenceStart(..));
                    if matches!(frames.last(), Some(Frame::Mapping { key: None, .. } | Frame::Skipped)) {
                        frames.push(Frame::Skipped);
                        continue;
                    }
                    let pointer = places.value(&mut frames, range(&span), true);
                    frames.push(if sequence { Frame::Sequence { pointer, next: 0 } } else { Frame::Mapping { pointer, key: None } });
                }
                Event::MappingEnd | Event::SequenceEnd => {
                    let ended = frames.pop();
                    // A collection as a key has no pointer: the value behind it is skipped by an empty key.
                    if let (Some(Frame::Skipped), Some(Frame::Mapping { pointer, key: key @ None })) = (ended, frames.last_mut()) {
                        *key = Some((child(pointer, ""), range(&span)));
                    }
                }
                Event::DocumentEnd => break,
                _ => {}
            }
        }
        places
    }

    /// The place of the value at the pointer, or of the nearest value around it.
    pub(crate) fn get(&self, pointer: &str) -> Option<Range<usize>> {
        let mut pointer = pointer;
        loop {
            let mut hasher = DefaultHasher::new();
            for token in pointer.split('/').skip(1) {
                if token.contains('~') {
                    write(&mut hasher, &token.replace("~1", "/").replace("~0", "~"));
                } else {
                    write(&mut hasher, token);
                }
            }
            if let Some(place) = self.by_pointer.get(&hasher.finish()) {
                return Some(place.clone());
            }
            pointer = pointer.get(..pointer.rfind('/')?)?;
        }
    }

    /// The number of the line that a byte is in, from 0, and where that line begins.
    pub(crate) fn line(&self, byte: usize) -> (usize, usize) {
        let number = self.line_starts.partition_point(|start| *start <= byte).saturating_sub(1);
        (number, self.line_starts.get(number).copied().unwrap_or(0))
    }

    /// Notes the place of a value and gives the hash of its pointer. A collection is shown by its key, where it has one.
    fn value(&mut self, frames: &mut [Frame], place: Range<usize>, collection: bool) -> DefaultHasher {
        let (pointer, place) = match frames.last_mut() {
            None => (DefaultHasher::new(), place),
            Some(Frame::Mapping { pointer, key }) => match key.take() {
                Some((pointer, key)) => {
                    // An empty value (`image:`) has no text of its own.
                    let shown = if collection || place.is_empty() { key } else { place };
                    (pointer, shown)
                }
                None => (pointer.clone(), place),
            },
            Some(Frame::Sequence { pointer, next }) => {
                let item = child(pointer, &next.to_string());
                *next += 1;
                (item, place)
            }
            Some(Frame::Skipped) => return DefaultHasher::new(),
        };
        self.by_pointer.insert(pointer.finish(), place);
        pointer
    }
}

fn child(pointer: &DefaultHasher, token: &str) -> DefaultHasher {
    let mut hasher = pointer.clone();
    write(&mut hasher, token);
    hasher
}

fn write(hasher: &mut DefaultHasher, token: &str) {
    hasher.write_usize(token.len());
    hasher.write(token.as_bytes());
}

fn range(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'a>(text: &'a str, pointer: &str) -> &'a str {
        Places::of(text).get(pointer).and_then(|place| text.get(place)).unwrap_or("(nowhere)")
    }

    #[test]
    fn finds_values_in_all_styles() {
        let text = "a: {b: [1, 'zwei']}\nc:\n  - d: e\n    f/g: ü\n  -\n    h: >\n      i\n";
        assert_eq!(shown(text, "/a/b/1"), "'zwei'");
        assert_eq!(shown(text, "/c/0/d"), "e");
        assert_eq!(shown(text, "/c/0/f~1g"), "ü");
        assert_eq!(shown(text, "/c"), "c");
        assert_eq!(shown(text, "/a/b"), "b");
    }

    #[test]
    fn falls_back_to_the_value_around() {
        let text = "a:\n  b:\nx: 1\n";
        assert_eq!(shown(text, "/a/b/c/d"), "b");
        assert_eq!(shown(text, "/a/missing"), "a");
    }

    #[test]
    fn survives_aliases_odd_keys_and_errors() {
        let text = "a: &x {b: 1}\nc: *x\n? [k, l]\n: m\n? {n: o}\n: p\nd: e\nf: [g";
        assert_eq!(shown(text, "/c/b"), "*x");
        assert_eq!(shown(text, "/d"), "e");
    }
}
