//! The routes, and the way of a request through them.

use crate::answer::{self, Answer, Outcome, Reason};
use crate::config::Policy;
use crate::events::{Events, Note};
use crate::facts::RequestFacts;
use crate::gate::Gate;
use crate::history::SharedHistory;
use crate::limits::{self, BODIES_MAX_BYTES, Read};
use crate::metrics::{Kind, Operation, Refusal, Shed, WebhookMetrics};
use crate::mutate;
use crate::review::{self, Review};
use crate::selector::Labels;
use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use podsight_cluster::Cluster;
use podsight_rules::{Certainty, Facts, Finding};
use podsight_runtime::serve::Unread;
use podsight_spec::Workload;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Rules, which look at a workload and ask for what is known besides.
pub type Check = fn(&Workload<'_>, &dyn Facts) -> Vec<Finding>;

/// The rules of the catalogue whose findings become warnings: hints never do.
pub fn check(workload: &Workload<'_>, facts: &dyn Facts) -> Vec<Finding> {
    podsight_rules::check_at_least(workload, facts, Certainty::Likely)
}

/// The labels of a namespace by its name; nothing where they are not known.
pub type NamespaceLabels = Arc<dyn Fn(&str) -> Option<Arc<Labels>> + Send + Sync>;

/// What is asked of a review.
#[derive(Clone, Copy, Debug)]
enum Ask {
    /// Whether the object is sound.
    Validate,
    /// What is to be changed in it.
    Mutate,
}

/// Of objects that name no namespace the API server tells one all the same.
pub(crate) const NAMESPACE: &str = "default";

/// Bytes of the reviews that have come and wait for their turn: the time that they will take goes by their size. At some 10 ns a byte the
/// last of them waits for 10 ms.
const WAITING_MAX_BYTES: usize = 1024 * 1024;
/// What even the smallest review counts for.
const WAITING_LEAST_BYTES: usize = 4 * 1024;
/// Reviews beyond this size are read on another thread, so that the small ones do not wait for them.
const LARGE_BYTES: usize = 256 * 1024;
/// Large reviews at a time: each may take some 10 MiB more while it is looked at.
const LARGE_MAX: usize = 1;

/// The webhook, without its sockets. Clones share everything.
#[derive(Clone)]
pub struct Webhook {
    check: Check,
    policy: Arc<ArcSwap<Policy>>,
    history: SharedHistory,
    cluster: Arc<Cluster>,
    namespace_labels: NamespaceLabels,
    events: Option<Events>,
    metrics: WebhookMetrics,
    waiting: Gate,
    large: Arc<Semaphore>,
    memory: Gate,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Webhook").field("policy", &self.policy).field("history", &self.history).finish_non_exhaustive()
    }
}

impl Webhook {
    /// A webhook with these rules.
    pub fn new(check: Check, metrics: WebhookMetrics) -> Self {
        Self {
            check,
            policy: Arc::default(),
            history: SharedHistory::default(),
            cluster: Arc::new(Cluster::new(NAMESPACE)),
            namespace_labels: Arc::new(|_| None),
            events: None,
            metrics,
            waiting: Gate::new(WAITING_MAX_BYTES),
            large: Arc::new(Semaphore::new(LARGE_MAX)),
            memory: Gate::new(BODIES_MAX_BYTES),
        }
    }

