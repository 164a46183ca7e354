//! The webhook: its handler alone, and the program over TLS. `tests/src/bin/webhook_load.rs` measures, this file reads.

use anyhow::{Context, Result};
use podsight_testbed::command;
use podsight_testbed::progress::Progress;
use serde_json::Value;

use crate::bench::figure::{Aim, Figure};
use crate::bench::program::cargo;

pub(crate) fn measure(progress: &Progress) -> Result<Vec<Figure>> {
    progress.step("bench: build the webhook and its load for release");
    let build = ["build", "--release", "--locked", "--package", "podsight-tests", "--bin", "webhook_load"];
    command::run(cargo()?.args(build))?;
    progress.step("bench: the webhook's handler");
    let handler = load(&["handler"])?;
    progress.step("bench: the webhook over TLS");
    let server = load(&["server"])?;

    let over_tls = |how: &str| format!("{how}; TLS, keep-alive, server on one core, load on the other");
    let mut figures = vec![];
    let mut add = |from: &Value, pointer: &str, divisor: f64, what, unit, aim, how: String| -> Result<()> {
        let number = from.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("webhook_load gave no {pointer}"))?;
        figures.push(Figure { what, measured: number / divisor, unit, aim, how });
        Ok(())
    };
    let reviews = "100,000 reviews of all kinds and sizes".to_owned();
    add(&handler, "/latency_us/p99", 1000.0, "webhook, handler, p99", "ms", Aim::AtMost(0.5), reviews)?;
    let fixed = "16 connections, 1,000 requests/s for 10 s";
    add(&server, "/fixed_rate/latency_us/p50", 1000.0, "webhook, 1,000 requests/s, p50", "ms", Aim::None, over_tls(fixed))?;
    add(&server, "/fixed_rate/latency_us/p99", 1000.0, "webhook, 1,000 requests/s, p99", "ms", Aim::AtMost(2.0), over_tls(fixed))?;
    add(&server, "/fixed_rate/errors", 1.0, "webhook, 1,000 requests/s, errors", "", Aim::AtMost(0.0), over_tls(fixed))?;
    let full = "16 connections as fast as it answers";
    add(
        &server,
        "/full_speed/answers_per_cpu_second",
        1.0,
        "webhook, full speed",
        "requests/s a core",
        Aim::AtLeast(5000.0),
        over_tls(full),
    )?;
    add(&server, "/resident_idle_kib", 1024.0, "webhook, resident, idle", "MiB", Aim::AtMost(12.0), "before the first request".into())?;
    let many = "500 connections as fast as it answers";
    add(&server, "/full_speed_500_connections/resident_kib", 1024.0, "webhook, resident, under load", "MiB", Aim::None, over_tls(many))?;
    Ok(figures)
}

fn load(arguments: &[&str]) -> Result<Value> {
    let mut run = cargo()?;
    run.args(["run", "--release", "--quiet", "--locked", "--package", "podsight-tests", "--bin", "webhook_load", "--"]).args(arguments);
    serde_json::from_str(&command::run(&mut run)?).context("understand what webhook_load printed")
}
