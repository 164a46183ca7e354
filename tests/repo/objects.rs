//! The Kubernetes objects under deploy/.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;

/// One object and the file that it stands in.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) file: String,
    pub(crate) value: Value,
}

impl Object {
    /// Its kind, or nothing.
    pub(crate) fn kind(&self) -> &str {
        self.text("/kind")
    }

    /// Its name, or nothing.
    pub(crate) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// The text at a JSON pointer, or nothing.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The value at a JSON pointer, or null.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The pod spec of a workload.
    pub(crate) fn pod_spec(&self) -> Option<&Value> {
        self.value.pointer("/spec/template/spec")
    }
}

/// The documents of a file, read as kubectl reads them.
pub(crate) fn documents(file: &str) -> Result<Vec<Value>> {
    parse(&repository::read(file)?).with_context(|| format!("{file} is not YAML"))
}

/// The documents of a text, read as kubectl reads them: YAML 1.1 octals, duplicate keys refused.
pub(crate) fn parse(text: &str) -> Result<Vec<Value>> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    Ok(serde_saphyr::from_multiple_with_options(text, options)?)
}

/// The paths that a kustomization lists under a key, from the root; for patches, those that are files.
fn listed(folder: &str, key: &str) -> Result<Vec<String>> {
    let file = format!("{folder}/kustomization.yaml");
    let [kustomization] =
        documents(&file)?.try_into().map_err(|found: Vec<Value>| anyhow::anyhow!("{file} holds {} documents, not one", found.len()))?;
    let Some(entries) = kustomization.get(key).and_then(Value::as_array) else { return Ok(Vec::new()) };
    entries
        .iter()
        .filter_map(|entry| entry.as_str().or_else(|| entry.get("path").and_then(Value::as_str)))
        .map(|path| normal(&format!("{folder}/{path}")))
        .collect()
}

/// The objects that a kustomization leads to, in order. Patches and generators are not applied.
pub(crate) fn kustomization(folder: &str) -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for path in listed(folder, "resources")? {
        if repository::extension(&path) == "yaml" {
            for value in documents(&path)? {
                objects.push(Object { file: path.clone(), value });
            }
        } else {
            objects.extend(kustomization(&path)?);
        }
    }
    Ok(objects)
}

/// The folders under deploy/ that hold a kustomization.
fn kustomizations() -> Result<Vec<String>> {
    let files = repository::files()?;
    Ok(files
        .iter()
        .filter(|file| file.starts_with("deploy/"))
        .filter_map(|file| file.strip_suffix("/kustomization.yaml"))
        .map(str::to_owned)
        .collect())
}

/// Every object under deploy/ that some kustomization installs, once.
pub(crate) fn all() -> Result<Vec<Object>> {
    let mut objects: Vec<Object> = Vec::new();
    for folder in kustomizations()? {
        for object in kustomization(&folder)? {
            let known = objects.iter().any(|other| other.file == object.file && other.value == object.value);
            if !known {
                objects.push(object);
            }
        }
    }
    ensure!(!objects.is_empty(), "deploy/ leads to no object");
    Ok(objects)
}

/// The files under deploy/ that kustomizations name: objects and patches.
pub(crate) fn named_files() -> Result<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for folder in kustomizations()? {
        for key in ["resources", "patches", "components"] {
            files.extend(listed(&folder, key)?);
        }
    }
    Ok(files)
}

/// `a/b/../c` as `a/c`.
fn normal(path: &str) -> Result<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop().with_context(|| format!("{path} leads out of the repository"))?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}
