//! The Kubernetes objects under deploy/.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

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

/// The documents of a file, read as kubectl reads them: YAML 1.1 octals, duplicate keys refused.
pub(crate) fn documents(file: &str) -> Result<Vec<Value>> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    serde_saphyr::from_multiple_with_options(&repository::read(file)?, options).with_context(|| format!("{file} is not YAML"))
}

/// The objects that a kustomization leads to, in order. Patches and generators are not applied.
pub(crate) fn kustomization(folder: &str) -> Result<Vec<Object>> {
    let file = format!("{folder}/kustomization.yaml");
    let [head] =
        documents(&file)?.try_into().map_err(|found: Vec<Value>| anyhow::anyhow!("{file} holds {} documents, not one", found.len()))?;
    let resources = head.get("resources").and_then(Value::as_array).with_context(|| format!("{file} lists no resources"))?;
    let mut objects = Vec::new();
    for resource in resources {
        let resource = resource.as_str().with_context(|| format!("{file}: a resource is not text"))?;
        let path = normal(&format!("{folder}/{resource}"))?;
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

/// Every object under deploy/, whether a kustomization leads to it or not.
pub(crate) fn all() -> Result<Vec<Object>> {
    let mut objects = Vec::new();
    for file in repository::files()? {
        let is_object = file.starts_with("deploy/")
            && repository::extension(&file) == "yaml"
            && !file.ends_with("/kustomization.yaml")
            && !file.contains("/helm/");
        if is_object {
            for value in documents(&file)? {
                objects.push(Object { file: file.clone(), value });
            }
        }
    }
    ensure!(!objects.is_empty(), "no object under deploy/");
    Ok(objects)
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
