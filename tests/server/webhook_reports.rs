//! `podsight-webhook --reports`: the real program, and an API server with workloads and a place for reports.

use crate::cluster_objects::kubeconfig;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use podsight_tests::program::program;
use podsight_tests::review::{deployment, pod};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

const REPORTS: &str = "/apis/openreports.io/v1alpha1";
const POLICY_REPORTS: &str = "/apis/wgpolicyk8s.io/v1alpha2";
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/podsight-reports";

/// What the server has.
#[derive(Default)]
struct Inner {
    /// Lists by path. A path that is not there may not be read.
    lists: BTreeMap<&'static str, Vec<Value>>,
    /// Kinds of reports that are served, with the reports by namespace.
    reports: BTreeMap<&'static str, BTreeMap<String, Value>>,
    /// What was written, as `METHOD path`.
    writes: Vec<String>,
    version: u64,
}

#[derive(Clone, Default)]
struct Server(Arc<Mutex<Inner>>);

fn status(code: u16, reason: &str) -> Response {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason, "code": code});
    (StatusCode::from_u16(code).unwrap(), body.to_string()).into_response()
}

fn plural(group: &str) -> &'static str {
    if group == REPORTS { "reports" } else { "policyreports" }
}

async fn answer(State(server): State<Server>, Query(query): Query<HashMap<String, String>>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = to_bytes(request.into_body(), 8 << 20).await.unwrap();
    let mut guard = server.0.lock().unwrap();
    let inner = &mut *guard;
    if path == "/version" {
        let version = json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "clean", "buildDate": "",
            "goVersion": "", "compiler": "", "platform": ""});
        return version.to_string().into_response();
    }
    if path == ROLE {
        return json!({"metadata": {"name": "podsight-reports", "uid": "role-1"}}).to_string().into_response();
    }
    if path.starts_with(REPORTS) || path.starts_with(POLICY_REPORTS) {
        return reports(inner, &method, &path, &query, &body);
    }
    let Some(all) = inner.lists.get(path.as_str()) else { return status(403, "forbidden") };
    page(all, &query)
}

/// A page of a list.
fn page(all: &[Value], query: &HashMap<String, String>) -> Response {
    let number = |key: &str| query.get(key).and_then(|value| value.trim_end_matches('=').parse::<usize>().ok());
    let from = number("continue").unwrap_or(0);
    let to = all.len().min(from + number("limit").unwrap_or(usize::MAX / 2));
    let mut metadata = json!({"resourceVersion": "1"});
    if to < all.len() {
        // As of real servers, with what a query has to escape.
        metadata["continue"] = json!(format!("{to}=="));
    }
    json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": &all[from..to]}).to_string().into_response()
}

fn reports(inner: &mut Inner, method: &Method, path: &str, query: &HashMap<String, String>, body: &[u8]) -> Response {
    let group = if path.starts_with(REPORTS) { REPORTS } else { POLICY_REPORTS };
    let Some(stored) = inner.reports.get_mut(group) else { return status(404, "NotFound") };
    let rest: Vec<&str> = path.strip_prefix(group).unwrap_or_default().split('/').skip(1).collect();
    let object: Value = serde_json::from_slice(body).unwrap_or_default();
    if method != Method::GET {
        inner.writes.push(format!("{method} {path}"));
        inner.version += 1;
    }
    match (method.as_str(), rest.as_slice()) {
        ("GET", []) => json!({"kind": "APIResourceList", "resources": [{"name": plural(group)}]}).to_string().into_response(),
        ("GET", [_]) => {
            assert_eq!(query["labelSelector"], "app.kubernetes.io/managed-by=podsight");
            let ours = |report: &&Value| report["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "podsight";
            page(&stored.values().filter(ours).cloned().collect::<Vec<_>>(), query)
        }
        ("POST", ["namespaces", namespace, _]) if stored.contains_key(*namespace) => status(409, "AlreadyExists"),
        ("POST", ["namespaces", namespace, _]) => {
            let mut object = object;
            object["metadata"]["resourceVersion"] = json!(inner.version.to_string());
            object["metadata"]["uid"] = json!(format!("report-{}", inner.version));
            stored.insert((*namespace).to_owned(), object.clone());
            (StatusCode::CREATED, object.to_string()).into_response()
        }
        ("PUT", ["namespaces", namespace, _, "podsight"]) => {
            let known = &stored[*namespace]["metadata"];
            if object["metadata"]["resourceVersion"] != known["resourceVersion"] {
                return status(409, "Conflict");
            }
            let mut object = object;
            object["metadata"]["uid"] = known["uid"].clone();
            object["metadata"]["resourceVersion"] = json!(inner.version.to_string());
            stored.insert((*namespace).to_owned(), object.clone());
            object.to_string().into_response()
        }
        ("DELETE", ["namespaces", namespace, _, "podsight"]) => {
            assert_eq!(object["preconditions"]["uid"], stored[*namespace]["metadata"]["uid"]);
            stored.remove(*namespace);
            json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}).to_string().into_response()
        }
        _ => status(405, "MethodNotAllowed"),
    }
}

