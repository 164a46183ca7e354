//! A text of the input together with the place it stands at.

use crate::explanation::{Evidence, Source};

/// The longest text that is taken over, in characters.
const LONGEST: usize = 1000;

/// A text with its place.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) source: Source,
    pub(crate) pointer: String,
    pub(crate) text: String,
    lower: String,
}

impl Quote {
    pub(crate) fn new(source: Source, pointer: impl Into<String>, text: &str) -> Self {
        let text = bounded(text, LONGEST * 4);
        Self { source, pointer: pointer.into(), lower: text.to_lowercase(), text }
    }

    /// Whether it holds one of the texts, which must be in lower case.
    pub(crate) fn has(&self, needles: &[&str]) -> bool {
        needles.iter().any(|needle| self.lower.contains(needle))
    }

    /// Whether it holds one of the texts as whole words, which must be in lower case.
    pub(crate) fn has_words(&self, needles: &[&str]) -> bool {
        holds_words(&self.lower, needles)
    }

    /// The words after `start` up to `end`, which must be in lower case.
    pub(crate) fn between(&self, start: &str, end: &str) -> Option<&str> {
        let from = self.lower.find(start)? + start.len();
        let rest = self.lower.get(from..)?;
        let length = if end.is_empty() { rest.len() } else { rest.find(end)? };
        // Lower case may be longer or shorter than the text it was made from; then the place is lost and nothing is quoted.
        (self.lower.len() == self.text.len()).then(|| self.text.get(from..from + length)).flatten().map(str::trim)
    }

    pub(crate) fn evidence(&self) -> Evidence {
        Evidence { source: self.source, pointer: self.pointer.clone(), text: bounded(self.text.trim(), LONGEST) }
    }
}

/// Whether the text, in lower case, holds one of the needles and no letter or digit goes on before or after it.
pub(crate) fn holds_words(lower: &str, needles: &[&str]) -> bool {
    let joins = |side: Option<char>, edge: Option<char>| [side, edge].iter().all(|c| c.is_some_and(char::is_alphanumeric));
    needles.iter().any(|needle| {
        lower.match_indices(needle).any(|(start, found)| {
            let (before, after) = (lower.get(..start).unwrap_or_default(), lower.get(start + found.len()..).unwrap_or_default());
            !joins(before.chars().next_back(), found.chars().next()) && !joins(after.chars().next(), found.chars().next_back())
        })
    })
}

/// The text, cut in the middle where it is longer than `most` characters.
pub(crate) fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most || text.chars().count() <= most {
        return text.to_owned();
    }
    let (head, tail) = (most * 2 / 3, most / 3);
    let length = text.chars().count();
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start} … {end}")
}
