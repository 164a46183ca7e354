//! `cargo xtask fuzz`: each fuzz target for a while, with the captured logs for seeds.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use podsight_testbed::{folders, interrupt, static_programs};

/// Target, and the longest input that it makes, bytes.
const TARGETS: [(&str, u32); 4] = [("kmsg_record", 4096), ("oom_machine", 65536), ("cgroup_path", 4096), ("checkpoint_file", 1024)];

/// Runs every target for `seconds`.
pub(crate) fn run(seconds: u32) -> Result<ExitCode> {
    interrupt::listen()?;
    let repository = folders::repository()?;
    let mut failed = vec![];
    for (target, longest) in TARGETS {
        interrupt::check()?;
        let seeds = static_programs::target_folder()?.join("fuzz-seeds").join(target);
        let found = static_programs::target_folder()?.join("fuzz-found").join(target);
        seed(target, &repository.join("tests/corpus/captured"), &seeds)?;
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
fn seed(target: &str, captured: &Path, seeds: &Path) -> Result<()> {
    fs::create_dir_all(seeds).with_context(|| format!("create {}", seeds.display()))?;
    let mut pieces: Vec<Vec<u8>> = vec![];
    for entry in fs::read_dir(captured).with_context(|| format!("list {}", captured.display()))? {
        let path = entry.with_context(|| format!("list {}", captured.display()))?.path();
        if !path.extension().is_some_and(|extension| extension == "kmsg" || extension == "dmesg") {
            continue;
        }
        let log = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        match target {
            "oom_machine" => pieces.extend(log.chunks(32 * 1024).map(<[u8]>::to_vec)),
            "cgroup_path" => {
                pieces.extend(log.split(|byte| b"=, \n".contains(byte)).filter(|word| word.starts_with(b"/")).map(<[u8]>::to_vec));
            }
            "kmsg_record" => pieces.extend(log.split_inclusive(|byte| *byte == b'\n').step_by(7).map(<[u8]>::to_vec)),
            _ => {}
        }
    }
    if target == "checkpoint_file" {
        let place = "4f1d2c3b:476:5297431:158";
        pieces
            .push(format!(r#"{{"v":1,"boot":"4f1d2c3b","through":"{place}","account":{{"counter":3,"through":"{place}"}}}}"#).into_bytes());
    }
    pieces.sort();
    pieces.dedup();
    for (number, piece) in pieces.iter().enumerate().take(2000) {
        fs::write(seeds.join(number.to_string()), piece).with_context(|| format!("write a seed of {target}"))?;
    }
    Ok(())
}
