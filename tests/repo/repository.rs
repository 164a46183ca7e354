//! The files of the repository.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file, given from the root.
pub(crate) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("failed to read {path}"))
}

/// Every file that belongs to the repository, from its root, in order. New files count before they are committed.
pub(crate) fn files() -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .context("failed to run `git ls-files`: install git")?;
    if !output.status.success() {
        bail!("`git ls-files` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut files: Vec<String> = String::from_utf8(output.stdout)
        .context("a file name is not UTF-8")?
        .split_terminator('\0')
        .map(str::to_owned)
        // A file that is deleted and not yet committed is listed too.
        .filter(|path| root().join(path).is_file())
        .collect();
    files.sort();
    Ok(files)
}

/// The extension of a file name, or nothing.
pub(crate) fn extension(path: &str) -> &str {
    Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}
