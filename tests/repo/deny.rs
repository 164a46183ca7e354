//! deny.toml against the graph of dependencies, for machines without `cargo deny`, which reads the same file.

use crate::repository;
use anyhow::{Context as _, Result};
use cargo_metadata::Package;
use cargo_metadata::semver::{Version, VersionReq};
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

/// The dependencies that are not our own.
fn foreign() -> Result<Vec<Package>> {
    let metadata = crate::layering::metadata()?;
    Ok(metadata.packages.iter().filter(|package| package.source.is_some()).cloned().collect())
}

fn section(name: &str) -> Result<Table> {
    let file: Table = repository::read("deny.toml")?.parse().context("deny.toml is not TOML")?;
    file.get(name).and_then(Value::as_table).cloned().with_context(|| format!("no section {name}"))
}

fn list<'a>(section: &'a Table, key: &str) -> Result<&'a [Value]> {
    Ok(section.get(key).and_then(Value::as_array).with_context(|| format!("no list {key}"))?)
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("{value:?} has no {key}"))
}

#[test]
fn licences_are_allowed_and_every_allowed_one_is_in_use() -> Result<()> {
    let licences = section("licenses")?;
    let allowed: BTreeSet<&str> = list(&licences, "allow")?.iter().filter_map(Value::as_str).collect();
    let mut unused = allowed.clone();
    let mut wrong = Vec::new();
    for package in foreign()? {
        let licence = package.license.as_deref().with_context(|| format!("{} has no licence", package.name))?;
        let expression =
            spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX).with_context(|| format!("{}: {licence}", package.name))?;
        let holds = expression.evaluate(|requirement| {
            let name = requirement.to_string();
            unused.remove(name.as_str());
            allowed.contains(name.as_str())
        });
        if !holds {
            wrong.push(format!("{} {}: {licence}", package.name, package.version));
        }
    }
    assert!(wrong.is_empty(), "licences that deny.toml does not allow: {wrong:#?}");
    assert!(unused.is_empty(), "allowed licences that nothing has: {unused:?}");
    Ok(())
}

#[test]
fn each_dependency_is_there_once_or_excused() -> Result<()> {
    let bans = section("bans")?;
    let mut versions: BTreeMap<String, BTreeSet<Version>> = BTreeMap::new();
    for package in foreign()? {
        versions.entry(package.name.to_string()).or_default().insert(package.version.clone());
    }
    // The newest of several needs no excuse.
    let older: BTreeSet<(String, Version)> = versions
        .into_iter()
        .flat_map(|(name, mut all)| {
            all.pop_last();
            all.into_iter().map(move |version| (name.clone(), version))
        })
        .collect();
    let mut unexcused = older.clone();
    let mut idle = Vec::new();
    for skip in list(&bans, "skip")? {
        let excuse = text(skip, "crate")?;
        let (name, version) = excuse.split_once('@').with_context(|| format!("{excuse} names no version"))?;
        let wanted = VersionReq::parse(&format!("={version}"))?;
        if !older.iter().any(|(older, version)| older == name && wanted.matches(version)) {
            idle.push(excuse.to_owned());
        }
        unexcused.retain(|(older, version)| older != name || !wanted.matches(version));
    }
    let unexcused: Vec<String> = unexcused.into_iter().map(|(name, version)| format!("{name}@{version}")).collect();
    assert!(unexcused.is_empty(), "second versions that deny.toml does not excuse: {unexcused:?}");
    assert!(idle.is_empty(), "excuses that nothing needs: {idle:?}");
    Ok(())
}

#[test]
fn banned_crates_are_absent() -> Result<()> {
    let bans = section("bans")?;
    let packages = foreign()?;
    for ban in list(&bans, "deny")? {
        let name = text(ban, "crate")?;
        let users: BTreeSet<&str> = packages
            .iter()
            .filter(|package| package.dependencies.iter().any(|dependency| dependency.name == name))
            .map(|package| package.name.as_str())
            .collect();
        let wrappers: Vec<&str> = ban.get("wrappers").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let present = packages.iter().any(|package| package.name.as_str() == name);
        assert!(!present || wrappers.iter().any(|wrapper| users.contains(wrapper)), "{name}: {}", text(ban, "reason")?);
    }
    Ok(())
}
