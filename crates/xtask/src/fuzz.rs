//! `cargo xtask fuzz`: each fuzz target for a while, with the captured logs for seeds.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use podsight_testbed::{folders, interrupt, static_programs};

/// Target, and the longest input that it makes, bytes.
const TARGETS: [(&str, u32); 9] = [
    ("kmsg_record", 4096),
    ("oom_machine", 65536),
    ("cgroup_path", 4096),
    ("checkpoint_file", 1024),
    ("manifest", 8192),
    ("quantity", 64),
    ("image_ref", 512),
    ("review", 8192),
    ("explain", 8192),
];

/// A pod that failed, and an Event about it.
const FAILED_POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"b","uid":"c","annotations":{"podsight.dev/oom":"{\"v\":1}"}},"spec":{"restartPolicy":"Always","containers":[{"name":"main","image":"app:1","resources":{"limits":{"memory":"32Mi"}}}]},"status":{"phase":"Running","qosClass":"Burstable","conditions":[{"type":"Ready","status":"False","reason":"ContainersNotReady"}],"containerStatuses":[{"name":"main","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s restarting failed container"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","startedAt":"2026-11-22T10:00:00Z","finishedAt":"2026-11-22T10:00:05Z"}}}]}}
{"kind":"Event","type":"Warning","reason":"BackOff","message":"Back-off restarting failed container","count":3,"lastTimestamp":"2026-11-22T10:00:06Z","involvedObject":{"kind":"Pod","name":"a","namespace":"b","fieldPath":"spec.containers{main}"}}"#;

/// What the API server asks of the webhook.
const REVIEW: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"0a1b","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"namespace":"b","operation":"CREATE","userInfo":{"username":"u"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"main","image":"app:1","command":["sh","-c","exit 1"],"env":[{"name":"JAVA_TOOL_OPTIONS","value":"-Xmx64m"}],"resources":{"limits":{"memory":"32Mi"}}}]}},"oldObject":null,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}"#;

/// Runs every target for `seconds`.
pub(crate) fn run(seconds: u32) -> Result<ExitCode> {
    interrupt::listen()?;
    let repository = folders::repository()?;
    let mut failed = vec![];
    for (target, longest) in TARGETS {
        interrupt::check()?;
        let seeds = static_programs::target_folder()?.join("fuzz-seeds").join(target);
        let found = static_programs::target_folder()?.join("fuzz-found").join(target);
        seed(target, &repository, &seeds)?;
        fs::create_dir_all(&found).with_context(|| format!("create {}", found.display()))?;
        writeln!(stdout(), "{target}: {seconds} s")?;
        let mut command = Command::new("cargo");
        command.current_dir(&repository).stdin(Stdio::null()).args(["+nightly", "fuzz", "run", target]).arg(&found).arg(&seeds);
        command.args(["--", &format!("-max_total_time={seconds}"), &format!("-max_len={longest}"), "-timeout=5", "-print_final_stats=1"]);
        // `cargo +nightly` is rustup's, and not the cargo that runs this.
        let status =
            command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").status().context("start cargo fuzz; cargo install cargo-fuzz")?;
        if !status.success() {
            failed.push(target);
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}; the inputs are in fuzz/artifacts", failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// Real input of the target's kind.
fn seed(target: &str, repository: &Path, seeds: &Path) -> Result<()> {
    fs::create_dir_all(seeds).with_context(|| format!("create {}", seeds.display()))?;
    let all = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let mut pieces: Vec<Vec<u8>> = match target {
        "kmsg_record" | "oom_machine" | "cgroup_path" => of_logs(target, &repository.join("tests/corpus/captured"))?,
        "manifest" => files(&repository.join("tests/node/predicted"), &["yaml"])?,
        "checkpoint_file" => {
            let place = "4f1d2c3b:476:5297431:158";
            all(&[&format!(
                r#"{{"v":1,"boot":"4f1d2c3b","through":"{place}","account":{{"counter":3,"through":"{place}"}},"written":[["u","{place}"]]}}"#
            )])
        }
        "quantity" => all(&["0", "1", "32Mi", "-5m", "0.5Gi", "12e-3", "1E", "1e3", ".5k", "9223372036854775807"]),
        "image_ref" => {
            let digest = format!("docker.io/library/nginx:1.29@sha256:{}", "0a".repeat(32));
            all(&["nginx", "localhost:5000/a/b_c--d:v1", "registry.example.com/x/y", &digest])
        }
        "review" => all(&[REVIEW]),
        "explain" => all(&[FAILED_POD]),
        _ => bail!("no seeds are known for {target}"),
    };
    pieces.sort();
    pieces.dedup();
    for (number, piece) in pieces.iter().enumerate().take(2000) {
        fs::write(seeds.join(number.to_string()), piece).with_context(|| format!("write a seed of {target}"))?;
    }
    Ok(())
}

/// Pieces of the captured logs.
fn of_logs(target: &str, captured: &Path) -> Result<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    for log in files(captured, &["kmsg", "dmesg"])? {
        match target {
            "oom_machine" => pieces.extend(log.chunks(32 * 1024).map(<[u8]>::to_vec)),
            "cgroup_path" => {
                pieces.extend(log.split(|byte| b"=, \n".contains(byte)).filter(|word| word.starts_with(b"/")).map(<[u8]>::to_vec));
            }
            _ => pieces.extend(log.split_inclusive(|byte| *byte == b'\n').step_by(7).map(<[u8]>::to_vec)),
        }
    }
    Ok(pieces)
}

/// The contents of a folder's files with one of these extensions.
fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<Vec<u8>>> {
    let mut contents = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted)) {
            contents.push(fs::read(&path).with_context(|| format!("read {}", path.display()))?);
        }
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_run_and_has_seeds() {
        let repository = folders::repository().unwrap();
        let mut there: Vec<String> = fs::read_dir(repository.join("fuzz/fuzz_targets"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        there.sort();
        let mut run: Vec<&str> = TARGETS.iter().map(|(target, _)| *target).collect();
        run.sort_unstable();
        assert_eq!(run, there);
        for target in run {
            let folder = tempfile::tempdir().unwrap();
            seed(target, &repository, folder.path()).unwrap();
            assert!(fs::read_dir(folder.path()).unwrap().next().is_some(), "{target} has no seed");
        }
    }
}
