//! `--fix`: what has one safe answer, as a difference or written to the files.

use super::run::Outcome;
use crate::output;
use anyhow::Context as _;
use clap::ValueEnum;
use podsight_report::fix;
use podsight_spec::Edit;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

/// What to do with what can be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fix {
    /// Print the difference and change nothing
    Diff,
    /// Change the files
    Write,
}

/// Files that were mended: name, text before and after, number of edits.
struct Mended {
    file: String,
    old: String,
    new: String,
    edits: usize,
}

/// The differences of all files, one behind the other, and a word on how many findings they mend.
pub(crate) fn diff(outcome: &Outcome) -> String {
    let mended = mended(outcome);
    let edits: usize = mended.iter().map(|mended| mended.edits).sum();
    let found = outcome.report.items.len();
    if edits == 0 {
        output::note(&format!("nothing of {found} findings has one safe answer"));
    } else {
        output::note(&format!("{edits} of {found} findings can be mended: podsight check --fix=write does it"));
    }
    mended.iter().map(|mended| fix::diff(&mended.file, &mended.old, &mended.new)).collect::<Vec<_>>().concat()
}

/// Changes the files. Each is replaced as a whole, so that none is left half written.
pub(crate) fn write(outcome: &Outcome) -> anyhow::Result<()> {
    let mended = mended(outcome);
    for mended in &mended {
        replace(Path::new(&mended.file), &mended.new).with_context(|| format!("failed to write {}", mended.file))?;
        let edits = mended.edits;
        output::note(&format!("{}: {edits} {}", mended.file, if edits == 1 { "change" } else { "changes" }));
    }
    Ok(())
}

fn mended(outcome: &Outcome) -> Vec<Mended> {
    let mut by_file: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
    for item in &outcome.report.items {
        if let Some(edit) = &item.edit {
            by_file.entry(&item.file).or_default().push(edit.clone());
        }
    }
    let mut all = Vec::new();
    for (file, edits) in by_file {
        let bytes = if file == "-" { outcome.standard.clone() } else { std::fs::read(file).ok() };
        // What is no text any more has changed since.
        let Some(old) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
        let (mark, text) = old.strip_prefix('\u{feff}').map_or(("", old.as_str()), |text| ("\u{feff}", text));
        if let Some(fixed) = fix::fixed(text, &edits) {
            let new = format!("{mark}{}", fixed.text);
            all.push(Mended { file: file.to_owned(), old, new, edits: fixed.edits });
        }
    }
    all
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // Where the path is a link, the file behind it is meant.
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
    draft.persist(&path)?;
    Ok(())
}
