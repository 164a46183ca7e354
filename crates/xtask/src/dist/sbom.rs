//! A bill of materials for a program: `CycloneDX` 1.6 (ECMA-424) from what cargo resolved, without a time or a random number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use podsight_testbed::{folders, static_programs};
use serde_json::{Value, json};

/// The bill of one of our programs.
pub(crate) fn write(binary: &str, program: &Path) -> Result<String> {
    let repository = folders::repository()?;
    let metadata = MetadataCommand::new()
        .manifest_path(repository.join("Cargo.toml"))
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), static_programs::triple()])
        .exec()
        .context("ask cargo what the program is made of")?;
    let lock = fs::read_to_string(repository.join("Cargo.lock")).context("read Cargo.lock")?;
    let bytes = fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let bill = bill(binary, &super::sum(&bytes), &metadata, &checksums(&lock))?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&bill).context("write a bill of materials")?))
}

/// The registry's checksum of each package, by `name@version`.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |key: &str| package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'));
        if let (Some(name), Some(version), Some(checksum)) = (field("name"), field("version"), field("checksum")) {
            all.insert(format!("{name}@{version}"), checksum.to_owned());
        }
    }
    all
}

fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

/// What goes into the program: no development dependencies, and none of build scripts.
fn parts<'a>(metadata: &'a Metadata, id: &PackageId) -> Result<Vec<&'a PackageId>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let node = resolve.nodes.iter().find(|node| node.id == *id).with_context(|| format!("{id} is not resolved"))?;
    Ok(node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)).map(|dep| &dep.pkg).collect())
}

fn bill(binary: &str, sha256: &str, metadata: &Metadata, checksums: &BTreeMap<String, String>) -> Result<Value> {
    let package = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| package.targets.iter().any(|target| target.is_bin() && target.name == binary))
        .with_context(|| format!("no package makes {binary}"))?;
    let mut seen = BTreeSet::from([&package.id]);
    let mut queue = vec![&package.id];
    let (mut components, mut dependencies) = (BTreeMap::new(), BTreeMap::new());
    while let Some(id) = queue.pop() {
        let part = metadata.packages.iter().find(|package| package.id == *id).with_context(|| format!("{id} is unknown"))?;
        let needs = parts(metadata, id)?;
        let names: BTreeSet<String> =
            needs.iter().filter_map(|id| metadata.packages.iter().find(|package| package.id == **id)).map(reference).collect();
        dependencies.insert(reference(part), json!({"ref": reference(part), "dependsOn": names}));
        if *id != package.id {
            components.insert(reference(part), component(part, checksums));
        }
        queue.extend(needs.into_iter().filter(|id| seen.insert(id)));
    }
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": reference(package), "name": binary, "version": package.version.to_string(),
            "hashes": [{"alg": "SHA-256", "content": sha256}],
            "licenses": [{"expression": package.license.as_deref().unwrap_or("NOASSERTION")}],
        }},
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.into_values().collect::<Vec<_>>(),
    }))
}

fn component(package: &Package, checksums: &BTreeMap<String, String>) -> Value {
    let checksum = checksums.get(&format!("{}@{}", package.name, package.version));
    // The slash of old manifests is no SPDX.
    let licence = package.license.as_ref().map(|licence| licence.replace('/', " OR "));
    let fields = [
        ("type", Some(json!("library"))),
        ("bom-ref", Some(json!(reference(package)))),
        ("name", Some(json!(package.name.to_string()))),
        ("version", Some(json!(package.version.to_string()))),
        ("purl", package.source.is_some().then(|| json!(reference(package)))),
        ("hashes", checksum.map(|checksum| json!([{"alg": "SHA-256", "content": checksum}]))),
        ("licenses", licence.map(|licence| json!([{"expression": licence}]))),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_made_of_what_cargo_says() {
        let repository = folders::repository().unwrap();
        let metadata = MetadataCommand::new()
            .manifest_path(repository.join("Cargo.toml"))
            .other_options(["--offline".to_owned(), "--locked".to_owned(), "--filter-platform".to_owned(), static_programs::triple()])
            .exec()
            .unwrap();
        let lock = fs::read_to_string(repository.join("Cargo.lock")).unwrap();
        let bill = bill("podsight-agent", "00", &metadata, &checksums(&lock)).unwrap();
        let names: Vec<&str> = bill["components"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
        for there in ["kube", "podsight-oom", "ring", "serde"] {
            assert!(names.contains(&there), "{there}");
        }
        for not_there in ["podsight-agent", "podsight-rules", "tempfile", "insta"] {
            assert!(!names.contains(&not_there), "{not_there}");
        }
        for part in bill["components"].as_array().unwrap() {
            let is_ours = part["name"].as_str().unwrap().starts_with("podsight-");
            assert_eq!(part["hashes"].is_null(), is_ours, "{part}");
            assert!(part["licenses"][0]["expression"].is_string(), "{part}");
        }
        assert!(bill["dependencies"].as_array().unwrap().len() == names.len() + 1);
    }
}
