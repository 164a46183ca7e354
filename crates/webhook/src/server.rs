//! The routes, and the way of a request through them.

use crate::answer::{self, Answer, Outcome, Reason};
use crate::config::Policy;
use crate::gate::Gate;
use crate::limits::{self, BODIES_MAX_BYTES, Read};
use crate::metrics::{Kind, Operation, Refusal, Shed, WebhookMetrics};
use crate::review;
use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use podsight_rules::{Certainty, Finding, NoFacts};
use podsight_runtime::serve::Unread;
use podsight_spec::Workload;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Rules that know nothing but the workload.
pub type Check = fn(&Workload<'_>) -> Vec<Finding>;

/// The rules of the catalogue whose findings become warnings: hints never do.
pub fn check(workload: &Workload<'_>) -> Vec<Finding> {
    podsight_rules::check_at_least(workload, &NoFacts, Certainty::Likely)
}

/// The rules, with whatever they know.
#[derive(Clone)]
struct Rules(Arc<Judge>);

type Judge = dyn Fn(&Workload<'_>) -> Vec<Finding> + Send + Sync;

impl fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rules")
    }
}

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
#[derive(Clone, Debug)]
pub struct Webhook {
    rules: Rules,
    policy: Arc<ArcSwap<Policy>>,
    metrics: WebhookMetrics,
    waiting: Gate,
    large: Arc<Semaphore>,
    memory: Gate,
}

impl Webhook {
    /// A webhook with these rules.
    pub fn new(check: impl Fn(&Workload<'_>) -> Vec<Finding> + Send + Sync + 'static, metrics: WebhookMetrics) -> Self {
        Self {
            rules: Rules(Arc::new(check)),
            policy: Arc::default(),
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

    /// The metrics.
    pub fn metrics(&self) -> &WebhookMetrics {
        &self.metrics
    }

    /// The routes.
    pub fn router(&self) -> axum::Router {
        axum::Router::new()
            .route("/validate", post(validate))
            // Until there is something to change, a mutating configuration that points here changes nothing.
            .route("/mutate", post(mutate))
            .with_state(self.clone())
    }

    /// Answers a body: the bytes of the response, or why it is no review. It is the whole way of a review but for the sockets.
    pub fn review(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        let review = review::read(body).map_err(|not_a_review| not_a_review.to_string())?;
        let policy = self.policy.load();
        // Rules keep no state, so a panic leaves nothing half done.
        let judged = catch_unwind(AssertUnwindSafe(|| answer::answer(&review, &policy, &*self.rules.0)));
        let answer = judged.unwrap_or_else(|_| {
            self.metrics.panicked();
            Answer::plain(review.kind, review.operation, Outcome::NotUnderstood(Reason::Panic))
        });
        self.metrics.answered(&answer);
        Ok(answer::encode(&review.uid, &answer))
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

    fn answer(&self, body: &[u8]) -> Response {
        match self.review(body) {
            Ok(json) => self::json(json),
            Err(reason) => {
                self.metrics.refused(Refusal::NoReview);
                (StatusCode::BAD_REQUEST, reason + "\n").into_response()
            }
        }
    }
}

async fn validate(State(webhook): State<Webhook>, request: Request<Body>) -> Response {
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
            on_task.answer(&body)
        })
    } else {
        let Some(turn) = webhook.waiting.share(body.len().max(WAITING_LEAST_BYTES)) else { return webhook.shed(&body, Shed::Queue) };
        // A task of its own, at the end of the line: there is one thread, and whoever has come meanwhile is read and counted first. Answered
        // in place, one review after the other, none would ever be seen to wait.
        tokio::spawn(async move {
            let _shares = (turn, memory);
            on_task.answer(&body)
        })
    };
    // Panics of rules are caught inside; this is the runtime's end in the middle of a review.
    let response = answer.await.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response());
    webhook.metrics.took(since.elapsed());
    response
}

async fn mutate(State(webhook): State<Webhook>, request: Request<Body>) -> Response {
    match limits::read(request, &webhook.memory).await {
        Ok(Read::Whole(body, _)) => match review::read(&body) {
            Ok(review) => allow(&review.uid),
            Err(reason) => {
                webhook.metrics.refused(Refusal::NoReview);
                (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response()
            }
        },
        Ok(Read::Beginning(body)) => webhook.shed(&body, Shed::Memory),
        Err(refusal) => webhook.refuse(refusal),
    }
}

fn allow(uid: &str) -> Response {
    json(answer::encode(uid, &Answer::plain(Kind::Other, Operation::Other, Outcome::Allowed)))
}

fn json(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
}
