//! The task that follows the killed pods.

use super::SharedHistory;
use super::keep::Keeper;
use super::killed_pod::ApiPod;
use super::owners::Owners;
use crate::metrics::WebhookMetrics;
use futures::StreamExt as _;
use kube::runtime::watcher::{Config, Event};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use podsight_evidence::annotation;
use podsight_runtime::shutdown::{Phase, Stop};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Killed pods of one page of the first listing. A pod may be tens of kilobytes.
const PAGE: u32 = 50;
/// What comes together is written together: so long after the first news.
const SAVE_AFTER: Duration = Duration::from_secs(3);
/// Two writes of one replica are never closer than this.
const SAVE_PAUSE: Duration = Duration::from_secs(30);
/// After a failure.
const RETRY_AFTER: Duration = Duration::from_mins(1);
/// How often it is looked at what others kept: what they saw while this replica did not watch.
const LOAD_EVERY: Duration = Duration::from_mins(10);
/// Replicas wait differently long, so that the second finds written what the first wrote.
const SPREAD_MILLISECONDS: u64 = 4_000;

/// Follows the killed pods until the program ends. It asks for the few pods that carry the label, so that all others cost nothing.
pub async fn follow(client: Client, history: SharedHistory, metrics: WebhookMetrics, mut stop: Stop) {
    let keeper = Keeper::new(client.clone());
    let mut owners = Owners::new(client.clone());
    let selector = format!("{}={}", annotation::LABEL, annotation::LABEL_VALUE);
    let config = Config::default().labels(&selector).page_size(PAGE);
    let mut pods = watcher(Api::<ApiPod>::all(client), config).default_backoff().boxed();
    let spread = spread();
    let mut said = Said::default();
    let mut save_at: Option<Instant> = None;
    let mut saved: Option<Instant> = None;
    let mut load_at = Instant::now();
    loop {
        tokio::select! {
            event = pods.next() => {
                let Some(event) = event else { return };
                said.watch(&event);
                let Ok(Event::Apply(pod) | Event::InitApply(pod)) = event else { continue };
                // What is deleted is not forgotten.
                let Some(pod) = pod.into_killed() else { continue };
                let Some(key) = owners.of(&pod).await else { continue };
                if history.observe(&key, &pod) {
                    let earliest = saved.map_or_else(Instant::now, |saved| saved + SAVE_PAUSE);
                    save_at = save_at.or_else(|| Some(earliest.max(Instant::now() + SAVE_AFTER) + spread));
                }
            }
            () = until(save_at) => {
                let outcome = keeper.save(&history).await;
                saved = Some(Instant::now());
                save_at = outcome.is_err().then(|| Instant::now() + RETRY_AFTER + spread);
                said.keep(outcome);
            }
            () = sleep_until(load_at) => {
                said.keep(keeper.load(&history).await);
                load_at = Instant::now() + LOAD_EVERY + spread;
            }
            () = stop.reached(Phase::Draining) => {
                if save_at.is_some() {
                    said.keep(keeper.save(&history).await);
                }
                return;
            }
        }
        metrics.history(history.len());
    }
}

/// What was logged last, so that a state is logged once.
#[derive(Default)]
struct Said {
    watch_fails: bool,
    keep_fails: bool,
}

impl Said {
    fn watch<T>(&mut self, event: &Result<Event<T>, watcher::Error>) {
        match event {
            Err(error) if !self.watch_fails => {
                self.watch_fails = true;
                tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "Killed pods cannot be watched: nothing new is learnt from them. Trying again."
                );
            }
            Ok(Event::InitDone) => {
                self.watch_fails = false;
                tracing::info!("Follows the killed pods.");
            }
            _ => {}
        }
    }

    fn keep(&mut self, outcome: Result<(), super::keep::KeepError>) {
        match outcome {
            Ok(()) => self.keep_fails = false,
            Err(error) => {
                if !self.keep_fails {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "What was killed cannot be kept over a restart. Trying again."
                    );
                }
                self.keep_fails = true;
            }
        }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// A time of this process' own, by its host's name: that of the pod.
fn spread() -> Duration {
    let mut hasher = DefaultHasher::new();
    std::env::var_os("HOSTNAME").hash(&mut hasher);
    std::process::id().hash(&mut hasher);
    Duration::from_millis(hasher.finish() % SPREAD_MILLISECONDS)
}
