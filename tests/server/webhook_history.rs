//! What was killed is known at the next apply: from pods that an API server tells of, and from what was kept of them.

use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use podsight_runtime::shutdown::{Phase, Shutdown};
use podsight_tests::review::{create, deployment, update};
use podsight_webhook::history::follow;
use podsight_webhook::metrics::WebhookMetrics;
use podsight_webhook::{Webhook, check};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Longer than anything here takes, on however slow a machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// An API server of one process: killed pods, their owners and one ConfigMap.
#[derive(Clone)]
struct ApiServer(Arc<Mutex<Objects>>);

struct Objects {
    pods: Vec<Value>,
    /// Controllers by the path of their kind and name.
    owners: HashMap<String, Value>,
    kept: Value,
    version: u64,
    /// So many updates are answered with a conflict.
    conflicts: u32,
    updates: u32,
    /// Nothing may be read or written.
    is_refusing: bool,
}

/// A pod of a `ReplicaSet` whose container was killed three times at 256Mi.
fn killed(name: &str, replica_set: &str) -> Value {
    let evidence = json!({"v": 1, "containers": {"main": {"kills": 3, "incidents": 3, "scope": "container", "limit": "256Mi",
        "peak": "255Mi", "first": "2026-11-22T10:00:00Z", "last": recently(), "verdict": "oom-container-limit"}}});
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-of-{name}"), "resourceVersion": "1",
            "labels": {"podsight.dev/oom-killed": "true", "pod-template-hash": "7d4b9c5f6"},
            "annotations": {"podsight.dev/oom": evidence.to_string()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": replica_set, "uid": "r-1", "controller": true}]},
        "spec": {"containers": [{"name": "main", "image": "registry.example.com/team/app:1.2.3"}]},
    })
}

/// A time that is not long past: what is older than 90 days is forgotten.
fn recently() -> String {
    let now = podsight_runtime::clock::unix_seconds();
    jiff::Timestamp::from_second(now - 60).map(|time| time.to_string()).unwrap_or_default()
}

fn replica_set(name: &str, owner: &Value) -> Value {
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
        "metadata": {"name": name, "namespace": "default", "uid": "r-1", "ownerReferences": [owner]}})
}

impl ApiServer {
    fn new(pods: Vec<Value>) -> Self {
        let kept =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "podsight-history", "namespace": "podsight-system"}});
        Self(Arc::new(Mutex::new(Objects { pods, owners: HashMap::new(), kept, version: 1, conflicts: 0, updates: 0, is_refusing: false })))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Objects) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn client(&self) -> kube::Client {
        let router = Router::new()
            .route("/api/v1/pods", get(pods))
            .route("/apis/apps/v1/namespaces/default/{kind}/{name}", get(owner))
            .route("/api/v1/namespaces/podsight-system/configmaps/podsight-history", get(kept).put(keep))
            .with_state(self.clone());
        kube::Client::new(router, "podsight-system")
    }

    /// The history that is kept.
    fn kept(&self) -> Option<Value> {
        self.change(|objects| serde_json::from_str(objects.kept.pointer("/data/history.json")?.as_str()?).ok())
    }
}

async fn pods(State(server): State<ApiServer>, Query(query): Query<HashMap<String, String>>) -> Response {
    let objects = server.0.lock().unwrap();
    if objects.is_refusing {
        return status(403);
    }
    assert_eq!(query["labelSelector"], "podsight.dev/oom-killed=true", "all other pods cost nothing");
    if query.get("watch").is_some_and(|watch| watch == "true") {
        return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(futures::stream::pending::<Result<Bytes, axum::Error>>()))
            .into_response();
    }
    Json(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": objects.pods})).into_response()
}

async fn owner(State(server): State<ApiServer>, Path((kind, name)): Path<(String, String)>) -> Response {
    let objects = server.0.lock().unwrap();
    match objects.owners.get(&format!("{kind}/{name}")) {
        _ if objects.is_refusing => status(403),
        Some(owner) => Json(owner).into_response(),
        None => status(404),
    }
}

async fn kept(State(server): State<ApiServer>) -> Response {
    let mut objects = server.0.lock().unwrap();
    let version = objects.version;
    objects.kept["metadata"]["resourceVersion"] = json!(version.to_string());
    if objects.is_refusing { status(403) } else { Json(&objects.kept).into_response() }
}

async fn keep(State(server): State<ApiServer>, Json(object): Json<Value>) -> Response {
    let mut objects = server.0.lock().unwrap();
    if objects.is_refusing {
        return status(403);
    }
    if objects.conflicts > 0 || object["metadata"]["resourceVersion"] != json!(objects.version.to_string()) {
        objects.conflicts = objects.conflicts.saturating_sub(1);
        return status(409);
    }
    objects.version += 1;
    objects.updates += 1;
    objects.kept = object.clone();
    Json(object).into_response()
}

fn status(code: u16) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "refused", "reason": "Test", "code": code});
    (StatusCode::from_u16(code).unwrap(), Json(body)).into_response()
}

/// A replica without its sockets.
struct Replica {
    webhook: Webhook,
    shutdown: Shutdown,
    following: JoinHandle<()>,
}

