//! The bench of the webhook: its handler alone, the real program over TLS, and what the API server makes of it. The figures go to
//! standard output as JSON.

mod api_server;
mod empty;
mod server;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use nix::time::{ClockId, clock_gettime};
use podsight_tests::authority::SERVER_NAME;
use podsight_tests::client::request;
use podsight_tests::load::{Load, Wanted, percentiles};
use podsight_tests::program::program;
use podsight_tests::review::{create, deployment, grown_pod, pod, update};
use podsight_webhook::Webhook;
use podsight_webhook::metrics::WebhookMetrics;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::server::Server;

/// Measures the webhook.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The handler in this process: envelope, object, rules, answer
    Handler {
        /// How many reviews
        #[arg(long, default_value_t = 100_000)]
        reviews: usize,
    },
    /// The real program over TLS with keep-alive
    Server {
        /// The program; it is built like this one without it
        #[arg(long)]
        program: Option<PathBuf>,
        /// Seconds a step
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Requests a second of the step with a fixed rate
        #[arg(long, default_value_t = 1000)]
        rate: u32,
    },
    /// Pod creates at a real API server, with the real program beside a webhook that answers at once
    ApiServer {
        /// The program; it is built like this one without it
        #[arg(long)]
        program: Option<PathBuf>,
        /// An administrator's kubeconfig
        #[arg(long)]
        kubeconfig: PathBuf,
        /// The program of the cluster's version
        #[arg(long)]
        kubectl: PathBuf,
        /// Seconds a step
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Names that are watched at the end
        #[arg(long, default_value_t = 50_000)]
        names: usize,
    },
}

fn main() -> Result<()> {
    podsight_runtime::crypto::install();
    let figures = match Args::parse().what {
        What::Handler { reviews } => handler(reviews),
        What::Server { program, seconds, rate } => server(&webhook(program)?, Duration::from_secs(seconds), rate),
        What::ApiServer { program, kubeconfig, kubectl, seconds, names } => {
            api_server::measure(&webhook(program)?, &kubeconfig, &kubectl, Duration::from_secs(seconds), names)
        }
    }?;
    writeln!(std::io::stdout(), "{figures:#}").context("failed to write the figures")
}

fn webhook(given: Option<PathBuf>) -> Result<PathBuf> {
    given.map_or_else(|| program("podsight-webhook", "podsight-webhook"), Ok)
}

/// Reviews of all sizes, as they come in practice: most are small.
fn reviews() -> Vec<String> {
    let grown = grown_pod("shop", 3);
    let mut larger = grown.clone();
    if let Some(labels) = larger.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.insert("version".to_owned(), json!("2"));
    }
    let uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
    vec![
        create(uid, &pod("small", "256Mi")),
        create(uid, &deployment("web", "512Mi")),
        create(uid, &pod("tiny", "1Mi")),
        create(uid, &grown),
        create(uid, &grown_pod("one", 1)),
        update(uid, &larger, &grown),
        create(uid, &grown_pod("many", 20)),
        update(uid, &deployment("web", "512Mi"), &deployment("web", "256Mi")),
    ]
}

fn handler(wanted: usize) -> Result<Value> {
    let webhook = Webhook::new(podsight_webhook::check, WebhookMetrics::register(&mut Registry::default()));
    let reviews = reviews();
    let mut by_size = vec![Vec::new(); reviews.len()];
    let (mut wall, mut cpu) = (Vec::with_capacity(wanted), Vec::with_capacity(wanted));
    for (number, review) in reviews.iter().enumerate().cycle().take(wanted) {
        let (start, cpu_start) = (Instant::now(), thread_cpu()?);
        let answer = webhook.review(review.as_bytes());
        let (took, cpu_took) = (start.elapsed(), thread_cpu()?.saturating_sub(cpu_start));
        answer.map_err(anyhow::Error::msg)?;
        wall.push(took);
        cpu.push(cpu_took);
        by_size.get_mut(number).context("a review more")?.push(cpu_took);
    }
    let mut sizes = Vec::new();
    for (review, mut cpu) in reviews.iter().zip(by_size) {
        cpu.sort_unstable();
        sizes.push(json!({"bytes": review.len(), "cpu_us": percentiles(&cpu)}));
    }
    wall.sort_unstable();
    cpu.sort_unstable();
    Ok(json!({"reviews": wanted, "latency_us": percentiles(&wall), "cpu_us": percentiles(&cpu), "by_size": sizes}))
}

/// The time that this thread has had a core for: unlike the time on the wall it does not grow with what else the machine does.
fn thread_cpu() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

fn server(path: &std::path::Path, duration: Duration, rate: u32) -> Result<Value> {
    let server = Server::start(path, &[])?;
    let resident_idle = server.resident_kib()?;
    let uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
    let usual = request("/validate", create(uid, &grown_pod("shop", 3)).as_bytes());
    // For the overload a costly one: with a cheap one the load itself would need more than a core.
    let costly = request("/validate", create(uid, &grown_pod("many", 20)).as_bytes());
    let load = |request: &Vec<u8>, connections, rate| Load {
        address: server.address,
        tls: Arc::clone(&server.tls),
        name: SERVER_NAME,
        wanted: Wanted::Allowed,
        requests: Arc::new(vec![request.clone()]),
        connections,
        rate,
        duration,
    };
    let fixed = server.measure(&load(&usual, 16, Some(rate)))?;
    let full = server.measure(&load(&usual, 16, None))?;
    let many = server.measure(&load(&usual, 500, None))?;
    let capacity = server.measure(&load(&costly, 4, None))?;
    let overload = server.measure(&load(&costly, 256, Some(double(capacity.0))))?;
    let after = server.resident_kib()?;
    Ok(json!({"request_bytes": usual.len(), "costly_request_bytes": costly.len(), "resident_idle_kib": resident_idle,
        "resident_after_kib": after, "fixed_rate": fixed.1, "full_speed": full.1, "full_speed_500_connections": many.1,
        "capacity_costly": capacity.1, "twice_capacity_costly": overload.1}))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive and small")]
fn double(rate: f64) -> u32 {
    (rate * 2.0) as u32
}
