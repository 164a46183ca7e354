//! Findings in everything that is in the cluster, as report objects: `OpenReports`, or `PolicyReports` where those alone are known.
//!
//! It is a program that looks once and ends, to be run by a CronJob: no request waits for it, no replica has to be the leader, and its rights
//! are an identity's of its own.

mod found;
mod kind;
mod report;
mod scan;
mod store;

use crate::args::Args;
use crate::config::{self, Policy};
use crate::history::{self, SharedHistory};
use crate::server::NAMESPACE;
use crate::watches;
use anyhow::Context as _;
use podsight_cluster::{Cluster, Kind};
use podsight_runtime::{client, telemetry};
use report::Reports;
use scan::Scan;
use std::path::Path;

/// Looks at the cluster once and writes what was found. Where no kind of report is known it says so and writes nothing.
///
/// An error leaves the reports as they were, or in part: the next run writes the rest. What could not be listed for want of a right that it
/// is to have is an error, since a report without it would call well what nobody looked at.
pub async fn write_reports(args: Args) -> anyhow::Result<()> {
    telemetry::init(args.log_format, &args.log)?;
    let client = client::connect().await?;
    let kinds = kind::served(&client).await.context("failed to ask for the kinds of reports")?;
    if kinds.is_empty() {
        tracing::warn!("Wrote nothing: the cluster knows neither openreports.io/v1alpha1 nor wgpolicyk8s.io/v1alpha2.");
        return Ok(());
    }
    let cluster = Cluster::new(NAMESPACE);
    let version = client.apiserver_version().await.context("failed to ask for the API server's version")?;
    let digits: String = version.minor.chars().take_while(char::is_ascii_digit).collect();
    cluster.set_server_minor(digits.parse().unwrap_or(0));
    for kind in Kind::ALL.into_iter().filter(|kind| args.watch_secrets || *kind != Kind::Secret) {
        watches::list(&client, &cluster, kind).await.with_context(|| format!("failed to list {}", kind.plural()))?;
    }
    let history = SharedHistory::default();
    history::load(client.clone(), &history).await;
    let policy = args.config.as_deref().map(policy).transpose()?.unwrap_or_default();
    let scan = Scan { client: &client, cluster: &cluster, history: &history, policy: &policy, own_namespace: &args.certificates.namespace };
    let mut reports = Reports::default();
    let looked_at = scan.run(&mut reports).await?;
    let owner = store::owner(&client).await;
    let mut wanted = reports.finish();
    let (namespaces, mut changes) = (wanted.len(), store::Changes::default());
    for kind in kinds {
        // What is left for a kind that comes second is nothing: its reports of before go.
        changes.add(&store::write(&client, kind, std::mem::take(&mut wanted), owner.as_ref()).await?);
    }
    let store::Changes { created, replaced, deleted, unchanged } = changes;
    tracing::info!(looked_at, namespaces, created, replaced, deleted, unchanged, "Wrote the reports.");
    Ok(())
}

/// The configuration file. One that is not there is as good as an empty one; one that cannot be read must not turn on what it turned off.
fn policy(path: &Path) -> anyhow::Result<Policy> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Policy::default()),
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", path.display())),
    };
    let (policy, problems) = config::read(&bytes);
    for problem in &problems {
        tracing::warn!(file = %path.display(), %problem, "The configuration has a problem.");
    }
    policy.with_context(|| format!("{} cannot be understood", path.display()))
}
