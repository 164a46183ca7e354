//! What the webhook knows of the cluster: kept up to date in the background, so that no review waits for anything.
//!
//! Until a kind is listed, while its watch fails and where it may not be read, nothing is known of it, and the rules say nothing about it.

mod follow;
mod list;
mod seen;

pub(crate) use list::list;

use crate::metrics::{WatchMetrics, WatchedKind};
use podsight_cluster::{Cluster, Kind};
use podsight_runtime::client;
use podsight_runtime::shutdown::Stop;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// How often the API server's version is asked for: it changes when the cluster is upgraded.
const VERSION_EVERY: Duration = Duration::from_hours(1);
/// How soon it is asked again after a failure.
const VERSION_RETRY: Duration = Duration::from_secs(30);

/// Follows the kinds of the cluster that the program runs in, until it stops. Without a cluster it says so and does nothing.
pub(crate) async fn follow(cluster: Arc<Cluster>, with_secrets: bool, metrics: WatchMetrics, mut stop: Stop) {
    let client = match client::connect().await {
        Ok(client) => client,
        Err(error) => {
            tracing::info!(
                error = &error as &dyn std::error::Error,
                "Answers from the reviews alone: without a ServiceAccount token nothing is known of the cluster."
            );
            return;
        }
    };
    // One listing at a time: the API server and our memory are to see one page at a time, whatever the number of kinds.
    let turn = Arc::new(Semaphore::new(1));
    let watches = Kind::ALL.into_iter().filter(|kind| with_secrets || *kind != Kind::Secret).map(|kind| {
        let one = follow::Watch {
            kind,
            client: client.clone(),
            cluster: Arc::clone(&cluster),
            turn: Arc::clone(&turn),
            metrics: metrics.clone(),
        };
        one.follow()
    });
    tokio::select! {
        _ = futures::future::join_all(watches) => {}
        () = follow_version(&client, &cluster) => {}
        () = stop.closing() => {}
    }
}

async fn follow_version(client: &kube::Client, cluster: &Cluster) {
    loop {
        let wait = match client.apiserver_version().await {
            Ok(version) => {
                let digits: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
                cluster.set_server_minor(digits.parse().unwrap_or(0));
                VERSION_EVERY
            }
            Err(_) => VERSION_RETRY,
        };
        sleep(wait).await;
    }
}

impl From<Kind> for WatchedKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::ConfigMap => Self::ConfigMap,
            Kind::Secret => Self::Secret,
            Kind::ServiceAccount => Self::ServiceAccount,
            Kind::PersistentVolumeClaim => Self::PersistentVolumeClaim,
            Kind::PriorityClass => Self::PriorityClass,
            Kind::RuntimeClass => Self::RuntimeClass,
            Kind::StorageClass => Self::StorageClass,
            Kind::PersistentVolume => Self::PersistentVolume,
            Kind::LimitRange => Self::LimitRange,
            Kind::ResourceQuota => Self::ResourceQuota,
            Kind::Namespace => Self::Namespace,
            Kind::Node => Self::Node,
        }
    }
}