/// The server, with the kubeconfig for it.
struct Cluster {
    server: Server,
    folder: TempDir,
}

impl Cluster {
    async fn start(kinds: &[&'static str]) -> Result<Self> {
        let (server, folder) = (Server::default(), tempfile::tempdir()?);
        {
            let mut inner = server.0.lock().unwrap();
            for path in [
                "/api/v1/pods",
                "/api/v1/replicationcontrollers",
                "/apis/apps/v1/replicasets",
                "/apis/apps/v1/deployments",
                "/apis/apps/v1/statefulsets",
                "/apis/apps/v1/daemonsets",
                "/apis/batch/v1/jobs",
                "/apis/batch/v1/cronjobs",
            ] {
                inner.lists.insert(path, Vec::new());
            }
            inner.reports = kinds.iter().map(|kind| (*kind, BTreeMap::new())).collect();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        kubeconfig(&folder.path().join("kubeconfig"), listener.local_addr()?)?;
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { server, folder })
    }

    fn set(&self, path: &'static str, objects: Vec<Value>) {
        self.server.0.lock().unwrap().lists.insert(path, objects);
    }

    fn reports(&self, kind: &str) -> BTreeMap<String, Value> {
        self.server.0.lock().unwrap().reports[kind].clone()
    }

    /// What one run writes, in order, and its exit status.
    async fn run(&self) -> Result<(Vec<String>, Option<i32>)> {
        self.server.0.lock().unwrap().writes.clear();
        let mut command = Command::new(program("podsight-webhook", "podsight-webhook")?);
        command.args(["--reports", "--config"]).arg(self.folder.path().join("config.yaml"));
        command.env("KUBECONFIG", self.folder.path().join("kubeconfig")).env_remove("POD_NAMESPACE");
        let output = spawn_blocking(move || command.output()).await?.context("run podsight-webhook --reports")?;
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        Ok((self.server.0.lock().unwrap().writes.clone(), output.status.code()))
    }
}

fn placed(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object["metadata"]["uid"] = json!(format!("uid-of-{}", object["metadata"]["name"].as_str().unwrap_or_default()));
    // As the items of a list are.
    object.as_object_mut().unwrap().retain(|key, _| key != "apiVersion" && key != "kind");
    object
}

#[tokio::test]
async fn one_report_a_namespace_is_written_changed_and_deleted() -> Result<()> {
    let cluster = Cluster::start(&[REPORTS, POLICY_REPORTS]).await?;
    // More than a page of sound ones, and what is found is on the second one.
    let mut pods: Vec<Value> = (0..60).map(|number| placed(pod(&format!("sound-{number}"), "64Mi"), "shop")).collect();
    pods.push(placed(pod("tiny", "128"), "shop"));
    pods.extend(["kube-system", "podsight-system"].map(|namespace| placed(pod("tiny", "128"), namespace)));
    cluster.set("/api/v1/pods", pods.clone());
    cluster.set("/apis/apps/v1/deployments", vec![placed(deployment("web", "128"), "site")]);

    let (writes, code) = cluster.run().await?;
    assert_eq!(writes, ["shop", "site"].map(|namespace| format!("POST {REPORTS}/namespaces/{namespace}/reports")));
    assert_eq!(code, Some(0));
    let mut report = cluster.reports(REPORTS)["site"].clone();
    for key in ["resourceVersion", "uid"] {
        report["metadata"].as_object_mut().unwrap().remove(key);
    }
    assert_eq!(
        report,
        json!({"apiVersion": "openreports.io/v1alpha1", "kind": "Report", "source": "podsight",
            "metadata": {"name": "podsight", "namespace": "site",
                "labels": {"app.kubernetes.io/name": "podsight", "app.kubernetes.io/managed-by": "podsight"},
                "ownerReferences": [{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": "podsight-reports", "uid": "role-1"}]},
            "summary": {"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 0},
            "results": [{"source": "podsight", "policy": "podsight", "rule": "memory-tiny", "result": "fail", "severity": "high", "scored": true,
                "message": "Deployment/web[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]",
                "properties": {"certainty": "certain", "container": "main"},
                "resources": [{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "site", "name": "web", "uid": "uid-of-web"}]}]})
    );
    assert_eq!(cluster.run().await?, (vec![], Some(0)), "nothing has changed");

    pods.push(placed(pod("tinier", "64"), "shop"));
    cluster.set("/api/v1/pods", pods);
    cluster.set("/apis/apps/v1/deployments", vec![]);
    let (writes, _) = cluster.run().await?;
    assert_eq!(
        writes,
        [format!("PUT {REPORTS}/namespaces/shop/reports/podsight"), format!("DELETE {REPORTS}/namespaces/site/reports/podsight")]
    );
    let report = cluster.reports(REPORTS)["shop"].clone();
    let names: Vec<&str> =
        report["results"].as_array().unwrap().iter().filter_map(|result| result["resources"][0]["name"].as_str()).collect();
    assert_eq!((names, &report["summary"]["fail"]), (vec!["tinier", "tiny"], &json!(2)));

    // What the configuration is silent about is in no report.
    std::fs::write(cluster.folder.path().join("config.yaml"), "rules: {memory-tiny: off}")?;
    let (writes, _) = cluster.run().await?;
    assert_eq!(writes, [format!("DELETE {REPORTS}/namespaces/shop/reports/podsight")]);
    assert!(cluster.reports(POLICY_REPORTS).is_empty());
    Ok(())
}

#[tokio::test]
async fn the_older_kind_is_taken_where_it_is_alone_and_left_for_the_newer() -> Result<()> {
    let cluster = Cluster::start(&[POLICY_REPORTS]).await?;
    cluster.set("/api/v1/pods", vec![placed(pod("tiny", "128"), "shop")]);
    assert_eq!(cluster.run().await?, (vec![format!("POST {POLICY_REPORTS}/namespaces/shop/policyreports")], Some(0)));
    assert_eq!(cluster.reports(POLICY_REPORTS)["shop"]["kind"], "PolicyReport");
    cluster.server.0.lock().unwrap().reports.insert(REPORTS, BTreeMap::new());
    let moved =
        vec![format!("POST {REPORTS}/namespaces/shop/reports"), format!("DELETE {POLICY_REPORTS}/namespaces/shop/policyreports/podsight")];
    assert_eq!(cluster.run().await?, (moved, Some(0)));
    Ok(())
}

#[tokio::test]
async fn what_is_somebody_elses_is_left_alone() -> Result<()> {
    let cluster = Cluster::start(&[REPORTS]).await?;
    cluster.set("/api/v1/pods", vec![placed(pod("tiny", "128"), "shop")]);
    let theirs = json!({"metadata": {"name": "podsight", "namespace": "shop", "labels": {}}, "results": []});
    for namespace in ["shop", "other"] {
        cluster.server.0.lock().unwrap().reports.get_mut(REPORTS).context("served")?.insert(namespace.to_owned(), theirs.clone());
    }
    assert_eq!(cluster.run().await?, (vec![format!("POST {REPORTS}/namespaces/shop/reports")], Some(0)));
    assert!(cluster.reports(REPORTS).values().all(|report| *report == theirs));
    Ok(())
}

#[tokio::test]
async fn who_may_not_look_writes_nothing() -> Result<()> {
    let cluster = Cluster::start(&[REPORTS]).await?;
    cluster.set("/api/v1/pods", vec![placed(pod("tiny", "128"), "shop")]);
    assert_eq!(cluster.run().await?.1, Some(0));
    let before = cluster.reports(REPORTS);
    // Without Deployments the findings in them would look mended.
    cluster.server.0.lock().unwrap().lists.remove("/apis/apps/v1/deployments");
    cluster.set("/api/v1/pods", vec![]);
    assert_eq!(cluster.run().await?, (vec![], Some(1)));
    assert_eq!(cluster.reports(REPORTS), before);
    Ok(())
}

#[tokio::test]
async fn without_a_kind_of_report_nothing_is_written() -> Result<()> {
    let cluster = Cluster::start(&[]).await?;
    cluster.set("/api/v1/pods", vec![placed(pod("tiny", "128"), "shop")]);
    assert_eq!(cluster.run().await?, (vec![], Some(0)));
    Ok(())
}
