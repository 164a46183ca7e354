//! `cargo xtask gen`.

use anyhow::{Context, Result, bail};
use podsight_testbed::command;

/// The tests that hold generated documents against the code; told to, they write them instead.
const WRITERS: [&[&str]; 2] = [
    &["--package", "podsight-rules", "--test", "pages"],
    &["--package", "podsight-tests", "--test", "repo", "generated_documents_are_fresh"],
];

/// Writes the generated documents.
pub(crate) fn run() -> Result<()> {
    for arguments in WRITERS {
        let mut cargo = command::cargo();
        cargo.args(["test", "--quiet"]).args(arguments).env("PODSIGHT_WRITE_PAGES", "1");
        if !cargo.status().context("start cargo")?.success() {
            bail!("the documents of {} could not be written", arguments.get(1).copied().unwrap_or_default());
        }
    }
    Ok(())
}
