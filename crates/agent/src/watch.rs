//! The pods of this node, as they come and go.

use crate::api_pod::ApiPod;
use crate::node::Node;
use futures::StreamExt;
use futures::stream::BoxStream;
use kube::runtime::watcher::{self, Config, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Client};
use tokio::time::Instant;

/// Pods of one page of the first listing. A pod may be tens of kilobytes.
const PAGE: u32 = 20;

/// What the watch gives.
pub type Stream = BoxStream<'static, Result<Event<ApiPod>, watcher::Error>>;

/// Watches the pods that are bound to this node. It never ends; after an error it waits longer and longer, up to half a minute.
pub fn pods(client: Client, node: &str) -> Stream {
    let config = Config::default().fields(&format!("spec.nodeName={node}")).page_size(PAGE);
    watch(Api::all(client), config).default_backoff().boxed()
}

/// Whether the watch works, as far as its last word told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The pods were not listed yet.
    Listing,
    /// All pods are known, and what changes is told.
    Watching,
    /// The API server does not answer.
    Failing,
}

/// Takes what the watch gave, and tells how it stands after that.
pub fn apply(node: &mut Node, event: Result<Event<ApiPod>, watcher::Error>, before: State, now: Instant) -> State {
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "Failed to watch the pods; trying again.");
            return State::Failing;
        }
    };
    if before == State::Failing {
        node.server_is_back(now);
    }
    match event {
        Event::Init => {
            node.list_begins();
            return State::Listing;
        }
        Event::InitApply(pod) => {
            if let Some(pod) = pod.to_pod() {
                node.pod(pod, now);
            }
            return State::Listing;
        }
        Event::Apply(pod) => {
            if let Some(pod) = pod.to_pod() {
                node.pod(pod, now);
            }
        }
        Event::Delete(pod) => {
            if let Some(pod) = pod.to_pod() {
                node.pod_deleted(&pod.uid, now);
            }
        }
        Event::InitDone => node.list_ends(now),
    }
    State::Watching
}
