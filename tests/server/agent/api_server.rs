//! An API server of one process: pods, their status subresource and Events, with the answers that a test asks for.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// A server; copies share the same objects.
#[derive(Clone)]
pub(crate) struct ApiServer(Arc<Mutex<Objects>>);

struct Objects {
    pods: BTreeMap<(String, String), Value>,
    events: Vec<Value>,
    patches: Vec<Patch>,
    version: u64,
    changes: broadcast::Sender<String>,
    is_away: bool,
    patch_answers: VecDeque<u16>,
    event_answers: VecDeque<u16>,
}

/// A patch as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patch {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) field_manager: String,
    pub(crate) body: Value,
    pub(crate) answer: u16,
}

impl ApiServer {
    pub(crate) fn new(pods: impl IntoIterator<Item = Value>) -> Self {
        let objects = Objects {
            pods: BTreeMap::new(),
            events: Vec::new(),
            patches: Vec::new(),
            version: 1,
            changes: broadcast::channel(1024).0,
            is_away: false,
            patch_answers: VecDeque::new(),
            event_answers: VecDeque::new(),
        };
        let server = Self(Arc::new(Mutex::new(objects)));
        for pod in pods {
            server.set_pod(pod);
        }
        server
    }

    pub(crate) fn client(&self) -> kube::Client {
        let router = Router::new()
            .route("/api/v1/pods", get(pods))
            .route("/api/v1/namespaces/{namespace}/pods/{name}/status", patch(patch_status))
            .route("/api/v1/namespaces/{namespace}/events", post(create_event))
            .with_state(self.clone());
        kube::Client::new(router, "default")
    }

    /// Adds or replaces a pod and tells the watches.
    pub(crate) fn set_pod(&self, pod: Value) {
        let mut objects = self.0.lock().unwrap();
        objects.store(pod);
    }

    pub(crate) fn delete_pod(&self, namespace: &str, name: &str) {
        let mut objects = self.0.lock().unwrap();
        let pod = objects.pods.remove(&(namespace.to_owned(), name.to_owned())).unwrap();
        objects.tell("DELETED", &pod);
    }

    pub(crate) fn pod(&self, namespace: &str, name: &str) -> Value {
        self.0.lock().unwrap().pods[&(namespace.to_owned(), name.to_owned())].clone()
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.0.lock().unwrap().events.clone()
    }

    pub(crate) fn patches(&self) -> Vec<Patch> {
        self.0.lock().unwrap().patches.clone()
    }

    /// While the server is away every request fails.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.0.lock().unwrap().is_away = is_away;
    }

    /// The next patches are answered with these codes, and nothing is stored.
    pub(crate) fn answer_patches(&self, codes: &[u16]) {
        self.0.lock().unwrap().patch_answers.extend(codes);
    }

    /// The next Events are answered with these codes, and nothing is stored.
    pub(crate) fn answer_events(&self, codes: &[u16]) {
        self.0.lock().unwrap().event_answers.extend(codes);
    }
}

impl Objects {
    fn store(&mut self, mut pod: Value) -> Value {
        self.version += 1;
        pod["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let text = |key: &str| pod["metadata"][key].as_str().unwrap().to_owned();
        let key = (text("namespace"), text("name"));
        let kind = if self.pods.insert(key, pod.clone()).is_some() { "MODIFIED" } else { "ADDED" };
        self.tell(kind, &pod);
        pod
    }

    fn tell(&mut self, kind: &str, pod: &Value) {
        // Nobody may be watching.
        drop(self.changes.send(format!("{}\n", json!({"type": kind, "object": pod}))));
    }
}

async fn pods(State(server): State<ApiServer>, Query(query): Query<HashMap<String, String>>) -> Response {
    let objects = server.0.lock().unwrap();
    if objects.is_away {
        return status(503, "away");
    }
    assert_eq!(query["fieldSelector"], "spec.nodeName=node-1");
    if query.get("watch").is_some_and(|watch| watch == "true") {
        let changes = objects.changes.subscribe();
        let stream = futures::stream::unfold(changes, |mut changes| async move {
            let change = changes.recv().await.ok()?;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from(change)), changes))
        });
        return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream)).into_response();
    }
    let items: Vec<&Value> = objects.pods.values().collect();
    Json(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": objects.version.to_string()}, "items": items}))
        .into_response()
}

async fn patch_status(
    State(server): State<ApiServer>,
    Path((namespace, name)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut objects = server.0.lock().unwrap();
    let asked = if objects.is_away { Some(503) } else { objects.patch_answers.pop_front() };
    let stored = objects.pods.get(&(namespace.clone(), name.clone())).cloned();
    let answer = match (asked, &stored) {
        (Some(code), _) => code,
        (None, None) => 404,
        (None, Some(pod)) if body["metadata"]["uid"] != pod["metadata"]["uid"] => 422,
        (None, Some(_)) => 200,
    };
    objects.patches.push(Patch {
        path: format!("/api/v1/namespaces/{namespace}/pods/{name}/status"),
        content_type: headers[header::CONTENT_TYPE].to_str().unwrap().to_owned(),
        field_manager: query["fieldManager"].clone(),
        body: body.clone(),
        answer,
    });
    match stored.filter(|_| answer == 200) {
        Some(mut pod) => {
            merge(&mut pod, &body);
            Json(objects.store(pod)).into_response()
        }
        None => status(answer, "refused"),
    }
}

async fn create_event(State(server): State<ApiServer>, Path(namespace): Path<String>, Json(event): Json<Value>) -> Response {
    let mut objects = server.0.lock().unwrap();
    assert_eq!(event["metadata"]["namespace"], namespace);
    let asked = if objects.is_away { Some(503) } else { objects.event_answers.pop_front() };
    if let Some(code) = asked {
        return status(code, "refused");
    }
    if objects.events.iter().any(|known| known["metadata"] == event["metadata"]) {
        return status(409, "already exists");
    }
    objects.events.push(event.clone());
    (StatusCode::CREATED, Json(event)).into_response()
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.as_object_mut().unwrap().remove(key)),
            value => merge(&mut target[key], value),
        }
    }
}

fn status(code: u16, message: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": "Test", "code": code});
    (StatusCode::from_u16(code).unwrap(), Json(body)).into_response()
}
