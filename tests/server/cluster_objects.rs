//! An API server of the test's own on loopback, with objects to be listed in pages and watched, and rights to be refused.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// The server; copies share the same objects.
#[derive(Clone, Default)]
pub(crate) struct ClusterObjects(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    lists: BTreeMap<String, List>,
    is_away: bool,
    most_at_once: usize,
}

struct List {
    objects: Vec<Value>,
    changes: broadcast::Sender<String>,
}

impl ClusterObjects {
    /// Serves on loopback.
    pub(crate) async fn serve(&self) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(address)
    }

    /// These are the objects of a resource. One that is not set may not be listed.
    pub(crate) fn set(&self, resource: &str, objects: Vec<Value>) {
        self.0.lock().unwrap().lists.insert(resource.to_owned(), List { objects, changes: broadcast::channel(64).0 });
    }

    /// Tells the watches of a resource of a change.
    pub(crate) fn tell(&self, resource: &str, kind: &str, object: &Value) {
        let inner = self.0.lock().unwrap();
        // Nobody may be watching yet.
        drop(inner.lists[resource].changes.send(format!("{}\n", json!({"type": kind, "object": object}))));
    }

    /// While the server is away every request fails, and every watch ends.
    pub(crate) fn set_away(&self, is_away: bool) {
        let mut inner = self.0.lock().unwrap();
        inner.is_away = is_away;
        for list in inner.lists.values_mut() {
            list.changes = broadcast::channel(64).0;
        }
    }

    /// The most objects that were asked for in one page.
    pub(crate) fn most_at_once(&self) -> usize {
        self.0.lock().unwrap().most_at_once
    }
}

/// A kubeconfig for it.
pub(crate) fn kubeconfig(path: &Path, address: SocketAddr) -> Result<()> {
    let text = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "u", "user": {}}], "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
    Ok(std::fs::write(path, text.to_string())?)
}

async fn answer(State(server): State<ClusterObjects>, Query(query): Query<HashMap<String, String>>, request: Request) -> Response {
    let mut guard = server.0.lock().unwrap();
    let inner = &mut *guard;
    if inner.is_away {
        return status(500, "away");
    }
    let path = request.uri().path();
    if path == "/version" {
        return json_of(
            &json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "clean", "buildDate": "",
            "goVersion": "", "compiler": "", "platform": ""}),
        );
    }
    let resource = path.rsplit('/').next().unwrap_or_default().to_owned();
    let limit = query.get("limit").and_then(|limit| limit.parse::<usize>().ok());
    // A watch has no pages, and a list without a limit is one.
    let asked = limit.unwrap_or_else(|| if query.contains_key("watch") { 0 } else { usize::MAX });
    let Some(list) = inner.lists.get(&resource) else { return status(403, "forbidden") };
    inner.most_at_once = inner.most_at_once.max(asked);
    if query.get("watch").is_some_and(|watch| watch == "true") {
        let stream = futures::stream::unfold(list.changes.subscribe(), |mut changes| async move {
            let change = changes.recv().await.ok()?;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from(change)), changes))
        });
        return ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream)).into_response();
    }
    let from = query.get("continue").and_then(|from| from.parse::<usize>().ok()).unwrap_or(0);
    let to = list.objects.len().min(from.saturating_add(limit.unwrap_or(usize::MAX)));
    let mut metadata = json!({"resourceVersion": "1"});
    if to < list.objects.len() {
        metadata["continue"] = json!(to.to_string());
    }
    json_of(&json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": &list.objects[from..to]}))
}

fn json_of(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn status(code: u16, reason: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason, "code": code});
    (StatusCode::from_u16(code).unwrap(), [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
