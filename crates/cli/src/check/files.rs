//! Which files a run reads, in which order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How deep folders are followed.
const DEEPEST: usize = 64;

/// One input of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Standard,
    /// A file, and whether the user named it.
    File(PathBuf),
    /// A path that cannot be looked at, and why.
    Unreadable(PathBuf, String),
}

/// The inputs in the order of the arguments, folders in the order of their names. Each file comes once.
pub(crate) fn inputs(paths: &[PathBuf]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        if path.as_os_str() == "-" {
            if !inputs.contains(&Input::Standard) {
                inputs.push(Input::Standard);
            }
            continue;
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => folder(path, 0, &mut seen, &mut inputs),
            Ok(_) => file(path.clone(), &mut seen, &mut inputs),
            Err(error) => inputs.push(Input::Unreadable(path.clone(), reason(&error))),
        }
    }
    inputs
}

fn folder(path: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, inputs: &mut Vec<Input>) {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return inputs.push(Input::Unreadable(path.to_owned(), reason(&error))),
    };
    let mut entries: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        // A link to a folder is not followed: it may lead in a circle, and its files are found where they lie.
        let is_link = std::fs::symlink_metadata(&entry).is_ok_and(|metadata| metadata.is_symlink());
        let Ok(metadata) = std::fs::metadata(&entry) else { continue };
        if metadata.is_dir() {
            let is_git = entry.file_name().is_some_and(|name| name == ".git");
            if !is_link && !is_git && depth < DEEPEST {
                folder(&entry, depth + 1, seen, inputs);
            }
        } else if metadata.is_file() && is_manifest(&entry) {
            file(entry, seen, inputs);
        }
    }
}

fn file(path: PathBuf, seen: &mut BTreeSet<PathBuf>, inputs: &mut Vec<Input>) {
    let same = path.canonicalize().unwrap_or_else(|_| path.clone());
    if seen.insert(same) {
        inputs.push(Input::File(path));
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// An error of the system without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
