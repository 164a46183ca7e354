//! The real programs, built as the tests are.

use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;

/// The path of a program of the workspace, which is built if need be.
///
/// `package` is a package's name, `program` its binary's. The profile is that of the calling test.
pub fn program(package: &str, program: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("failed to find the running test")?;
    // target/debug/deps/server-0123456789abcdef, or target/debug/webhook_load
    let folder = test.parent().context("the running test is in no folder")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    let mut build = podsight_testbed::command::cargo();
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--bin", program]);
    match folder.file_name().and_then(|name| name.to_str()) {
        // With a test of the workspace the libraries have the features that `cargo test --workspace` gives them: they are built already.
        Some("debug") | None => build.args(["--workspace", "--test", "repo"]),
        Some(profile) => build.args(["--package", package, "--profile", profile]),
    };
    if let Some(target) = folder.parent() {
        build.arg("--target-dir").arg(target);
    }
    ensure!(build.status().context("failed to run cargo")?.success(), "failed to build {program}");
    Ok(folder.join(program))
}
