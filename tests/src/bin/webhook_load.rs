//! The bench of the webhook: its handler alone, and the real program over TLS. The figures go to standard output as JSON.

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};
use podsight_tests::authority::{Authority, SecretVolume};
use podsight_tests::client::request;
use podsight_tests::load::{Load, count, percentiles};
use podsight_tests::program::program;
use podsight_tests::review::{create, deployment, grown_pod, pod, update};
use podsight_webhook::Webhook;
use podsight_webhook::metrics::WebhookMetrics;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

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
}

fn main() -> Result<()> {
    podsight_runtime::crypto::install();
    let figures = match Args::parse().what {
        What::Handler { reviews } => handler(reviews),
        What::Server { program: path, seconds, rate } => {
            let path = path.map_or_else(|| program("podsight-webhook", "podsight-webhook"), Ok)?;
            server(&path, Duration::from_secs(seconds), rate)
        }
    }?;
    writeln!(std::io::stdout(), "{figures:#}").context("failed to write the figures")
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
    let server = Server::start(path)?;
    let resident_idle = server.resident_kib()?;
    let uid = "705ab4f5-6393-11e8-b7cc-42010a800002";
    let usual = request("/validate", create(uid, &grown_pod("shop", 3)).as_bytes());
    // For the overload a costly one: with a cheap one the load itself would need more than a core.
    let costly = request("/validate", create(uid, &grown_pod("many", 20)).as_bytes());
    let load = |request: &Vec<u8>, connections, rate| Load {
        address: server.address,
        tls: Arc::clone(&server.tls),
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

/// The real program.
struct Server {
    child: Child,
    address: SocketAddr,
    admin: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
    _folder: TempDir,
}

impl Server {
    fn start(path: &std::path::Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let mut volume = SecretVolume::new(folder.path());
        volume.write_pair(&authority.issue()?)?;
        let mut child = Command::new(path)
            .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json", "--drain-wait=1ms", "--tls-cert"])
            .arg(volume.file("tls.crt"))
            .arg("--tls-key")
            .arg(volume.file("tls.key"))
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start {}", path.display()))?;
        let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let started: Value = serde_json::from_str(&lines.next().context("the webhook said nothing")??)?;
        lines.next().context("the webhook read no certificate")??;
        thread::spawn(move || lines.for_each(drop));
        let address = |field: &str| started.get(field).and_then(Value::as_str).context("no address")?.parse().context("no address");
        Ok(Self { address: address("listen")?, admin: address("admin_listen")?, tls: authority.client_config()?, child, _folder: folder })
    }

    fn pid(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }

    /// Runs a load and tells what it cost the server. The first value is the rate.
    ///
    /// The server has one worker thread: what it answers in a second of CPU time is what one core bears, whatever else runs.
    fn measure(&self, load: &Load) -> Result<(f64, Value)> {
        let (cpu, shed) = (self.cpu_seconds()?, self.shed()?);
        let outcome = load.run()?;
        let cpu = self.cpu_seconds()? - cpu;
        let per_core = count(outcome.latencies.len()) / cpu.max(f64::MIN_POSITIVE);
        let mut figures = outcome.json();
        if let Some(figures) = figures.as_object_mut() {
            figures.insert("connections".to_owned(), json!(load.connections));
            figures.insert("wanted_per_second".to_owned(), json!(load.rate));
            figures.insert("server_cpu_seconds".to_owned(), json!(cpu));
            figures.insert("answers_per_cpu_second".to_owned(), json!(per_core.round()));
            figures.insert("shed".to_owned(), json!(self.shed()? - shed));
            figures.insert("resident_kib".to_owned(), json!(self.resident_kib()?));
        }
        Ok((outcome.rate(), figures))
    }

    /// User and system time: fields 14 and 15 of `/proc/PID/stat`.
    fn cpu_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit_once(") ").context("no fields")?.1.split(' ').skip(11).take(2);
        let ticks: u32 = fields.map(|field| field.parse::<u32>().unwrap_or_default()).sum();
        let hertz = sysconf(SysconfVar::CLK_TCK)?.context("no ticks")?;
        Ok(f64::from(ticks) / f64::from(u32::try_from(hertz)?))
    }

    fn resident_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// How many reviews were allowed without a look.
    fn shed(&self) -> Result<f64> {
        let mut stream = TcpStream::connect(self.admin)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let samples = text.lines().filter(|line| line.starts_with("podsight_webhook_shed_total"));
        Ok(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killed, where it cannot be asked to end.
        if self.pid().is_ok_and(|pid| kill(pid, Signal::SIGTERM).is_err()) {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}
