//! Lines that a log shows in pieces.
//!
//! A newline in a process name makes two lines of one record everywhere but in `/dev/kmsg`; terminals and mail wrap long lines; and the kernel
//! prints `oom-kill:` bit by bit. The grammar says whether a text is whole, so pieces are put together until it is.

use crate::line::{Killed, Line, Reading, continues_constraint, read};
use podsight_kmsg::{Place, Record};

/// A name has room for 15 newlines; a wrapped line has no more rows than that either.
const MAX_PIECES: usize = 20;
/// Lines are not wrapped in fewer columns.
const MIN_COLUMNS: usize = 60;
/// Longer than any record of the kernel with its paths.
const MAX_BYTES: usize = 16 * 1024;

/// A line whose end is still to come.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The first piece's record, with all the text so far.
    pub(crate) record: Record<'static>,
    pieces: usize,
    /// How long the text was when it last made a whole line by itself.
    whole: Option<usize>,
}

impl Piece {
    /// The start of a line that `reading` says breaks off, or may.
    pub(crate) fn start(record: &Record<'_>, reading: &Reading<'_>) -> Option<Self> {
        let whole = match reading {
            Reading::Either(_) => Some(record.text.len()),
            Reading::Start(_) => None,
            Reading::Whole(_) | Reading::No => return None,
        };
        (record.text.len() <= MAX_BYTES).then(|| Self { record: record.clone().owned(), pieces: 1, whole })
    }

    /// Adds `next` if it is the rest, or a further part, of the line.
    pub(crate) fn join(&mut self, next: &Record<'_>) -> bool {
        if self.pieces >= MAX_PIECES || self.record.text.len() + next.text.len() > MAX_BYTES || next.lost > 0 || next.is_foreign() {
            return false;
        }
        let separators: &[&[u8]] = match next.place {
            Place::Indented => &[b"\n"],
            // A wrapped line breaks anywhere or at a space, but no line is wrapped as short as this.
            Place::Bare if self.record.place == Place::Bare && self.record.text.len() < MIN_COLUMNS && self.pieces == 1 => {
                &[b"\n", b"", b" "]
            }
            Place::Bare if next.usec.is_none() => &[b"", b" ", b"\n"],
            Place::Bare | Place::Own => {
                let same_record =
                    self.record.usec.is_some() && self.record.usec == next.usec && self.record.level == next.level && next.seq.is_none();
                if same_record {
                    &[b"\n", b""]
                } else if continues_constraint(&next.text)
                    || next.text.starts_with(b" killed as a result of ")
                    || next.text.starts_with(b" as a result of ")
                {
                    &[b""]
                } else {
                    return false;
                }
            }
        };
        // What is a line by itself is not the rest of another, and what begins one is only where that makes a whole line.
        let begins = match read(&next.text) {
            Reading::Whole(_) | Reading::Either(_) => return false,
            Reading::Start(_) => true,
            Reading::No => false,
        };
        let before = read(&self.record.text);
        for separator in separators {
            let joined = [&self.record.text, *separator, next.text.as_ref()].concat();
            let reading = read(&joined);
            // A newline may be a part of the name, whose end is then still to come.
            let may_go_on = *separator == b"\n" && reading != Reading::No;
            let is_rest = if begins { matches!(reading, Reading::Whole(_)) } else { may_go_on || is_better(&before, &reading) };
            if !is_rest {
                continue;
            }
            if matches!(reading, Reading::Whole(_) | Reading::Either(_)) {
                self.whole = Some(joined.len());
            }
            self.record.text = joined.into();
            self.pieces += 1;
            return true;
        }
        false
    }

    /// Whether it may be given out although more may come.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// The line, as long as it last made sense.
    pub(crate) fn into_record(self) -> Record<'static> {
        let mut text = self.record.text.into_owned();
        text.truncate(self.whole.unwrap_or(text.len()));
        Record { text: text.into(), ..self.record }
    }

    /// Whether nothing can come after it any more.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(read(&self.record.text), Reading::Whole(_))
    }
}

/// Whether a longer text says more than the shorter one did.
fn is_better(before: &Reading<'_>, joined: &Reading<'_>) -> bool {
    let sizes = |line: &Killed<'_>| {
        let sizes = [line.total_vm_kb, line.anon_rss_kb, line.file_rss_kb, line.shmem_rss_kb, line.pgtables_kb];
        sizes.iter().flatten().count() + usize::from(line.uid.is_some())
    };
    match (before, joined) {
        (_, Reading::Whole(_)) => true,
        (Reading::Either(Line::Killed(before)), Reading::Either(Line::Killed(joined)) | Reading::Start(Some(Line::Killed(joined)))) => {
            sizes(joined) > sizes(before)
        }
        (Reading::Either(_), _) | (_, Reading::No) => false,
        (_, _) => true,
    }
}
