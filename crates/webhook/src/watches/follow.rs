//! One kind, from the first listing on.

use crate::metrics::WatchMetrics;
use crate::watches::seen::{Seen, SeenMetadata};
use futures::StreamExt as _;
use kube::api::Resource;
use kube::runtime::watcher::{self, Config, DefaultBackoff, Event, watcher};
use kube::{Api, Client};
use podsight_cluster::{Cluster, Kind, Object, Table};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Objects of one page, where they come whole: an object may have 1 MiB, and a page is in memory at once.
pub(super) const PAGE: u32 = 20;
/// Objects of one page, where only their metadata come: at most some 300 KiB each, and most of them 1.
pub(super) const METADATA_PAGE: u32 = 100;
/// How long a kind that may not be read is left alone. Somebody may grant the right.
const REFUSED_WAIT: Duration = Duration::from_mins(10);
/// About how many bytes one kind may take. Of a kind that needs more nothing is kept.
pub(super) const MOST_BYTES: usize = 16 << 20;

/// One kind to be followed.
pub(super) struct Watch {
    pub(super) kind: Kind,
    pub(super) client: Client,
    pub(super) cluster: Arc<Cluster>,
    /// Held while a kind is listed.
    pub(super) turn: Arc<Semaphore>,
    pub(super) metrics: WatchMetrics,
}

/// Why a watch ended.
enum End {
    /// We may not read the kind, or the API server does not have it.
    Refused,
    /// There are too many objects.
    TooMany,
    /// Something failed, or changes were missed.
    Failed(watcher::Error),
    /// The stream ended, which it does not do by itself.
    Over,
}

impl Watch {
    /// Follows the kind for ever.
    pub(super) async fn follow(self) {
        let mut backoff = DefaultBackoff::default();
        let mut said: Option<&str> = None;
        loop {
            let end = if self.kind.is_told_by_metadata() {
                self.watch::<SeenMetadata>(METADATA_PAGE, |seen| &seen.0).await
            } else {
                self.watch::<Seen>(PAGE, |seen| seen).await
            };
            let kind = self.kind.plural();
            // Each of these is said once, and again only after another one.
            let mut news = |what: &'static str| said.replace(what) != Some(what);
            let wait = match end {
                End::Refused => {
                    self.cluster.forget(self.kind);
                    if news("refused") {
                        tracing::info!(kind, "May not list and watch these, so nothing is said about them.");
                    }
                    scattered(REFUSED_WAIT)
                }
                End::TooMany => {
                    self.cluster.forget(self.kind);
                    if news("too many") {
                        tracing::warn!(
                            kind,
                            most_bytes = MOST_BYTES,
                            "There are too many of these to keep, so nothing is said about them."
                        );
                    }
                    scattered(REFUSED_WAIT)
                }
                End::Failed(error) => {
                    self.cluster.suspend(self.kind);
                    if news("failed") {
                        tracing::info!(kind, error = &error as &dyn std::error::Error, "Lost the watch, and will list anew.");
                    }
                    backoff.next().map_or(REFUSED_WAIT, scattered)
                }
                End::Over => {
                    self.cluster.suspend(self.kind);
                    backoff.next().map_or(REFUSED_WAIT, scattered)
                }
            };
            self.told();
            sleep(wait).await;
        }
    }

    /// Lists and watches until something goes wrong.
    async fn watch<K>(&self, page: u32, seen: impl Fn(&K) -> &Seen) -> End
    where
        K: Resource<DynamicType = Kind> + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let api: Api<K> = Api::all_with(self.client.clone(), &self.kind);
        let mut stream = pin!(watcher(api, Config::default().page_size(page)));
        let mut listed = Table::complete();
        let mut turn = None;
        while let Some(event) = stream.next().await {
            match event {
                Ok(Event::Init) => {
                    // The pages are asked for from here on. The semaphore is never closed.
                    turn = Arc::clone(&self.turn).acquire_owned().await.ok();
                    listed = Table::complete();
                }
                Ok(Event::InitApply(object)) => {
                    if let Some(object) = self.object(seen(&object)) {
                        listed.insert(object);
                    }
                    if listed.weight() > MOST_BYTES {
                        return End::TooMany;
                    }
                }
                Ok(Event::InitDone) => {
                    self.cluster.put(self.kind, std::mem::take(&mut listed));
                    turn = None;
                    tracing::debug!(kind = self.kind.plural(), count = self.cluster.len(self.kind), "Knows all of these.");
                }
                Ok(Event::Apply(object)) => {
                    if let Some(object) = self.object(seen(&object)) {
                        self.cluster.insert(self.kind, object);
                    }
                    if self.cluster.weight(self.kind) > MOST_BYTES {
                        return End::TooMany;
                    }
                }
                Ok(Event::Delete(object)) => {
                    if let Some(object) = self.object(seen(&object)) {
                        self.cluster.remove(self.kind, &object.namespace, &object.name);
                    }
                }
                Err(error) => {
                    drop(turn);
                    return if is_refusal(&error) { End::Refused } else { End::Failed(error) };
                }
            }
            if turn.is_none() {
                self.told();
            }
        }
        End::Over
    }

    fn object(&self, seen: &Seen) -> Option<Object> {
        Object::of(self.kind, &seen.value)
    }

    fn told(&self) {
        self.metrics.watched(self.kind.into(), self.cluster.len(self.kind), self.cluster.is_complete(self.kind));
    }
}

/// Whether the API server will say the same tomorrow: no right, no such kind, no valid identity.
fn is_refusal(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) = error else { return false };
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404))
}

/// Between half and one and a half times as long, so that the replicas do not come at once.
fn scattered(wait: Duration) -> Duration {
    // A hasher of the standard library is seeded at random.
    let random = u32::try_from(RandomState::new().hash_one(()) % 1024).unwrap_or(0);
    wait / 2 + wait * random / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_scattered_around_the_middle() {
        let wait = Duration::from_secs(1024);
        for _ in 0..1000 {
            let scattered = scattered(wait);
            assert!(scattered >= wait / 2 && scattered < wait * 3 / 2, "{scattered:?}");
        }
        let first = scattered(wait);
        assert!((0..1000).any(|_| scattered(wait) != first));
    }
}
