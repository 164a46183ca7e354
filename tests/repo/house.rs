//! The habits of the house, as far as a machine can see them.

use crate::repository;
use anyhow::Result;
use std::path::Path;

/// Files that may be longer, each with the reason.
const LONG: &[(&str, &str)] = &[];

/// A file that is longer than this does not fit in the head.
const MAX_LINES: usize = 500;

/// Words that have no place here. They are written in two halves, so that this file passes its own test.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("TO", "DO", "write an issue or do it"),
    ("FIX", "ME", "write an issue or do it"),
    ("XX", "X ", "write an issue or do it"),
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/tmp/pod", "sight/", "a path of one machine"),
    ("GOPROXY=ht", "tp", "a mirror of one machine"),
    ("replace-", "with =", "a mirror of one machine"),
];

/// Texts that people write. Lock files, recordings and generated sums are not among them.
fn is_ours(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let recorded = path.contains("/fixtures/") || path.contains("/captured/") || path.contains("/snapshots/");
    !recorded && (["md", "rs", "sh", "toml", "yaml"].contains(&repository::extension(path)) || ["Dockerfile", "run"].contains(&name))
}

#[test]
fn files_fit_in_the_head() -> Result<()> {
    let mut long = Vec::new();
    for path in repository::files()?.iter().filter(|path| repository::extension(path) == "rs") {
        let lines = repository::read(path)?.lines().count();
        if lines > MAX_LINES && !LONG.iter().any(|(excused, _)| excused == path) {
            long.push(format!("{path}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "split these, or excuse them with a reason: {long:#?}");
    Ok(())
}

#[test]
fn no_excuse_outlives_its_file() -> Result<()> {
    for (path, reason) in LONG {
        assert!(repository::read(path)?.lines().count() > MAX_LINES, "{path} is short now: {reason}");
    }
    Ok(())
}

#[test]
fn forbidden_words_stay_out() -> Result<()> {
    let mut found = Vec::new();
    for path in repository::files()?.iter().filter(|path| is_ours(path)) {
        for (number, line) in repository::read(path)?.lines().enumerate() {
            // The root of the first process is no home folder.
            let line = line.replace("/proc/1/root/", "");
            for (head, tail, reason) in FORBIDDEN {
                if line.contains(&format!("{head}{tail}")) {
                    found.push(format!("{path}:{}: {head}{tail}: {reason}", number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn unsafe_code_is_in_one_file() -> Result<()> {
    let mut found = Vec::new();
    for path in repository::files()?.iter().filter(|path| path.starts_with("crates/") && repository::extension(path) == "rs") {
        let is_unsafe = |line: &str| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl")
        };
        if path != "crates/kmsg/src/syslog.rs" && repository::read(path)?.lines().any(is_unsafe) {
            found.push(path.clone());
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

/// What a pure crate must not call: it would have a clock, files, an environment or processes of its own.
const IMPURE: &[&str] =
    &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now", "std::env", "std::net", "std::process", "thread::sleep"];

#[test]
fn pure_crates_have_no_clock_and_no_environment() -> Result<()> {
    let mut found = Vec::new();
    for path in repository::files()? {
        let pure = ["cause", "certificate", "cgroup", "cluster", "doctor", "evidence", "explain", "kmsg", "oom", "report", "rules", "spec"]
            .iter()
            .any(|name| path.starts_with(&format!("crates/{name}/src/")));
        if !pure || repository::extension(&path) != "rs" || path.ends_with("_test.rs") || path.ends_with("/tests.rs") {
            continue;
        }
        let text = repository::read(&path)?;
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for call in IMPURE {
            if code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(call)) {
                found.push(format!("{path}: {call}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn links_between_documents_lead_somewhere() -> Result<()> {
    let mut broken = Vec::new();
    for path in repository::files()?.iter().filter(|path| repository::extension(path) == "md") {
        let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
        let text = repository::read(path)?;
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            let outside = target.is_empty() || target.contains(':') || target.contains(char::is_whitespace);
            if !outside && !repository::root().join(folder).join(target).exists() {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn every_dependency_comes_from_the_public_registry() -> Result<()> {
    let lock = repository::read("Cargo.lock")?;
    let elsewhere: Vec<&str> = lock
        .lines()
        .filter(|line| line.starts_with("source = ") && *line != "source = \"registry+https://github.com/rust-lang/crates.io-index\"")
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    Ok(())
}
