//! The direction of dependencies: pure crates above, I/O below, and only downwards.

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

/// What each crate may depend on. The stages run downwards, and docs/architecture.md draws them.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("podsight-cause", &[]),
    ("podsight-spec", &[]),
    ("podsight-kmsg", &[]),
    ("podsight-cgroup", &[]),
    ("podsight-certificate", &[]),
    ("podsight-oom", &["podsight-kmsg"]),
    ("podsight-doctor", &["podsight-cause", "podsight-certificate"]),
    ("podsight-evidence", &["podsight-cause", "podsight-cgroup", "podsight-oom"]),
    ("podsight-history", &["podsight-evidence", "podsight-spec"]),
    ("podsight-mutation", &["podsight-history", "podsight-spec"]),
    ("podsight-rules", &["podsight-cause", "podsight-history", "podsight-spec"]),
    ("podsight-cluster", &["podsight-history", "podsight-rules", "podsight-spec"]),
    ("podsight-explain", &["podsight-cause", "podsight-cgroup", "podsight-evidence", "podsight-oom", "podsight-rules", "podsight-spec"]),
    ("podsight-report", &["podsight-cause", "podsight-explain", "podsight-rules", "podsight-spec"]),
    ("podsight-runtime", &[]),
    (
        "podsight-webhook",
        &[
            "podsight-cause",
            "podsight-certificate",
            "podsight-cluster",
            "podsight-doctor",
            "podsight-evidence",
            "podsight-history",
            "podsight-mutation",
            "podsight-report",
            "podsight-rules",
            "podsight-runtime",
            "podsight-spec",
        ],
    ),
    ("podsight-agent", &["podsight-cause", "podsight-cgroup", "podsight-evidence", "podsight-kmsg", "podsight-oom", "podsight-runtime"]),
    ("podsight-cli", COMMAND_LINE),
    ("podsight-testbed", &[]),
    ("podsight-xtask", EVERYTHING),
    ("podsight-tests", EVERYTHING),
];

/// The crates that take values and return values.
const PURE: &[&str] = &[
    "podsight-cause",
    "podsight-cgroup",
    "podsight-cluster",
    "podsight-evidence",
    "podsight-explain",
    "podsight-history",
    "podsight-kmsg",
    "podsight-mutation",
    "podsight-oom",
    "podsight-report",
    "podsight-rules",
    "podsight-spec",
];

/// What the command line is made of: the pure crates, and two that are pure but for a library that can do more than they ask of it.
const COMMAND_LINE: &[&str] = &[
    "podsight-cause",
    "podsight-certificate",
    "podsight-cgroup",
    "podsight-cluster",
    "podsight-doctor",
    "podsight-evidence",
    "podsight-explain",
    "podsight-history",
    "podsight-kmsg",
    "podsight-oom",
    "podsight-report",
    "podsight-rules",
    "podsight-spec",
];

/// Tasks and tests look at the whole.
const EVERYTHING: &[&str] = &[
    "podsight-agent",
    "podsight-cause",
    "podsight-certificate",
    "podsight-cgroup",
    "podsight-cli",
    "podsight-cluster",
    "podsight-doctor",
    "podsight-evidence",
    "podsight-explain",
    "podsight-history",
    "podsight-kmsg",
    "podsight-mutation",
    "podsight-oom",
    "podsight-report",
    "podsight-rules",
    "podsight-runtime",
    "podsight-spec",
    "podsight-testbed",
    "podsight-webhook",
];

/// Sockets, clients, runtimes, randomness: what a pure crate must not reach, by whatever way.
const EDGES: &[&str] = &[
    "anyhow",
    "axum",
    "axum-core",
    "clap",
    "getrandom",
    "hyper",
    "hyper-util",
    "k8s-openapi",
    "kube",
    "kube-client",
    "kube-core",
    "kube-runtime",
    "mio",
    "nix",
    "prometheus-client",
    "reqwest",
    "ring",
    "rustls",
    "socket2",
    "tokio",
    "tokio-rustls",
    "tower",
    "tracing",
    "tracing-subscriber",
];

