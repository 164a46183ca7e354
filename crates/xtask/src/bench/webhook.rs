//! The webhook: its handler alone, and the program over TLS. `tests/src/bin/webhook_load.rs` measures, this file reads.

use anyhow::{Context, Result};
use podsight_testbed::command;
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::Testbed;
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
    let reviews = format!("100,000 reviews of all kinds and sizes; each size alone: {}", by_size(&handler)?);
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
    add(&server, "/full_speed_500_connections/errors", 1.0, "webhook, 500 connections, errors", "", Aim::AtMost(0.0), over_tls(many))?;
    let double = "256 connections, costly reviews at twice the rate that it bears";
    let p99 = "/twice_capacity_costly/latency_us/p99";
    add(&server, p99, 1000.0, "webhook, twice its capacity, p99", "ms", Aim::AtMost(50.0), over_tls(double))?;
    add(&server, "/twice_capacity_costly/errors", 1.0, "webhook, twice its capacity, errors", "", Aim::AtMost(0.0), over_tls(double))?;
    Ok(figures)
}

/// The p99 of each size of review, smallest first.
fn by_size(handler: &Value) -> Result<String> {
    let sizes = handler.get("by_size").and_then(Value::as_array).context("webhook_load gave no sizes")?;
    let mut sizes: Vec<(u64, f64)> = sizes
        .iter()
        .map(|size| Some((size.get("bytes")?.as_u64()?, size.pointer("/cpu_us/p99")?.as_f64()?)))
        .collect::<Option<_>>()
        .context("webhook_load gave a size without a p99")?;
    sizes.sort_unstable_by_key(|(bytes, _)| *bytes);
    Ok(sizes.iter().map(|(bytes, p99)| format!("{bytes} bytes {:.2} ms", p99 / 1000.0)).collect::<Vec<_>>().join(", "))
}

/// The webhook beside an empty one at the testbed's API server, as programs on the same machine.
pub(crate) fn at_api_server(testbed: &Testbed, progress: &Progress) -> Result<Vec<Figure>> {
    progress.step("bench: pod creates at the API server, beside an empty webhook");
    let (kubeconfig, kubectl) =
        (testbed.plane.kubectl.kubeconfig().display().to_string(), testbed.programs.path("kubectl").display().to_string());
    let measured = load(&["api-server", "--kubeconfig", &kubeconfig, "--kubectl", &kubectl])?;
    let number =
        |pointer: &str| measured.pointer(pointer).and_then(Value::as_f64).with_context(|| format!("webhook_load gave no {pointer}"));
    let mut figures = vec![];
    for (clients, what) in [
        (1, ["API server, 1 client, median beside an empty webhook's", "API server, 1 client, p99 beside an empty webhook's"]),
        (50, ["API server, 50 clients, median beside an empty webhook's", "API server, 50 clients, p99 beside an empty webhook's"]),
    ] {
        for (what, percentile) in what.into_iter().zip(["p50", "p99"]) {
            let of = |name: &str| Ok::<f64, anyhow::Error>(number(&format!("/bench-{name}_{clients}/latency_us/{percentile}"))? / 1000.0);
            let (none, empty, ours) = (of("none")?, of("empty")?, of("podsight")?);
            let rate = |name: &str| number(&format!("/bench-{name}_{clients}/creates_per_second"));
            let how = format!(
                "dry-run pod creates: {none:.2} ms without a webhook, {empty:.2} ms with an empty one, {ours:.2} ms with podsight's; {:.0}, {:.0}, {:.0} creates/s",
                rate("none")?,
                rate("empty")?,
                rate("podsight")?
            );
            figures.push(Figure { what, measured: ours / empty, unit: "times", aim: Aim::AtMost(1.1), how });
        }
    }
    figures.push(Figure {
        what: "API server, 300 creates/s, webhook calls within 5 ms",
        measured: number("/bench-podsight_first_bucket/within_5_ms_percent")?,
        unit: "%",
        aim: Aim::AtLeast(99.0),
        how: format!(
            "first bucket of the server's own metric; {:.2} % with an empty webhook",
            number("/bench-empty_first_bucket/within_5_ms_percent")?
        ),
    });
    figures.push(Figure {
        what: "webhook, resident, many watched names",
        measured: number("/watched/resident_kib")? / 1024.0,
        unit: "MiB",
        aim: Aim::AtMost(64.0),
        how: format!("{:.0} objects watched, ConfigMaps with two keys each", number("/watched/names")?),
    });
    Ok(figures)
}

fn load(arguments: &[&str]) -> Result<Value> {
    let mut run = cargo()?;
    run.args(["run", "--release", "--quiet", "--locked", "--package", "podsight-tests", "--bin", "webhook_load", "--"]).args(arguments);
    serde_json::from_str(&command::run(&mut run)?).context("understand what webhook_load printed")
}
