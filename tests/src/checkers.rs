//! Programs of others that `deploy/` is held against, as `cargo xtask test` builds them.

use anyhow::{Context as _, Result};
use podsight_testbed::build;
use std::path::PathBuf;
use std::process::Command;

/// `helm`, `promtool` or `kubectl`. A test that needs one that has not been built is skipped, and says so.
pub fn find(name: &str) -> Result<Option<PathBuf>> {
    let found = build::find(name)?;
    if found.is_none() {
        crate::skipped(&format!("{name} has not been built yet: cargo xtask test builds it"));
    }
    Ok(found)
}

/// Helm, which is to see neither the settings nor the repositories of whoever runs the tests.
pub fn helm(program: &std::path::Path, folder: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    for (variable, name) in [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")] {
        command.env(variable, folder.join(name));
    }
    command
}

/// The chart's folder.
pub fn chart() -> Result<PathBuf> {
    Ok(podsight_testbed::folders::repository().context("find the chart")?.join("deploy/helm/podsight"))
}
