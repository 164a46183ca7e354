//! `cargo xtask certs`: a throw-away authority and certificate for a webhook that is run by hand.

use std::io::{Write, stdout};
use std::path::Path;

use anyhow::Result;
use podsight_testbed::certificates::Authority;

/// Writes `ca.crt`, `tls.crt` and their keys to `folder`, and says how they are used.
pub(crate) fn write(folder: &Path, names: &[String]) -> Result<()> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Authority::create(folder)?.server("tls", &names)?;
    let folder = folder.display();
    writeln!(stdout(), "podsight-webhook --tls-cert {folder}/tls.crt --tls-key {folder}/tls.key\ncaBundle: base64 -w0 {folder}/ca.crt")?;
    Ok(())
}