/// Libraries that the binaries must not contain, whoever asks for them (see deny.toml for the reasons).
const NEVER: &[&str] = &["aws-lc-rs", "aws-lc-sys", "chrono", "native-tls", "openssl", "openssl-sys", "serde_yaml"];

pub(crate) fn metadata() -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(crate::repository::root().join("Cargo.toml"))
        .other_options(["--offline", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned).to_vec())
        .exec()
        .context("`cargo metadata` failed")
}

/// What a package is built from, without what only its tests need.
fn direct<'a>(metadata: &'a Metadata, id: &PackageId) -> Result<Vec<&'a PackageId>> {
    let resolve = metadata.resolve.as_ref().context("no resolved graph")?;
    let node = resolve.nodes.iter().find(|node| node.id == *id).with_context(|| format!("{id} is not in the graph"))?;
    Ok(node
        .deps
        .iter()
        .filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development))
        .map(|dep| &dep.pkg)
        .collect())
}

/// Everything a package is built from, each with the way that leads to it.
fn reachable(metadata: &Metadata, from: &Package) -> Result<BTreeMap<String, String>> {
    let mut ways = BTreeMap::new();
    let mut queue = vec![(&from.id, from.name.to_string())];
    while let Some((id, way)) = queue.pop() {
        for dep in direct(metadata, id)? {
            let name = metadata[dep].name.to_string();
            let way = format!("{way} → {name}");
            if let Entry::Vacant(entry) = ways.entry(name) {
                entry.insert(way.clone());
                queue.push((dep, way));
            }
        }
    }
    Ok(ways)
}

#[test]
fn the_table_names_every_crate_once() -> Result<()> {
    let metadata = metadata()?;
    let members: BTreeSet<String> = metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    let table: BTreeSet<String> = MAY_DEPEND_ON.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(table, members, "add the crate to MAY_DEPEND_ON and to docs/architecture.md");
    assert_eq!(table.len(), MAY_DEPEND_ON.len());
    Ok(())
}

#[test]
fn dependencies_run_downwards() -> Result<()> {
    let metadata = metadata()?;
    let members: BTreeSet<&str> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let allowed = MAY_DEPEND_ON.iter().find(|(name, _)| *name == package.name.as_str()).map_or(&[][..], |(_, allowed)| allowed);
        for dep in direct(&metadata, &package.id)? {
            let dep = metadata[dep].name.as_str();
            if members.contains(dep) && !allowed.contains(&dep) {
                wrong.push(format!("{} → {dep}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that the layers do not have: {wrong:#?}");
    Ok(())
}

#[test]
fn pure_crates_reach_no_edge() -> Result<()> {
    let metadata = metadata()?;
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        if PURE.contains(&package.name.as_str()) {
            let ways = reachable(&metadata, package)?;
            wrong.extend(EDGES.iter().filter_map(|edge| ways.get(*edge).cloned()));
        }
    }
    assert!(wrong.is_empty(), "pure crates that reach an edge: {wrong:#?}");
    Ok(())
}

#[test]
fn no_binary_contains_a_second_tls_or_time_library() -> Result<()> {
    let metadata = metadata()?;
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let ways = reachable(&metadata, package)?;
        wrong.extend(NEVER.iter().filter_map(|name| ways.get(*name).cloned()));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn every_crate_keeps_the_lints_and_the_version_of_the_workspace() -> Result<()> {
    let mut wrong = Vec::new();
    for path in crate::repository::files()? {
        if !path.ends_with("Cargo.toml") || path == "Cargo.toml" || path.starts_with("fuzz/") {
            continue;
        }
        let text = crate::repository::read(&path)?;
        for line in ["[lints]\nworkspace = true", "version.workspace = true", "edition.workspace = true"] {
            if !text.contains(line) {
                wrong.push(format!("{path}: `{line}` is missing"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
