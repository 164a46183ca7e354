//! A webhook to test: the real program, or its server in this process where a limit must be short or a rule must fail.

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podsight_runtime::serve::{ConnectionMetrics, Limits, Server};
use podsight_runtime::shutdown::{Phase, Shutdown};
use podsight_tests::authority::{Authority, SecretVolume};
use podsight_tests::client::{Client, Response};
use podsight_tests::program::program;
use podsight_webhook::metrics::WebhookMetrics;
use podsight_webhook::{Check, Webhook};
use prometheus_client::registry::Registry;
use rustls::ClientConfig;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::client::TlsStream;

/// The real program, ended with the test.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) authority: Authority,
    pub(crate) volume: SecretVolume,
    pub(crate) client_config: Arc<ClientConfig>,
    log: Receiver<String>,
    folder: TempDir,
}

/// Built once a run of the tests.
fn binary() -> Result<&'static std::path::Path> {
    static PATH: OnceLock<Result<std::path::PathBuf, String>> = OnceLock::new();
    let path = PATH.get_or_init(|| program("podsight-webhook", "podsight-webhook").map_err(|error| format!("{error:#}")));
    path.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

impl Program {
    /// Starts the program and waits until it is ready.
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(None).await
    }

    /// Starts the program with this configuration, and waits until it is ready.
    pub(crate) async fn start_with(config: Option<&str>) -> Result<Self> {
        Self::start_as(config, |_| {}).await
    }

    /// Starts the program with this configuration and whatever else the command is given, and waits until it is ready.
    pub(crate) async fn start_as(config: Option<&str>, prepare: impl FnOnce(&mut Command)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let tls = folder.path().join("tls");
        std::fs::create_dir(&tls)?;
        let mut volume = SecretVolume::new(&tls);
        volume.write_pair(&authority.issue()?)?;
        let mut command = Command::new(binary()?);
        command
            .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json", "--reload-every=20ms", "--drain-wait=500ms"])
            .arg("--tls-cert")
            .arg(volume.file("tls.crt"))
            .arg("--tls-key")
            .arg(volume.file("tls.key"))
            .env_remove("KUBECONFIG")
            .stderr(Stdio::piped());
        if let Some(config) = config {
            let path = folder.path().join("config.yaml");
            std::fs::write(&path, config)?;
            command.arg("--config").arg(path);
        }
        prepare(&mut command);
        let mut child = command.spawn().context("failed to start the webhook")?;
        let lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let (sender, log) = channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let first = log.recv_timeout(Duration::from_secs(30)).context("the webhook said nothing")?;
        let started: serde_json::Value = serde_json::from_str(&first).with_context(|| first.clone())?;
        let address = |field: &str| {
            started.get(field).and_then(|value| value.as_str()).context("no address")?.parse::<SocketAddr>().context("no address")
        };
        let (address, admin) = (address("listen")?, address("admin_listen")?);
        let client_config = authority.client_config()?;
        let program = Self { child, address, admin, authority, volume, client_config, log, folder };
        program.wait_for("/readyz", |response| response.status == 200).await?;
        Ok(program)
    }

    /// Puts another configuration in the place of the one that is followed, at once as a ConfigMap's volume does.
    pub(crate) fn configure(&self, text: &str) -> Result<()> {
        let file = self.folder.path().join("config.yaml");
        let new = file.with_extension("new");
        std::fs::write(&new, text)?;
        Ok(std::fs::rename(new, file)?)
    }

    /// A connection as an API server makes it.
    pub(crate) async fn connect(&self) -> Result<Client<TlsStream<TcpStream>>> {
        Client::tls(self.address, &self.client_config).await
    }

    /// Asks the admin port.
    pub(crate) async fn admin(&self, path: &str) -> Result<Response> {
        Client::plain(self.admin).await?.get(path).await
    }

    /// Asks the admin port until the answer is as wanted.
    pub(crate) async fn wait_for(&self, path: &str, wanted: impl Fn(&Response) -> bool) -> Result<Response> {
        let mut last = None;
        for _ in 0..1000 {
            match self.admin(path).await {
                Ok(response) if wanted(&response) => return Ok(response),
                other => last = Some(other),
            }
            sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("{path} never was as wanted, at last {last:?}")
    }

    /// The value of a sample of `/metrics`.
    pub(crate) async fn metric(&self, sample: &str) -> Result<Option<f64>> {
        let text = self.admin("/metrics").await?.body;
        Ok(text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok()))
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) -> Result<()> {
        Ok(kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?)
    }

    /// Waits for the end and gives the log from here on.
    pub(crate) fn end(mut self) -> Result<(ExitStatus, Vec<String>)> {
        let status = self.child.wait()?;
        Ok((status, self.log.iter().collect()))
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }

    /// The number of the process.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
        Ok(line.split_whitespace().nth(1).context("no VmRSS")?.parse()?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already ended, where `end` was called.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The server alone, without TLS, in this process.
pub(crate) struct Local {
    pub(crate) address: SocketAddr,
    pub(crate) registry: Registry,
    shutdown: Shutdown,
}

impl Local {
    /// Starts the server with these limits and rules.
    pub(crate) async fn start(limits: Limits, check: Check) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut registry = Registry::default();
        let webhook = Webhook::new(check, WebhookMetrics::register(&mut registry));
        let metrics = ConnectionMetrics::default();
        metrics.register(&mut registry);
        let shutdown = Shutdown::new();
        let server = Server { listener, tls: None, limits, metrics, stop: shutdown.stop() };
        tokio::spawn(server.run(webhook.router()));
        Ok(Self { address, registry, shutdown })
    }

    pub(crate) async fn connect(&self) -> Result<Client<TcpStream>> {
        Client::plain(self.address).await
    }

    /// The samples of the metrics whose names begin so, without comments.
    pub(crate) fn metrics(&self, prefix: &str) -> Result<Vec<String>> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        let mut samples: Vec<String> = text.lines().filter(|line| line.starts_with(prefix)).map(ToOwned::to_owned).collect();
        samples.sort_unstable();
        Ok(samples)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Closing);
    }
}

/// The answer that allows and says nothing.
pub(crate) fn allowed(uid: &str) -> String {
    format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{{"uid":"{uid}","allowed":true}}}}"#)
}
