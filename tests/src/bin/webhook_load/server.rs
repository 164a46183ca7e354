//! The real program.

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use podsight_tests::authority::{Authority, SERVER_NAME, SecretVolume};
use podsight_tests::load::{Load, count};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use tempfile::TempDir;

/// The webhook; it ends with its last owner.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    /// The authority of its certificate, in PEM.
    pub(crate) authority: String,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    _folder: TempDir,
}

impl Server {
    /// Starts it with these variables, with a certificate for the Service's name and the loopback.
    pub(crate) fn start(path: &Path, variables: &[(&str, &Path)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let mut volume = SecretVolume::new(folder.path());
        volume.write_pair(&authority.issue_for_all(&[SERVER_NAME, "127.0.0.1"])?)?;
        let mut child = Command::new(path)
            .envs(variables.iter().copied())
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
        Ok(Self {
            address: address("listen")?,
            admin: address("admin_listen")?,
            tls: authority.client_config()?,
            authority: authority.certificate(),
            child,
            _folder: folder,
        })
    }

    fn pid(&self) -> Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }

    /// Runs a load and tells what it cost the server. The first value is the rate.
    ///
    /// The server has one worker thread: what it answers in a second of CPU time is what one core bears, whatever else runs.
    pub(crate) fn measure(&self, load: &Load) -> Result<(f64, Value)> {
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

    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// How many reviews were allowed without a look.
    fn shed(&self) -> Result<f64> {
        Ok(self.samples("podsight_webhook_shed_total")?.iter().map(|(_, value)| value).sum())
    }

    /// The samples of a metric: their labels and values.
    pub(crate) fn samples(&self, metric: &str) -> Result<Vec<(String, f64)>> {
        let mut stream = TcpStream::connect(self.admin)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(samples(&text, metric))
    }
}

/// The samples of a metric in what a server exposes: their labels and values.
pub(crate) fn samples(text: &str, metric: &str) -> Vec<(String, f64)> {
    let of = |line: &str| {
        let (labels, value) = line.strip_prefix(metric)?.rsplit_once(' ')?;
        // The rest of a longer name is no label.
        (labels.is_empty() || labels.starts_with('{')).then_some((labels.to_owned(), value.parse().ok()?))
    };
    text.lines().filter_map(of).collect()
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
