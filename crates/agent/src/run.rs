//! The program: sets everything up and goes round.

use crate::args::{Args, KernelLog};
use crate::cgroups::Cgroups;
use crate::checkpoint::CheckpointFile;
use crate::counters::Vmstat;
use crate::metrics::AgentMetrics;
use crate::node::{Node, Outcome};
use crate::processes::Processes;
use crate::publish::Publisher;
use crate::read::{Found, Reader, SourceError};
use crate::{clock, watch};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::Client;
use podsight_oom::{Attribution, Event, Kill};
use podsight_runtime::admin::{Admin, Readiness};
use podsight_runtime::client::ClientError;
use podsight_runtime::metrics::Metrics;
use podsight_runtime::shutdown::{Phase, Shutdown, Signals, Stop};
use podsight_runtime::telemetry::{self, LogLevel, TelemetryError};
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// How often the kernel's counter is looked at. Reading it costs 20 µs.
const TICK: Duration = Duration::from_millis(250);
/// The account opens when the counter is the same before and after reading the log; in a storm it may take a few tries.
const OPENING_TRIES: u32 = 20;
/// How often the node's processes are looked at while nothing is killed. A node with 500 of them is looked at for 10 ms.
const SCAN: Duration = Duration::from_mins(1);
/// Parts that `/readyz` names.
const LOG: &str = "kernel-log";
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
    /// The kernel log.
    #[error("failed to read the kernel log")]
    Source(#[source] SourceError),
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
    reader: Reader,
    /// Absent for a recorded log: this machine's counter has nothing to do with it.
    vmstat: Option<Vmstat>,
    cgroups: Option<Cgroups>,
    processes: Option<Processes>,
    scanned_at: Instant,
    /// The counter when the log was last read to its end.
    counter: Option<u64>,
    checkpoint: CheckpointFile,
    is_checkpoint_broken: bool,
    client: Client,
    publisher: Publisher,
    metrics: AgentMetrics,
    readiness: Readiness,
    node_name: String,
    is_caught_up: bool,
}

type Sending = FuturesUnordered<BoxFuture<'static, (String, Outcome)>>;

