//! The command line on files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use podsight_testbed::progress::Progress;
use podsight_testbed::{folders, static_programs};

use crate::bench::explain;
use crate::bench::figure::{Aim, Figure};
use crate::bench::program::{best_of, podsight};

/// Size of the log of irrelevant lines, MiB.
const LOG_MIB: u32 = 512;

/// A log of a kernel with cgroup v2, with all kinds of kills.
const REPORTS: &str = "tests/corpus/captured/6.12-v2.kmsg";

/// Size of the log of reports, MiB.
const REPORTS_MIB: usize = 64;

/// What a busy node's kernel says all day.
const IRRELEVANT: [&str; 4] = [
    "IPv6: ADDRCONF(NETDEV_CHANGE): vethd6c1ee52: link becomes ready",
    "cni0: port 7(vethd6c1ee52) entered forwarding state",
    "audit: type=1325 audit(1763892000.123:4711): table=nat family=2 entries=842 op=xt_replace pid=991 comm=\"iptables-restore\"",
    "eth0: renamed from tmp9c2a1",
];

pub(crate) fn measure(progress: &Progress) -> Result<Vec<Figure>> {
    progress.step("bench: build podsight for release");
    let program = podsight()?;
    let mut figures = vec![];

    progress.step("bench: podsight kmsg on irrelevant lines");
    let (log, bytes) = irrelevant_log()?;
    let cost = best_of(5, Command::new(&program).arg("kmsg").arg(&log).args(["-o", "json"]), &[0])?;
    fs::remove_file(&log).with_context(|| format!("remove {}", log.display()))?;
    figures.push(Figure {
        what: "`podsight kmsg` on irrelevant lines",
        measured: bytes / cost.elapsed.as_secs_f64() / 1e9,
        unit: "GB/s",
        aim: Aim::AtLeast(1.0),
        how: format!("{LOG_MIB} MiB of raw records in the page cache, best of 5, the whole program"),
    });

    progress.step("bench: podsight kmsg on reports");
    let (log, lines) = reports()?;
    let cost = best_of(5, Command::new(&program).arg("kmsg").arg(&log).args(["-o", "json"]), &[0])?;
    fs::remove_file(&log).with_context(|| format!("remove {}", log.display()))?;
    figures.push(Figure {
        what: "`podsight kmsg` on the lines of reports",
        measured: cost.elapsed.as_secs_f64() * 1e6 / lines,
        unit: "µs a line",
        aim: Aim::AtMost(1.0),
        how: format!("{REPORTS_MIB} MiB of {REPORTS} over and over, best of 5, the whole program with its output"),
    });

    match corpus() {
        Some(corpus) => {
            progress.step("bench: podsight check on the corpus");
            let mut command = Command::new("taskset");
            command.args(["-c", "0"]).arg(&program).args(["check", "-o", "json"]).arg(&corpus);
            // 1: it finds something, which is what the corpus is for.
            let cost = best_of(5, &mut command, &[0, 1])?;
            let how = format!("{} files, one core, best of 5", files(&corpus)?);
            let figure = |what, measured, unit, most| Figure { what, measured, unit, aim: Aim::AtMost(most), how: how.clone() };
            figures.push(figure("`podsight check` over the manifest corpus", cost.elapsed.as_secs_f64(), "s", 1.0));
            figures.push(figure("the same, most resident memory", cost.peak_mib, "MiB", 80.0));
        }
        None => progress.say("left out: podsight check, because the corpus is not beside this checkout (PODSIGHT_CORPUS names it)"),
    }
    figures.extend(explain::measure(&program, progress)?);
    Ok(figures)
}

fn irrelevant_log() -> Result<(PathBuf, f64)> {
    let path = static_programs::target_folder()?.join("irrelevant.kmsg");
    let mut file = BufWriter::new(File::create(&path).with_context(|| format!("create {}", path.display()))?);
    let (mut bytes, mut sequence) = (0_u64, 0_u64);
    while bytes < u64::from(LOG_MIB) * 1024 * 1024 {
        for text in IRRELEVANT {
            let line = format!("6,{sequence},{},-;{text}\n", 1_000_000 + sequence * 137);
            file.write_all(line.as_bytes()).context("write the log of irrelevant lines")?;
            bytes += line.len() as u64;
            sequence += 1;
        }
    }
    file.flush().context("write the log of irrelevant lines")?;
    #[expect(clippy::cast_precision_loss, reason = "half a gigabyte is exact in a double")]
    Ok((path, bytes as f64))
}

/// The reports of a captured log, one after the other; how many lines.
fn reports() -> Result<(PathBuf, f64)> {
    let captured = folders::repository()?.join(REPORTS);
    let text = fs::read_to_string(&captured).with_context(|| format!("read {}", captured.display()))?;
    let first = text.find(" invoked oom-killer").and_then(|at| text.get(..at)?.rfind('\n')).context("there is a report in it")?;
    let reports = text.get(first + 1..).unwrap_or_default();
    let path = static_programs::target_folder()?.join("reports.kmsg");
    let mut file = BufWriter::new(File::create(&path).with_context(|| format!("create {}", path.display()))?);
    let (mut bytes, mut lines) = (0, 0_u32);
    while bytes < REPORTS_MIB * 1024 * 1024 {
        file.write_all(reports.as_bytes()).context("write the log of reports")?;
        bytes += reports.len();
        lines += u32::try_from(reports.lines().count()).context("count the lines")?;
    }
    file.flush().context("write the log of reports")?;
    Ok((path, f64::from(lines)))
}

fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("PODSIGHT_CORPUS") {
        Some(given) => PathBuf::from(given),
        None => folders::repository().ok()?.parent()?.join("shared/corpus"),
    };
    Some(folder.join("manifests")).filter(|manifests| manifests.is_dir())
}

fn files(folder: &PathBuf) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        count += if path.is_dir() { files(&path)? } else { 1 };
    }
    Ok(count)
}
