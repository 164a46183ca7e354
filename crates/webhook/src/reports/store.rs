//! The reports in the cluster: what changed is written, what is over is deleted, and what is somebody else's is left alone.

use super::kind::{ReportKind, get};
use super::report::{Content, LABEL, NAME};
use super::scan::encoded;
use anyhow::Context as _;
use axum::http::{Method, Request};
use kube::{Client, Error};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Reports of a page: each may have most of a MiB.
const PAGE: usize = 10;
/// With it go the reports. It is there as long as podsight may write them, and objects of the cluster may own those of namespaces.
const OWNER: &str = "podsight-reports";

/// How many reports were written, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) created: usize,
    pub(super) replaced: usize,
    pub(super) deleted: usize,
    pub(super) unchanged: usize,
}

impl Changes {
    pub(super) fn add(&mut self, other: &Self) {
        self.created += other.created;
        self.replaced += other.replaced;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
    }
}

/// The owner of the reports, as an `OwnerReference`: the role by which they are written. Without it they are to be deleted by hand.
pub(super) async fn owner(client: &Client) -> Option<Value> {
    let role = match get(client, &format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{OWNER}")).await {
        Ok(role) => role,
        Err(error) => {
            tracing::info!(error = &error as &dyn std::error::Error, "The reports have no owner: the ClusterRole {OWNER} cannot be read.");
            return None;
        }
    };
    let uid = role.pointer("/metadata/uid").and_then(Value::as_str)?;
    Some(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": OWNER, "uid": uid}))
}

/// Makes the reports of a kind those that are wanted, by namespace.
pub(super) async fn write(
    client: &Client,
    kind: ReportKind,
    mut wanted: BTreeMap<String, Content>,
    owner: Option<&Value>,
) -> anyhow::Result<Changes> {
    let mut changes = Changes::default();
    let plural = kind.plural();
    let path = |namespace: &str| format!("/apis/{}/namespaces/{namespace}/{plural}", kind.api_version());
    let mut token = String::new();
    loop {
        let page = format!("/apis/{}/{plural}?limit={PAGE}&labelSelector={}%3D{}{token}", kind.api_version(), encoded(LABEL.0), LABEL.1);
        let list = get(client, &page).await.with_context(|| format!("failed to list the {plural}"))?;
        for object in list.get("items").and_then(Value::as_array).into_iter().flatten() {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
            if name != NAME || namespace.is_empty() {
                continue;
            }
            let Some(content) = wanted.remove(namespace) else {
                let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": text("/metadata/uid")}});
                changes.deleted += usize::from(send(client, Method::DELETE, &format!("{}/{NAME}", path(namespace)), &options).await?);
                continue;
            };
            if content.is_said_by(object, owner) {
                changes.unchanged += 1;
                continue;
            }
            let mut new = content.object(kind, namespace, owner);
            if let Some(metadata) = new.get_mut("metadata").and_then(Value::as_object_mut) {
                // Who wrote meanwhile is not overwritten.
                metadata.insert("resourceVersion".to_owned(), json!(text("/metadata/resourceVersion")));
            }
            changes.replaced += usize::from(send(client, Method::PUT, &format!("{}/{NAME}", path(namespace)), &new).await?);
        }
        match list.pointer("/metadata/continue").and_then(Value::as_str) {
            Some(next) if !next.is_empty() => token = format!("&continue={}", encoded(next)),
            _ => break,
        }
    }
    for (namespace, content) in &wanted {
        let object = content.object(kind, namespace, owner);
        changes.created += usize::from(send(client, Method::POST, &path(namespace), &object).await?);
    }
    Ok(changes)
}

/// Sends a write. False where it found something else than was seen before: a namespace that goes, a report of somebody else's, one that
/// was changed meanwhile. The next run looks again.
async fn send(client: &Client, method: Method, path: &str, body: &Value) -> anyhow::Result<bool> {
    let request = Request::builder()
        .method(method.clone())
        .uri(path)
        .header("content-type", "application/json")
        .body(body.to_string().into_bytes())
        .with_context(|| format!("failed to make a request of {path}"))?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(true),
        Err(Error::Api(status)) if matches!(status.code, 404 | 409) || is_namespace_going(&status) => {
            tracing::info!(%method, path, code = status.code, message = status.message, "Left a report as it is.");
            Ok(false)
        }
        Err(error) => Err(error).with_context(|| format!("failed to {method} {path}")),
    }
}

/// Nothing is made in a namespace that is being deleted.
fn is_namespace_going(status: &kube::core::Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 403 && causes.any(|cause| cause.reason == "NamespaceTerminating")
}
