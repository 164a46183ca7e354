//! The program: its parts put together, and their end in the right order.

use crate::args::Args;
use crate::certificates::{Keeper, KeeperMetrics, Source};
use crate::config;
use crate::events::{self, EventMetrics};
use crate::history;
use crate::metrics::{WatchMetrics, WebhookMetrics};
use crate::server::{NAMESPACE, Webhook, check};
use crate::watches;
use anyhow::Context as _;
use podsight_cluster::Cluster;
use podsight_runtime::admin::{Admin, Readiness};
use podsight_runtime::certificate::{CertificateFiles, CertificateStore};
use podsight_runtime::metrics::Metrics;
use podsight_runtime::serve::{ConnectionMetrics, Limits, Server};
use podsight_runtime::shutdown::{Phase, Shutdown, Signals, Stop};
use podsight_runtime::telemetry;
use podsight_runtime::watched::WatchedFiles;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

/// How long the history may take to be kept at the end.
const KEEP_WAIT: Duration = Duration::from_secs(5);

/// Runs the webhook until a signal ends it.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let log_level = telemetry::init(args.log_format, &args.log)?;
    let mut signals = Signals::new().context("failed to listen for signals")?;
    let shutdown = Shutdown::new();
    let readiness = Readiness::default();
    readiness.not_ready("certificate", "it was not read yet");

    let mut metrics = Metrics::new("podsight_webhook", env!("CARGO_PKG_VERSION"));
    let cluster = Arc::new(Cluster::new(NAMESPACE));
    let (facts, namespaces) = (Arc::clone(&cluster), Arc::clone(&cluster));
    let mut webhook = Webhook::new(check, WebhookMetrics::register(metrics.own()))
        .knowing(facts)
        .knowing_namespaces(Arc::new(move |name| namespaces.namespace_labels(name)));
    let (events, outbox) = events::queue(&EventMetrics::register(metrics.own()));
    if args.events {
        webhook = webhook.telling(events);
    }
    let watch_metrics = WatchMetrics::register(metrics.own());
    let connections = ConnectionMetrics::default();
    connections.register(metrics.own());
    readiness.register(metrics.own());
    let certificates = CertificateStore::new();
    certificates.register(metrics.own());

    let keeper = match args.certificates.certificates {
        Source::Mounted => None,
        Source::Own => {
            let metrics = KeeperMetrics::register(metrics.own());
            let client = podsight_runtime::client::connect().await.context("an own certificate needs the cluster")?;
            Some(Keeper::new(client, &args.certificates, certificates.clone(), readiness.clone(), metrics))
        }
    };

    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("failed to listen on {}", args.listen))?;
    let admin_listener =
        TcpListener::bind(args.admin_listen).await.with_context(|| format!("failed to listen on {}", args.admin_listen))?;
    // Port 0 is for tests, which read the port that was given from here.
    tracing::info!(listen = %listener.local_addr()?, admin_listen = %admin_listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "Started.");

    let server = Server {
        listener,
        tls: Some(certificates.server_config()),
        limits: Limits::webhook(),
        metrics: connections,
        stop: shutdown.stop(),
    };
    let server = tokio::spawn(server.run(webhook.router()));
    let admin = Admin { readiness: readiness.clone(), metrics: Arc::new(metrics), log_level: Some(log_level) };
    // The admin server lives until the process ends: the kubelet shall see that we are not ready, and Prometheus the last figures.
    let still_running = Shutdown::new();
    let _admin = tokio::spawn(admin.serve(admin_listener, still_running.stop()));
    let files = CertificateFiles { certificate: args.tls_cert, key: args.tls_key };
    let _watches = tokio::spawn(watches::follow(cluster, args.watch_secrets, watch_metrics, shutdown.stop()));
    let _certificates = match keeper {
        None => tokio::spawn(certificates.follow(files, args.reload_every, readiness.clone(), shutdown.stop())),
        Some(keeper) => tokio::spawn(keeper.run(shutdown.stop())),
    };
    let following = match podsight_runtime::client::connect().await {
        Ok(client) => {
            if args.events {
                // In a pod it is the pod's name.
                let replica =
                    std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "podsight-webhook".to_owned());
                let _events = tokio::spawn(outbox.run(client.clone(), replica, shutdown.stop()));
            }
            Some(tokio::spawn(history::follow(client, webhook.history().clone(), webhook.metrics().clone(), shutdown.stop())))
        }
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "Without a cluster nothing is known of what was killed before.");
            None
        }
    };
    if let Some(path) = args.config {
        let _config = tokio::spawn(follow_config(webhook, path, args.reload_every, shutdown.stop()));
    }

    let signal = signals.next().await;
    readiness.not_ready("shutdown", "the program is ending");
    shutdown.advance(Phase::Draining);
    tracing::info!(signal, "Ending: no longer ready, still answering.");
    tokio::select! {
        () = sleep(args.drain_wait) => {}
        signal = signals.next() => tracing::info!(signal, "Ending without waiting any longer."),
    }
    shutdown.advance(Phase::Closing);
    server.await.context("the server failed")?;
    if let Some(following) = following {
        // It keeps what it knows first; on a dead connection nobody waits for it.
        drop(timeout(KEEP_WAIT, following).await);
    }
    tracing::info!("Ended.");
    Ok(())
}

/// Reads the configuration again and again, and applies what is sound in it. A file that is no YAML changes nothing, and neither does one that
/// was never there: a ConfigMap may be made later.
async fn follow_config(webhook: Webhook, path: PathBuf, every: Duration, mut stop: Stop) {
    let mut watched = WatchedFiles::new([path.clone()]);
    let mut missing = false;
    let mut seen = false;
    loop {
        match watched.changed() {
            Ok(None) => {}
            Ok(Some(contents)) => {
                (missing, seen) = (false, true);
                let (policy, problems) = config::read(&contents.concat());
                for problem in &problems {
                    tracing::warn!(file = %path.display(), %problem, "The configuration has a problem.");
                }
                webhook.metrics().config_problems(problems.len());
                if let Some(policy) = policy {
                    webhook.set_policy(policy);
                    tracing::info!(file = %path.display(), problems = problems.len(), "Applied the configuration.");
                } else {
                    tracing::warn!(file = %path.display(), "Kept the configuration in use: the file cannot be understood.");
                }
            }
            Err(error) if error.is_absent() && !seen => {
                if !missing {
                    tracing::info!(file = %path.display(), "There is no configuration: every rule warns.");
                }
                missing = true;
            }
            Err(error) => {
                webhook.metrics().config_problems(1);
                if !missing {
                    tracing::warn!(%error, "Kept the configuration in use: the file cannot be read.");
                }
                missing = true;
            }
        }
        tokio::select! {
            () = sleep(every) => {}
            () = stop.closing() => return,
        }
    }
}