impl Agent {
    /// Opens the kernel log and the checkpoint.
    pub fn new(args: &Args, client: Client, metrics: AgentMetrics, readiness: Readiness) -> Result<Self, AgentError> {
        readiness.not_ready(LOG, "not read to its end yet");
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
        let reader = Reader::open(&args.kernel_log).map_err(AgentError::Source)?;
        tracing::info!(source = reader.name(), node = args.node_name, boot = %boot, "Reading the kernel log.");
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
            reader,
            vmstat: is_live.then(|| Vmstat::new(&args.proc)),
            cgroups,
            processes: Processes::open(&args.proc).filter(|_| is_live),
            scanned_at: Instant::now(),
            counter: None,
            checkpoint: file,
            is_checkpoint_broken: false,
            publisher: Publisher::new(client.clone(), args.node_name.clone(), metrics.clone()),
            client,
            metrics,
            readiness,
            node_name: args.node_name.clone(),
            is_caught_up: false,
        })
    }

    /// Goes round until the program ends.
    pub async fn run(mut self, mut stop: Stop) -> Result<(), AgentError> {
        self.catch_up()?;
        let mut pods = watch::pods(self.client.clone(), &self.node_name);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watching = watch::State::Listing;
        let mut sending = Sending::new();
        loop {
            let next_write = self.node.next_write_at(Instant::now());
            tokio::select! {
                () = stop.closing() => return Ok(()),
                _ = tick.tick() => self.tick()?,
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

    /// Reads all that the ring holds, until the counter is the same before and after.
    fn catch_up(&mut self) -> Result<(), AgentError> {
        for _ in 0..OPENING_TRIES {
            let before = self.kernel_count();
            self.read()?;
            if before == self.kernel_count() {
                self.counter = before;
                break;
            }
        }
        if let Some(counter) = self.counter {
            self.node.counter(counter);
        }
        self.is_caught_up = true;
        self.readiness.ready(LOG);
        Ok(())
    }

    fn tick(&mut self) -> Result<(), AgentError> {
        let counter = self.kernel_count();
        let has_moved = counter != self.counter;
        match counter {
            Some(counter) => {
                self.read_up_to(counter)?;
                self.node.counter(counter);
            }
            None if self.reader.is_due(false, Instant::now()) => self.read()?,
            None => {}
        }
        self.read_counters()?;
        let now = Instant::now();
        self.scan_processes(has_moved, now);
        self.node.review(clock::now(), now);
        self.node.judge_ends(now);
        self.save();
        Ok(())
    }

    /// Reads the containers' counters, if that helps. They first and then the log: so each of their counts has its line in what was read.
    fn read_counters(&mut self) -> Result<(), AgentError> {
        let Some(cgroups) = self.cgroups.as_mut().filter(|_| self.node.wants_counters()) else { return Ok(()) };
        cgroups.walk();
        let readings = cgroups.read();
        if let Some(counter) = self.kernel_count() {
            self.read_up_to(counter)?;
        }
        let now = Instant::now();
        self.node.settle(now);
        self.node.counters(&readings, clock::now(), now);
        Ok(())
    }

    /// What the kernel has counted since boot.
    fn kernel_count(&mut self) -> Option<u64> {
        self.vmstat.as_mut()?.oom_kill()
    }

    /// Looks at the node's processes: now and then, and while something is being killed, so that the next victims are known.
    fn scan_processes(&mut self, has_moved: bool, now: Instant) {
        let Some(processes) = &mut self.processes else { return };
        if has_moved || now.saturating_duration_since(self.scanned_at) >= SCAN {
            processes.scan();
            self.scanned_at = now;
        }
    }

    /// Reads the log, if it can tell more than when it was read last: `counter` was read just now.
    fn read_up_to(&mut self, counter: u64) -> Result<(), AgentError> {
        if self.reader.is_due(self.counter != Some(counter), Instant::now()) && !self.node.is_full() {
            self.read()?;
            // What moves the counter after this is read the next time.
            self.counter = Some(counter);
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), AgentError> {
        while !self.node.is_full() {
            let is_end = self.reader.read(Instant::now()).map_err(AgentError::Source)?;
            let now = clock::now();
            for found in self.reader.take_found() {
                match found {
                    Found::Event(Event::Kill(mut kill)) => {
                        if let Some(processes) = self.processes.as_ref().filter(|_| self.is_caught_up) {
                            remember(processes, &mut kill);
                        }
                        let at = if self.is_caught_up { clock::at_live(kill.usec, now) } else { clock::at(kill.usec, now) };
                        self.node.kill(*kill, at, Instant::now());
                    }
                    Found::SecondLine => self.node.second_line(),
                    Found::Event(Event::Incomplete(_)) => drop(self.metrics.incomplete.inc()),
                    Found::Event(Event::NoKill(_)) => {}
                    Found::Event(Event::Suppressed(reports)) => drop(self.metrics.suppressed.inc_by(reports)),
                    Found::Event(Event::Rejected) => drop(self.metrics.rejected.inc()),
                }
            }
            let lost = self.reader.take_lost();
            if lost > 0 {
                self.metrics.lost_records.inc_by(lost);
                tracing::warn!(lost, "Records of the kernel log were overwritten before they were read.");
            }
            if is_end {
                break;
            }
        }
        Ok(())
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

/// Adds what is remembered of the victim to a kill of which the kernel names no cgroup.
fn remember(processes: &Processes, kill: &mut Kill) {
    let (None, Some(pid), Some(comm)) = (&kill.victim_cgroup, kill.pid, &kill.comm) else { return };
    if let Some(cgroup) = processes.cgroup(pid, comm) {
        kill.victim_cgroup = Some(cgroup.to_vec());
        kill.attribution = Attribution::Pid;
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
