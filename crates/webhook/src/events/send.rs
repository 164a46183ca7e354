//! The queue between the reviews and the task that writes the Events.

use super::backlog::{Backlog, Due};
use super::note::{COMPONENT, Note};
use crate::metrics::label;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, Error};
use podsight_runtime::clock::unix_seconds;
use podsight_runtime::shutdown::Stop;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use serde_json::json;
use std::future::pending;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// Notes that wait for the task. Each has some KiB at the most.
const QUEUE_MAX: usize = 256;
/// Between two writes: a rollout of everything at once is no reason to press the API server.
const BETWEEN: Duration = Duration::from_millis(50);
/// A write that takes longer is given up.
const TIMEOUT: Duration = Duration::from_secs(5);

label! {
    /// What became of an Event.
    EventOutcome {
        /// It is there.
        Written => "written",
        /// The API server refused it.
        Refused => "refused",
        /// No answer, or a failure. It is not tried again: the next apply is another chance.
        Failed => "failed",
        /// There was no room for it.
        Dropped => "dropped",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: EventOutcome,
}

/// The metrics of the Events. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct EventMetrics(Family<OutcomeLabels, Counter>);

impl EventMetrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for outcome in [EventOutcome::Written, EventOutcome::Refused, EventOutcome::Failed, EventOutcome::Dropped] {
            drop(metrics.0.get_or_create(&OutcomeLabels { outcome }));
        }
        registry.register("events", "Events about findings (--events), by what became of them", metrics.0.clone());
        metrics
    }

    fn count(&self, outcome: EventOutcome) {
        self.0.get_or_create(&OutcomeLabels { outcome }).inc();
    }
}

/// Where reviews leave their notes. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Events {
    notes: mpsc::Sender<Note>,
    metrics: EventMetrics,
}

/// Where the notes come out.
#[derive(Debug)]
pub struct Outbox {
    notes: mpsc::Receiver<Note>,
    metrics: EventMetrics,
}

/// A queue and its other end.
pub fn queue(metrics: &EventMetrics) -> (Events, Outbox) {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    (Events { notes: sender, metrics: metrics.clone() }, Outbox { notes: receiver, metrics: metrics.clone() })
}

impl Events {
    /// Leaves a note without waiting.
    pub(crate) fn offer(&self, note: Note) {
        if self.notes.try_send(note).is_err() {
            self.metrics.count(EventOutcome::Dropped);
        }
    }
}

impl Outbox {
    /// Writes Events as this replica until the server closes. What waits then is lost.
    pub async fn run(mut self, client: Client, instance: String, mut stop: Stop) {
        let mut backlog = Backlog::default();
        let mut not_before = Instant::now();
        loop {
            let next = backlog.next_at(Instant::now()).map(|at| at.max(not_before));
            let due = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                // What is due is written first, so that the queue holds what comes meanwhile, and no more than that.
                biased;
                () = stop.closing() => return,
                () = due => {
                    let Some(due) = backlog.take(Instant::now()) else { continue };
                    let outcome = tokio::select! {
                        outcome = timeout(TIMEOUT, write(&client, &instance, &due)) => outcome.unwrap_or(EventOutcome::Failed),
                        () = stop.closing() => return,
                    };
                    self.metrics.count(outcome);
                    not_before = Instant::now() + BETWEEN;
                }
                note = self.notes.recv() => {
                    let Some(note) = note else { return };
                    if !backlog.add(note, Instant::now()) {
                        self.metrics.count(EventOutcome::Dropped);
                    }
                }
            }
        }
    }
}

async fn write(client: &Client, instance: &str, due: &Due) -> EventOutcome {
    let now = Timestamp::from_second(unix_seconds()).unwrap_or_default().to_string();
    let api: Api<Event> = Api::namespaced(client.clone(), due.note.event_namespace());
    if due.is_known {
        let parameters = PatchParams { field_manager: Some(COMPONENT.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({"count": due.count, "lastTimestamp": now}));
        match api.patch(&due.note.event_name(instance), &parameters, &patch).await {
            Ok(_) => return EventOutcome::Written,
            // Events live for an hour. It is made anew.
            Err(Error::Api(status)) if status.code == 404 => {}
            Err(error) => return outcome_of(&error),
        }
    }
    let event = match serde_json::from_value::<Event>(due.note.event(instance, &now, due.count)) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "Failed to make an Event.");
            return EventOutcome::Refused;
        }
    };
    let parameters = PostParams { field_manager: Some(COMPONENT.to_owned()), ..PostParams::default() };
    match api.create(&parameters, &event).await {
        Ok(_) => EventOutcome::Written,
        // It says the same already.
        Err(Error::Api(status)) if status.code == 409 => EventOutcome::Written,
        Err(error) => outcome_of(&error),
    }
}

fn outcome_of(error: &Error) -> EventOutcome {
    tracing::debug!(error = error as &dyn std::error::Error, "An Event was not written.");
    match error {
        Error::Api(status) if (400..500).contains(&status.code) && status.code != 429 => EventOutcome::Refused,
        _ => EventOutcome::Failed,
    }
}
