//! Applies at a fixed rate, whatever happens meanwhile, and what came of each.

use anyhow::{Context as _, Result, bail};
use kube::Client;
use kube::client::Body;
use podsight_tests::clients;
use podsight_tests::testbed::Testbed;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Applies a second.
const RATE: u32 = 200;
/// Applies on their way at a time, so that a machine that is too slow is no load without end.
pub(super) const AT_A_TIME: usize = 32;

/// What came of the applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) applied: u64,
    pub(super) refused: u64,
    pub(super) without_warning: u64,
}

#[derive(Debug, Default)]
struct Shared {
    applied: AtomicU64,
    refused: AtomicU64,
    without_warning: AtomicU64,
    stop: AtomicBool,
}

/// Applies that go on until they are stopped.
#[derive(Debug)]
pub(super) struct Load {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Load {
    /// Begins to apply a pod that is warned about in this namespace.
    pub(super) fn start(testbed: &Testbed, namespace: &str) -> Self {
        let shared = Arc::<Shared>::default();
        let (in_thread, namespace, kubeconfig) = (Arc::clone(&shared), namespace.to_owned(), testbed.description.kubeconfig.clone());
        let thread = thread::spawn(move || {
            podsight_runtime::block_on(async move {
                let client = clients::from_file(&kubeconfig).await?;
                run(client, in_thread, &namespace).await
            })?
        });
        Self { shared, thread: Some(thread) }
    }

    /// The counts since the last call.
    pub(super) fn counts(&self) -> Counts {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        Counts {
            applied: take(&self.shared.applied),
            refused: take(&self.shared.refused),
            without_warning: take(&self.shared.without_warning),
        }
    }

    /// Ends the load and gives the counts since the last call.
    pub(super) fn stop(mut self) -> Result<Counts> {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            match thread.join() {
                Ok(result) => result?,
                Err(_) => bail!("the load panicked"),
            }
        }
        Ok(self.counts())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

async fn run(client: Client, shared: Arc<Shared>, namespace: &str) -> Result<()> {
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut tasks = JoinSet::new();
    let mut number = 0_u64;
    while !shared.stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        number += 1;
        while tasks.len() >= AT_A_TIME {
            tasks.join_next().await;
        }
        tasks.spawn(one(client.clone(), Arc::clone(&shared), request(namespace, number)?));
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// A server-side apply of a pod that cannot start. It is judged as any other and not stored.
fn request(namespace: &str, number: u64) -> Result<http::Request<Body>> {
    let name = format!("load-{number}");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": "podsight.test/busybox:1", "resources": {"limits": {"memory": "128"}}}]}});
    http::Request::patch(format!("/api/v1/namespaces/{namespace}/pods/{name}?fieldManager=load&dryRun=All"))
        .header("Content-Type", "application/apply-patch+yaml")
        .body(Body::from(serde_json::to_vec(&pod)?))
        .context("make a request")
}

async fn one(client: Client, shared: Arc<Shared>, request: http::Request<Body>) {
    let answer = client.send(request).await;
    shared.applied.fetch_add(1, Ordering::Relaxed);
    match answer {
        Ok(answer) if answer.status().is_success() => {
            let warned =
                answer.headers().get_all("warning").iter().any(|warning| warning.to_str().is_ok_and(|text| text.contains("[memory-tiny]")));
            if !warned {
                shared.without_warning.fetch_add(1, Ordering::Relaxed);
            }
        }
        _ => drop(shared.refused.fetch_add(1, Ordering::Relaxed)),
    }
}
