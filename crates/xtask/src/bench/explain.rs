//! `podsight explain` on files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use podsight_testbed::progress::Progress;
use podsight_testbed::static_programs;
use serde_json::{Value, json};

use crate::bench::figure::{Aim, Figure};
use crate::bench::program::best_of;

/// Five pods of a real cluster with their events: killed for memory, without an image, well, killed by a probe, without a node.
const PODS: &str = include_str!("pods.json");

/// Copies of the five that make ten thousand.
const COPIES: usize = 2_000;

/// Runs over one pod: two of them are above the 99th percentile.
const RUNS: usize = 200;

pub(crate) fn measure(program: &Path, progress: &Progress) -> Result<Vec<Figure>> {
    progress.step("bench: podsight explain on one pod");
    let one = list("one-pod.json", 1, 1)?;
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        costs.push(best_of(1, Command::new(program).args(["explain", "-f"]).arg(&one), &[0])?.elapsed);
    }
    costs.sort_unstable();
    let slow = costs.get(RUNS * 99 / 100).copied().unwrap_or_default();
    fs::remove_file(&one).with_context(|| format!("remove {}", one.display()))?;
    let pod = Figure {
        what: "`podsight explain` of one pod, 99th percentile",
        measured: slow.as_secs_f64() * 1e3,
        unit: "ms",
        aim: Aim::AtMost(20.0),
        how: format!("a pod killed for memory and its events in a file, the whole program, {RUNS} runs"),
    };

    progress.step("bench: podsight explain on 10,000 pods");
    let many = list("many-pods.json", COPIES, usize::MAX)?;
    let cost = best_of(3, Command::new(program).args(["explain", "--all", "-f"]).arg(&many), &[0])?;
    let mib = fs::metadata(&many).with_context(|| format!("look at {}", many.display()))?.len() / 1024 / 1024;
    fs::remove_file(&many).with_context(|| format!("remove {}", many.display()))?;
    let how = format!("{} pods of five kinds and their events, {mib} MiB of JSON, best of 3", COPIES * 5);
    let figure = |what, measured, unit, most| Figure { what, measured, unit, aim: Aim::AtMost(most), how: how.clone() };
    Ok(vec![
        pod,
        figure("`podsight explain --all` of 10,000 pods", cost.elapsed.as_secs_f64(), "s", 5.0),
        figure("the same, most resident memory", cost.peak_mib, "MiB", 100.0),
    ])
}

/// Writes copies of the first `pods` pods and their events, each copy with names and UIDs of its own.
fn list(file: &str, copies: usize, pods: usize) -> Result<PathBuf> {
    let parsed: Value = serde_json::from_str(PODS).context("read the pods of the bench")?;
    let items = parsed.get("items").and_then(Value::as_array).context("the pods of the bench are a list")?;
    let is_pod = |item: &&Value| item.get("kind") == Some(&json!("Pod"));
    let chosen: Vec<&Value> = items.iter().filter(is_pod).take(pods).filter_map(|pod| pod.pointer("/metadata/uid")).collect();
    let path = static_programs::target_folder()?.join(file);
    let mut out = BufWriter::new(File::create(&path).with_context(|| format!("create {}", path.display()))?);
    let mut gap = "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[";
    for copy in 0..copies {
        for item in items {
            let object = if is_pod(&item) { "/metadata" } else { "/involvedObject" };
            if item.pointer(&format!("{object}/uid")).is_none_or(|uid| !chosen.contains(&uid)) {
                continue;
            }
            let mut item = item.clone();
            for key in ["name", "uid"] {
                if let Some(Value::String(text)) = item.pointer_mut(&format!("{object}/{key}")) {
                    text.push('-');
                    text.push_str(&copy.to_string());
                }
            }
            write!(out, "{gap}\n{item}").context("write the pods of the bench")?;
            gap = ",";
        }
    }
    writeln!(out, "\n]}}").and_then(|()| out.flush()).context("write the pods of the bench")?;
    Ok(path)
}
