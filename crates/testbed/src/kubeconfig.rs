//! Files that tell a client where the API server is and who the client is.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::certificates::Files;

/// Writes a kubeconfig (JSON is YAML) for `server` to `path`. The paths of the certificates are as the reader of the file sees them.
pub fn write(path: &Path, server: &str, authority: &Path, client: &Files) -> Result<()> {
    let text = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "podsight", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "podsight", "user": {"client-certificate": client.certificate, "client-key": client.key}}],
        "contexts": [{"name": "podsight", "context": {"cluster": "podsight", "user": "podsight"}}],
        "current-context": "podsight",
    });
    fs::write(path, text.to_string()).with_context(|| format!("write {}", path.display()))
}
