//! The program: sets everything up and goes round.

use crate::args::{Args, KernelLog};
use crate::cgroups::Cgroups;
use crate::checkpoint::CheckpointFile;
use crate::log::Log;
use crate::metrics::AgentMetrics;
use crate::node::{Node, Outcome};
use crate::publish::Publisher;
use crate::{clock, watch};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::Client;
use podsight_runtime::admin::{Admin, Readiness};
use podsight_runtime::client::ClientError;
use podsight_runtime::metrics::Metrics;
use podsight_runtime::shutdown::{Phase, Shutdown, Signals, Stop};
use podsight_runtime::telemetry::{self, LogLevel, TelemetryError};
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep_until};

/// The part that `/readyz` names.
const PODS: &str = "pods";

/// Why the agent ended.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The worker thread.
    #[error("failed to start the runtime")]
    Runtime(#[source] io::Error),
    /// The signals.
    #[error("failed to listen for signals")]
    Signals(#[source] io::Error),
    /// The logs.
    #[error("failed to set up logging")]
    Telemetry(#[source] TelemetryError),
    /// The client.
    #[error("failed to connect to the cluster")]
    Client(#[source] ClientError),
    /// The admin server's port.
    #[error("failed to listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Without a boot id kills of two boots could not be told apart.
    #[error("failed to read the boot id in `{0}`")]
    BootId(std::path::PathBuf),
}

/// Runs the agent until a signal.
pub fn run(args: Args) -> ExitCode {
    let result = telemetry::init(args.log_format, &args.log)
        .map_err(AgentError::Telemetry)
        .and_then(|level| podsight_runtime::block_on(start(args, level)).map_err(AgentError::Runtime).flatten());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::error!(error = format!("{error:#}"), "The agent cannot go on.");
            ExitCode::FAILURE
        }
    }
}

async fn start(args: Args, log_level: LogLevel) -> Result<(), AgentError> {
    let mut signals = Signals::new().map_err(AgentError::Signals)?;
    let mut registry = Metrics::new("podsight_agent", env!("CARGO_PKG_VERSION"));
    let metrics = AgentMetrics::register(registry.own());
    let readiness = Readiness::default();
    readiness.register(registry.own());
    let client = podsight_runtime::client::connect().await.map_err(AgentError::Client)?;
    let shutdown = Shutdown::new();
    let admin = Admin { readiness: readiness.clone(), metrics: Arc::new(registry), log_level: Some(log_level) };
    let address = args.admin_listen;
    let listener = TcpListener::bind(address).await.map_err(|source| AgentError::Listen { address, source })?;
    let server = tokio::spawn(admin.serve(listener, shutdown.stop()));
    let agent = Agent::new(&args, client, metrics, readiness)?;
    let stop = shutdown.stop();
    let result = tokio::select! {
        result = agent.run(stop) => result,
        signal = signals.next() => {
            tracing::info!(signal, "Stopping.");
            Ok(())
        }
    };
    shutdown.advance(Phase::Closing);
    drop(server.await);
    result
}

/// The agent, ready to run.
#[expect(missing_debug_implementations, reason = "the Kubernetes client has none")]
pub struct Agent {
    node: Node,
    log: Log,
    cgroups: Option<Cgroups>,
    checkpoint: CheckpointFile,
    is_checkpoint_broken: bool,
    client: Client,
    publisher: Publisher,
    readiness: Readiness,
    node_name: String,
}

type Sending = FuturesUnordered<BoxFuture<'static, (String, Outcome)>>;

impl Agent {
    /// Opens the checkpoint, and looks at what else there is to read. The kernel log is opened when it runs.
    pub fn new(args: &Args, client: Client, metrics: AgentMetrics, readiness: Readiness) -> Result<Self, AgentError> {
        readiness.not_ready(PODS, "not listed yet");
        let boot = clock::boot_id(&args.proc).ok_or_else(|| AgentError::BootId(args.proc.clone()))?;
        let file = CheckpointFile::new(&args.state_dir);
        let checkpoint = file.read().unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Reading the kernel log from its beginning; what is on the pods is not written again."
            );
            None
        });
        tracing::info!(node = args.node_name, boot = %boot, "Starting.");
        let log = Log::new(args, metrics.clone(), readiness.clone());
        let mut node = Node::new(boot, checkpoint, metrics.clone(), Instant::now());
        // A recorded log has nothing to do with the counters of this machine.
        let is_live = !matches!(args.kernel_log, KernelLog::File(_));
        if is_live {
            node.judges_ends_since(clock::now());
        }
        let cgroups = Cgroups::open(&args.cgroup_root).filter(|_| is_live);
        if cgroups.is_some() {
            node.has_counters();
        } else {
            let path = args.cgroup_root.display();
            tracing::info!(%path, "The pods' cgroups cannot be seen here: in a storm kills are counted, but not all can be put down to a pod.");
        }
        Ok(Self {
            node,
            log,
            cgroups,
            checkpoint: file,
            is_checkpoint_broken: false,
            publisher: Publisher::new(client.clone(), args.node_name.clone(), metrics),
            client,
            readiness,
            node_name: args.node_name.clone(),
        })
    }

    /// Goes round until the program ends.
    pub async fn run(mut self, mut stop: Stop) -> Result<(), AgentError> {
        self.log.tick(&mut self.node, Instant::now());
        let mut pods = watch::pods(self.client.clone(), &self.node_name);
        let mut next_tick = Instant::now();
        let mut watching = watch::State::Listing;
        let mut sending = Sending::new();
        loop {
            let next_write = self.node.next_write_at(Instant::now());
            tokio::select! {
                () = stop.closing() => return Ok(()),
                () = sleep_until(next_tick) => {
                    self.tick();
                    let now = Instant::now();
                    next_tick = now + self.log.pause(now);
                }
                Some(event) = pods.next() => {
                    watching = watch::apply(&mut self.node, event, watching, Instant::now());
                    match watching {
                        watch::State::Listing => {}
                        watch::State::Watching => self.readiness.ready(PODS),
                        watch::State::Failing => self.readiness.not_ready(PODS, "the watch has failed; trying again"),
                    }
                }
                Some((uid, outcome)) = sending.next(), if !sending.is_empty() => {
                    self.node.written(&uid, outcome, clock::now(), Instant::now());
                }
                () = until(next_write) => {}
            }
            let now = Instant::now();
            self.node.settle(now);
            while let Some(write) = self.node.next_write(now) {
                sending.push(Box::pin(self.publisher.clone().send(write)));
            }
        }
    }

    fn tick(&mut self) {
        let tick = Instant::now();
        self.log.tick(&mut self.node, tick);
        self.log.scan_processes(tick);
        self.read_counters();
        let now = Instant::now();
        self.node.review(clock::now(), now);
        self.node.judge_ends(now);
        self.save();
    }

    /// Reads the containers' counters, if that helps. They first and then the log: so each of their counts has its line in what was read.
    fn read_counters(&mut self) {
        let Some(cgroups) = self.cgroups.as_mut().filter(|_| self.node.wants_counters()) else { return };
        cgroups.walk();
        let readings = cgroups.read();
        self.log.read_on(&mut self.node, Instant::now());
        let now = Instant::now();
        self.node.settle(now);
        self.node.counters(&readings, clock::now(), now);
    }

    fn save(&mut self) {
        match self.checkpoint.write(&self.node.checkpoint()) {
            Ok(()) => self.is_checkpoint_broken = false,
            Err(error) if !self.is_checkpoint_broken => {
                self.is_checkpoint_broken = true;
                tracing::warn!(error = &error as &dyn std::error::Error, "Without the checkpoint a restart reads the whole log again.");
            }
            Err(_) => {}
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