    /// Applies a policy from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
    }

    /// Knows other objects from here on.
    #[must_use]
    pub fn knowing(mut self, cluster: Arc<Cluster>) -> Self {
        self.cluster = cluster;
        self
    }

    /// Knows the labels of namespaces from here on.
    #[must_use]
    pub fn knowing_namespaces(mut self, namespace_labels: NamespaceLabels) -> Self {
        self.namespace_labels = namespace_labels;
        self
    }

    /// Tells of findings by Events from here on.
    #[must_use]
    pub fn telling(mut self, events: Events) -> Self {
        self.events = Some(events);
        self
    }

    /// What was killed before.
    pub fn history(&self) -> &SharedHistory {
        &self.history
    }

    /// The metrics.
    pub fn metrics(&self) -> &WebhookMetrics {
        &self.metrics
    }

    /// The routes.
    pub fn router(&self) -> axum::Router {
        axum::Router::new()
            .route("/validate", post(async |webhook, request| handle(webhook, request, Ask::Validate).await))
            .route("/mutate", post(async |webhook, request| handle(webhook, request, Ask::Mutate).await))
            .with_state(self.clone())
    }

    /// Answers a body that asks whether an object is sound: the bytes of the response, or why it is no review. It is the whole way of a
    /// review but for the sockets.
    pub fn review(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        self.asked(body, Ask::Validate)
    }

    /// Answers a body that asks what is to be changed in an object.
    pub fn mutation(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        self.asked(body, Ask::Mutate)
    }

    fn asked(&self, body: &[u8], ask: Ask) -> Result<Vec<u8>, String> {
        let review = review::read(body).map_err(|not_a_review| not_a_review.to_string())?;
        // Rules keep no state, so a panic leaves nothing half done.
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(&review, ask)));
        let answer = judged.unwrap_or_else(|_| {
            self.metrics.panicked();
            Answer::plain(review.kind, review.operation, Outcome::NotUnderstood(Reason::Panic))
        });
        self.metrics.answered(&answer);
        if let (Ask::Validate, Some(events)) = (ask, &self.events)
            && let Some(note) = Note::of(&review, &answer)
        {
            events.offer(note);
        }
        Ok(answer::encode(&review.uid, &answer))
    }

    fn judge(&self, review: &Review, ask: Ask) -> Answer {
        let policy = self.policy.load();
        let labels = if policy.asks_for_labels() { (self.namespace_labels)(&review.namespace) } else { None };
        let here = policy.within(&review.namespace, labels.as_deref());
        let facts = RequestFacts { namespace: &review.namespace, history: &self.history, cluster: &self.cluster };
        match ask {
            Ask::Validate => answer::answer(review, here, self.check, &facts),
            Ask::Mutate => mutate::answer(review, here, &facts),
        }
    }

    /// Allows without a look: the answer for times of trouble.
    fn shed(&self, body: &[u8], why: Shed) -> Response {
        let Some(uid) = review::uid(body) else { return self.refuse(Refusal::NoReview) };
        self.metrics.shed(why);
        allow(&uid)
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.metrics.refused(refusal);
        let mut response = refusal.status().into_response();
        if refusal != Refusal::NoReview {
            response.extensions_mut().insert(Unread);
        }
        response
    }

    fn answer(&self, body: &[u8], ask: Ask) -> Response {
        match self.asked(body, ask) {
            Ok(json) => self::json(json),
            Err(reason) => {
                self.metrics.refused(Refusal::NoReview);
                (StatusCode::BAD_REQUEST, reason + "\n").into_response()
            }
        }
    }
}

async fn handle(State(webhook): State<Webhook>, request: Request<Body>, ask: Ask) -> Response {
    let (body, memory) = match limits::read(request, &webhook.memory).await {
        Ok(Read::Whole(body, memory)) => (body, memory),
        Ok(Read::Beginning(body)) => return webhook.shed(&body, Shed::Memory),
        Err(refusal) => return webhook.refuse(refusal),
    };
    let since = Instant::now();
    let on_task = webhook.clone();
    let answer = if body.len() > LARGE_BYTES {
        // Never closed, so there is always a permit to come. Few wait for it: their bodies share the memory.
        let large = Arc::clone(&webhook.large).acquire_owned().await;
        spawn_blocking(move || {
            let _shares = (large, memory);
            on_task.answer(&body, ask)
        })
    } else {
        let Some(turn) = webhook.waiting.share(body.len().max(WAITING_LEAST_BYTES)) else { return webhook.shed(&body, Shed::Queue) };
        // A task of its own, at the end of the line: there is one thread, and whoever has come meanwhile is read and counted first. Answered
        // in place, one review after the other, none would ever be seen to wait.
        tokio::spawn(async move {
            let _shares = (turn, memory);
            on_task.answer(&body, ask)
        })
    };
    // Panics of rules are caught inside; this is the runtime's end in the middle of a review.
    let response = answer.await.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response());
    webhook.metrics.took(since.elapsed());
    response
}

fn allow(uid: &str) -> Response {
    json(answer::encode(uid, &Answer::plain(Kind::Other, Operation::Other, Outcome::Allowed)))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
}
