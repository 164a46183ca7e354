//! The answer of one run of `check`.

use podsight_rules::{Certainty, Finding};
use podsight_spec::{Document, Edit, Position, Workload};

/// No more of a line than this is shown, in bytes.
const LONGEST_LINE: usize = 240;

/// The answer of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The files that were read, in their order.
    pub files: Vec<String>,
    /// How many workloads there are in them.
    pub workloads: usize,
    /// What was found, in the order of the files and of their lines.
    pub items: Vec<Item>,
    /// What could not be read.
    pub problems: Vec<FileProblem>,
}

/// One finding in a file.
#[derive(Clone, Debug)]
pub struct Item {
    /// The path as the user gave it or found below it.
    pub file: String,
    /// Where in the file.
    pub position: Option<Position>,
    /// `apiVersion` of the object.
    pub api_version: String,
    /// `kind` of the object.
    pub kind: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The finding.
    pub finding: Finding,
    /// The line that it stands in.
    pub excerpt: Option<Excerpt>,
    /// What changes in the file to mend it, where there is one safe answer.
    pub edit: Option<Edit>,
}

/// One line of a file and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The line's text; control characters are replaced.
    pub text: String,
    /// The part that is meant, in bytes of the text.
    pub span: std::ops::Range<usize>,
}

/// A part of a file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The path as the user gave it or found below it.
    pub file: String,
    /// The line, where it is known.
    pub line: Option<u32>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Item {
    /// A finding in a workload of a document.
    pub fn new(file: &str, document: &Document, workload: &Workload<'_>, finding: Finding) -> Self {
        let pointer = format!("{}{}", workload.object_pointer, finding.pointer);
        Self {
            file: file.to_owned(),
            position: document.position(&pointer),
            api_version: workload.api_version.to_owned(),
            kind: workload.kind.to_owned(),
            namespace: workload.namespace.map(str::to_owned),
            name: workload.name.map(str::to_owned),
            excerpt: excerpt(document, &pointer),
            edit: finding.fix.as_ref().and_then(|fix| {
                let pointer = format!("{}{}", workload.object_pointer, fix.pointer);
                match &fix.text {
                    Some(text) => document.rewrite(&pointer, text),
                    None => document.quote(&pointer),
                }
            }),
            finding,
        }
    }

    /// `Kind/name[container]`, made fit for one line.
    pub fn subject(&self) -> String {
        use podsight_rules::shown;
        let mut subject = shown(&self.kind, 64);
        if let Some(name) = &self.name {
            subject.push('/');
            subject.push_str(&shown(name, 128));
        }
        if let Some(container) = &self.finding.container {
            subject.push('[');
            subject.push_str(&shown(container, 128));
            subject.push(']');
        }
        subject
    }
}

impl Report {
    /// Whether something was found that is at least so sure.
    pub fn has(&self, certainty: Certainty) -> bool {
        self.items.iter().any(|item| item.finding.certainty >= certainty)
    }
}

fn excerpt(document: &Document, pointer: &str) -> Option<Excerpt> {
    let span = document.span(pointer)?;
    let text = document.text();
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.lines().next()?;
    let line = line.get(..line.floor_char_boundary(LONGEST_LINE))?;
    let from = (span.start - start).min(line.len());
    let to = span.end.saturating_sub(start).clamp(from, line.trim_end().len().max(from));
    // Each control character is replaced by as many marks as it has bytes, so that the span stays right.
    let shown = line.chars().fold(String::with_capacity(line.len()), |mut shown, c| {
        match c {
            '\t' => shown.push(' '),
            c if c.is_control() || podsight_rules::shown(c.encode_utf8(&mut [0; 4]), 1).starts_with('…') => {
                shown.push_str("????".get(..c.len_utf8()).unwrap_or("?"));
            }
            c => shown.push(c),
        }
        shown
    });
    Some(Excerpt { text: shown, span: from..to })
}

/// Puts a line at the end of a text.
pub(crate) fn add_line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