impl Replica {
    fn start(server: &ApiServer) -> Self {
        let webhook = Webhook::new(check, WebhookMetrics::register(&mut Registry::default()));
        let shutdown = Shutdown::new();
        let following = follow(server.client(), webhook.history().clone(), webhook.metrics().clone(), shutdown.stop());
        Self { webhook, shutdown, following: tokio::spawn(following) }
    }

    /// What is said of a Deployment that is created.
    fn says(&self, object: &Value) -> Vec<String> {
        warnings(&self.webhook.review(create("u", object).as_bytes()).unwrap())
    }

    async fn knows(&self, name: &str) {
        until("the webhook knows what was killed", || !self.says(&deployment(name, "256Mi")).is_empty()).await;
    }

    /// Ends it as a signal does.
    async fn end(self) {
        self.shutdown.advance(Phase::Draining);
        self.following.await.unwrap();
    }
}

fn warnings(answer: &[u8]) -> Vec<String> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    assert_eq!(answer.pointer("/response/allowed"), Some(&json!(true)));
    serde_json::from_value(answer.pointer("/response/warnings").cloned().unwrap_or_else(|| json!([]))).unwrap()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn told(name: &str) -> String {
    let day: String = recently().chars().take(10).collect();
    format!("Deployment/{name}[main]: limit 256Mi was too small 3 times (last {day}, peak 255Mi); try 384Mi [limit-known-too-small]")
}

#[tokio::test]
async fn what_was_killed_is_told_and_kept() -> Result<()> {
    let server = ApiServer::new(vec![killed("web-7d4b9c5f6-a", "web-7d4b9c5f6")]);
    // The name would tell another owner than the object itself.
    let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "uid": "d-1", "controller": true});
    server.change(|objects| {
        objects.owners.insert("replicasets/web-7d4b9c5f6".to_owned(), replica_set("web-7d4b9c5f6", &owner));
        objects.conflicts = 1;
    });
    let (first, second) = (Replica::start(&server), Replica::start(&server));
    first.knows("shop").await;
    second.knows("shop").await;
    assert_eq!(first.says(&deployment("shop", "256Mi")), [told("shop")]);
    assert_eq!(first.says(&deployment("shop", "257Mi")), [""; 0]);
    assert_eq!(first.says(&deployment("web", "256Mi")), [""; 0]);
    // An update that changes the pods and keeps the limit; one that does not concern the pods; one that raises the limit.
    let old = deployment("shop", "256Mi");
    let mut changed = old.clone();
    changed["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "b"}]);
    let mut scaled = old.clone();
    scaled["spec"]["replicas"] = json!(9);
    for (object, want) in [(changed, vec![told("shop")]), (scaled, vec![]), (deployment("shop", "512Mi"), vec![])] {
        assert_eq!(warnings(&first.webhook.review(update("u", &object, &old).as_bytes()).unwrap()), want);
    }

    // Both replicas keep the same, and the conflict was no loss.
    until("the history is kept", || server.kept().is_some()).await;
    let kept = server.kept().unwrap();
    let record = &kept["workloads"]["default/apps/Deployment/shop"]["main"][0];
    assert_eq!((&record["limit"], &record["kills"], &record["pod"]), (&json!(268_435_456), &json!(3), &json!("uid-of-web-7d4b9c5f6-a")));
    first.end().await;
    second.end().await;
    assert_eq!(server.change(|objects| objects.updates), 1, "the second replica found what the first wrote");
    assert_eq!(server.kept().unwrap(), kept);

    // The pods are gone, and so is everybody who saw them.
    server.change(|objects| objects.pods.clear());
    let third = Replica::start(&server);
    third.knows("shop").await;
    assert_eq!(third.says(&deployment("shop", "256Mi")), [told("shop")]);
    third.end().await;
    Ok(())
}

#[tokio::test]
async fn names_tell_the_owner_where_it_is_gone() -> Result<()> {
    let server = ApiServer::new(vec![killed("web-7d4b9c5f6-a", "web-7d4b9c5f6")]);
    let replica = Replica::start(&server);
    replica.knows("web").await;
    // It ends before it has written by itself, and keeps what it knows on the way out.
    replica.end().await;
    assert!(server.kept().is_some_and(|kept| kept["workloads"]["default/apps/Deployment/web"].is_object()));
    Ok(())
}

#[tokio::test]
async fn without_rights_nothing_is_known_and_all_is_answered() -> Result<()> {
    let server = ApiServer::new(vec![killed("web-7d4b9c5f6-a", "web-7d4b9c5f6")]);
    server.change(|objects| objects.is_refusing = true);
    let replica = Replica::start(&server);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(replica.says(&deployment("web", "256Mi")), [""; 0]);
    // Somebody grants them.
    server.change(|objects| objects.is_refusing = false);
    replica.knows("web").await;
    replica.end().await;
    Ok(())
}

#[tokio::test]
async fn what_a_later_release_kept_is_left_as_it_is() -> Result<()> {
    let server = ApiServer::new(vec![killed("web-7d4b9c5f6-a", "web-7d4b9c5f6")]);
    server.change(|objects| objects.kept["data"] = json!({"history.json": r#"{"v":2}"#}));
    let replica = Replica::start(&server);
    replica.knows("web").await;
    replica.end().await;
    assert_eq!(server.kept(), Some(json!({"v": 2})));
    Ok(())
}
