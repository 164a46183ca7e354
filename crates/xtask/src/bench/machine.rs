//! The machine that figures were measured on.

use std::fs;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

/// One paragraph: processor, memory, kernel, and what else was going on.
pub(crate) fn describe() -> Result<String> {
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("read {path}"));
    let processors = read("/proc/cpuinfo")?;
    let model = value(&processors, "model name").unwrap_or("unknown processor");
    let cores = available_parallelism().context("count the processors")?;
    let memory = read("/proc/meminfo")?;
    let kib: u64 = value(&memory, "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse().ok()).unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease")?;
    let load = read("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or("unknown");
    Ok(format!(
        "Machine: {model}, {cores} processors, {} MiB, Linux {}. Load average before the first measurement: {load}\n(what is above 0 came from other programs and makes figures worse).\n",
        kib / 1024,
        kernel.trim()
    ))
}

fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':').map(str::trim))
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_found_by_key() {
        assert_eq!(super::value("processor\t: 0\nmodel name\t: A B\n", "model name"), Some("A B"));
        assert_eq!(super::value("MemTotal:       8 kB\n", "MemTotal"), Some("8 kB"));
    }
}
