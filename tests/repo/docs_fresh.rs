//! Generated documents hold what the code says. `PODSIGHT_WRITE_PAGES=1` writes them, as `cargo xtask gen` does.

use crate::{generated, repository};
use anyhow::{Context as _, Result};
use std::fs;

#[test]
fn generated_documents_are_fresh() -> Result<()> {
    let documents = generated::documents()?;
    let stale: Vec<&String> =
        documents.iter().filter(|(path, text)| repository::read(path).ok().as_ref() != Some(text)).map(|(path, _)| path).collect();
    let surplus: Vec<String> = repository::files()?
        .into_iter()
        .filter(|path| path.starts_with(generated::FOLDER))
        .filter(|path| !documents.contains_key(path) && !generated::OTHERS.contains(&path.as_str()))
        .collect();
    if std::env::var_os("PODSIGHT_WRITE_PAGES").is_some() {
        fs::create_dir_all(repository::root().join(generated::FOLDER))
            .with_context(|| format!("failed to create {}", generated::FOLDER))?;
        for path in &surplus {
            fs::remove_file(repository::root().join(path)).with_context(|| format!("failed to remove {path}"))?;
        }
        for (path, text) in &documents {
            fs::write(repository::root().join(path), text).with_context(|| format!("failed to write {path}"))?;
        }
        return Ok(());
    }
    assert!(stale.is_empty() && surplus.is_empty(), "run `cargo xtask gen`: stale {stale:?}, without a source {surplus:?}");
    Ok(())
}

/// Metrics that documents and alerts name are metrics that exist.
#[test]
fn metrics_that_are_named_exist() -> Result<()> {
    let known = generated::metrics()?;
    let mut unknown = Vec::new();
    for path in repository::files()? {
        let named = (path.starts_with("docs/") || path.starts_with("deploy/")) && !path.starts_with("docs/reference/");
        if !named || !["md", "yaml", "json"].contains(&repository::extension(&path)) {
            continue;
        }
        let text = repository::read(&path)?;
        for word in text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')) {
            let is_metric = ["podsight_webhook_", "podsight_agent_"].iter().any(|prefix| word.starts_with(prefix));
            let stem = ["_total", "_bucket", "_count", "_sum", "_info"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
            if is_metric && !known.contains(&format!("`{stem}`")) && !known.contains(&format!("`{word}`")) {
                unknown.push(format!("{path}: {word}"));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    Ok(())
}
