//! The webhook's own certificate, with the real program and an API server that knows two kinds of objects. The real API server is asked
//! in tests/cluster/own.

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response as HttpResponse};
use axum::routing::get;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_certificate::{Certificate, bundle};
use podsight_tests::client::{Client, Response};
use podsight_tests::program::program;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::sleep;

const SECRET: &str = "/api/v1/namespaces/podsight-system/secrets/podsight-webhook-certificates";
const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/podsight-webhook";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/podsight-webhook";

/// Objects by their paths. Each write counts the version up, and one on top of an older version is a conflict.
#[derive(Clone, Default)]
struct Objects(Arc<Mutex<(u64, BTreeMap<String, Value>)>>);

impl Objects {
    fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.get(path).cloned()
    }

    fn put(&self, path: &str, mut object: Value) -> Value {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0 += 1;
        object["metadata"]["resourceVersion"] = json!(guard.0.to_string());
        guard.1.insert(path.to_owned(), object.clone());
        object
    }

    fn delete(&self, path: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.remove(path);
    }

    /// The certificates in a part of the Secret.
    fn part(&self, key: &str) -> Vec<Certificate> {
        let secret = self.get(SECRET).unwrap_or_default();
        bundle(&decode(&secret["data"][key])).unwrap_or_default()
    }

    /// The caBundle of a configuration.
    fn trusted(&self, path: &str) -> Vec<Certificate> {
        let configuration = self.get(path).unwrap_or_default();
        bundle(&decode(&configuration["webhooks"][0]["clientConfig"]["caBundle"])).unwrap_or_default()
    }
}

fn decode(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default()
}

fn status(code: StatusCode) -> HttpResponse {
    let reason = if code == StatusCode::NOT_FOUND { "NotFound" } else { "Conflict" };
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code.as_u16(), "message": "no", "reason": reason});
    (code, body.to_string()).into_response()
}

async fn read(State(objects): State<Objects>, Path(path): Path<String>) -> HttpResponse {
    objects.get(&format!("/{path}")).map_or_else(|| status(StatusCode::NOT_FOUND), |object| object.to_string().into_response())
}

async fn patch(State(objects): State<Objects>, Path(path): Path<String>, headers: HeaderMap, body: String) -> HttpResponse {
    let path = format!("/{path}");
    let change: Value = serde_json::from_str(&body).unwrap_or_default();
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let Some(mut object) = objects.get(&path) else {
        // Only server-side apply makes what is not there.
        return if kind.contains("apply-patch") {
            objects.put(&path, change).to_string().into_response()
        } else {
            status(StatusCode::NOT_FOUND)
        };
    };
    if kind.contains("apply-patch") {
        return object.to_string().into_response();
    }
    if change["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
        return status(StatusCode::CONFLICT);
    }
    for (key, value) in change["data"].as_object().into_iter().flatten() {
        object["data"][key] = value.clone();
    }
    for webhook in change["webhooks"].as_array().into_iter().flatten() {
        for known in object["webhooks"].as_array_mut().into_iter().flatten().filter(|known| known["name"] == webhook["name"]) {
            known["clientConfig"]["caBundle"] = webhook["clientConfig"]["caBundle"].clone();
        }
    }
    objects.put(&path, object).to_string().into_response()
}

/// A cluster without pods: objects, and replicas as programs.
struct Cluster {
    objects: Objects,
    replicas: Vec<Replica>,
    folder: TempDir,
}

struct Replica {
    child: Child,
    admin: SocketAddr,
}

impl Drop for Replica {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Cluster {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let objects = Objects::default();
        for (path, kind) in [(VALIDATING, "ValidatingWebhookConfiguration"), (MUTATING, "MutatingWebhookConfiguration")] {
            let service = json!({"namespace": "podsight-system", "name": "podsight-webhook"});
            let webhook = json!({"name": "a.podsight.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {"service": service}});
            objects.put(
                path,
                json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": "podsight-webhook"}, "webhooks": [webhook]}),
            );
        }
        let router = Router::new().route("/{*path}", get(read).patch(patch)).with_state(objects.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir()?;
        let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "a", "user": {}}], "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]});
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string())?;
        Ok(Self { objects, replicas: Vec::new(), folder })
    }

    /// Starts replicas at the same time; none is waited for.
    fn add(&mut self, count: usize, arguments: &[&str]) -> Result<()> {
        let program = program("podsight-webhook", "podsight-webhook")?;
        let children: Vec<Child> = (0..count)
            .map(|_| {
                Command::new(&program)
                    .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
                    .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json", "--certificates=own"])
                    .arg("--certificate-check=200ms")
                    .args(arguments)
                    .stderr(Stdio::piped())
                    .spawn()
                    .context("start the webhook")
            })
            .collect::<Result<_>>()?;
        for mut child in children {
            let mut log = BufReader::new(child.stderr.take().context("no standard error")?).lines();
            let first: Value = serde_json::from_str(&log.next().context("the webhook said nothing")??)?;
            std::thread::spawn(move || log.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
            let admin = first["admin_listen"].as_str().context("no address")?.parse()?;
            self.replicas.push(Replica { child, admin });
        }
        Ok(())
    }

    /// Waits until something holds.
    async fn until(&self, what: &str, holds: impl Fn(&Objects) -> bool) -> Result<()> {
        for _ in 0..3000 {
            if holds(&self.objects) {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("it never came to this: {what}")
    }

    async fn until_ready(&self) -> Result<()> {
        for replica in &self.replicas {
            let mut last = None;
            for _ in 0..3000 {
                let answer = replica.ask("/readyz").await;
                let is_ready = answer.as_ref().is_ok_and(|answer| answer.status == 200);
                last = Some(answer);
                if is_ready {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
            ensure!(last.as_ref().is_some_and(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200)), "{last:?}");
        }
        Ok(())
    }
}

impl Replica {
    async fn ask(&self, path: &str) -> Result<Response> {
        Client::plain(self.admin).await?.get(path).await
    }
}

/// Whether both configurations trust what is stored, and what is stored signed the leaf.
fn is_whole(objects: &Objects) -> bool {
    let (authorities, leaf) = (objects.part("ca.crt"), objects.part("tls.crt"));
    let is_signed = leaf.iter().any(|leaf| authorities.iter().any(|authority| authority.issued(leaf)));
    is_signed && [VALIDATING, MUTATING].iter().all(|path| objects.trusted(path) == authorities)
}

#[tokio::test]
async fn replicas_agree_and_heal_what_is_broken() -> Result<()> {
    let mut cluster = Cluster::start().await?;
    cluster.add(3, &[])?;
    cluster.until_ready().await?;
    cluster.until("all is whole", is_whole).await?;
    let (authorities, leaf) = (cluster.objects.part("ca.crt"), cluster.objects.part("tls.crt"));
    assert_eq!((authorities.len(), leaf.len()), (1, 1));
    assert_eq!(leaf[0].names, ["podsight-webhook.podsight-system.svc"]);
    assert_eq!(leaf[0].not_after - leaf[0].not_before, 90 * 24 * 3600 + 3600);

    cluster.objects.delete(SECRET);
    cluster.until("a deleted Secret is made again", is_whole).await?;
    let renewed = cluster.objects.part("ca.crt");
    assert_eq!(cluster.objects.part("tls.crt"), leaf, "the certificate in use is stored again");
    assert_eq!((renewed.len(), renewed.last()), (2, authorities.first()), "a new authority beside the one that signed it");

    for path in [VALIDATING, MUTATING] {
        let mut configuration = cluster.objects.get(path).context("no configuration")?;
        configuration["webhooks"][0]["clientConfig"]["caBundle"] = json!(BASE64_STANDARD.encode(authorities[0].pem()));
        cluster.objects.put(path, configuration);
        cluster.until("a wrong caBundle is put right", is_whole).await?;
    }
    cluster.until_ready().await
}

#[tokio::test]
async fn leaf_and_authority_are_renewed() -> Result<()> {
    let mut cluster = Cluster::start().await?;
    cluster.add(2, &["--leaf-lifetime=9s", "--authority-lifetime=24s"])?;
    cluster.until_ready().await?;
    cluster.until("all is whole", is_whole).await?;
    let (authority, leaf) = (cluster.objects.part("ca.crt").remove(0), cluster.objects.part("tls.crt").remove(0));
    cluster.until("the leaf is renewed", |objects| objects.part("tls.crt").first().is_some_and(|now| *now != leaf)).await?;
    assert_eq!(cluster.objects.part("ca.crt"), std::slice::from_ref(&authority));
    let both = |objects: &Objects| [VALIDATING, MUTATING].iter().all(|path| objects.trusted(path).len() == 2);
    cluster.until("two authorities are trusted", both).await?;
    let new = cluster.objects.part("ca.crt").remove(0);
    assert_ne!(new, authority);
    cluster.until("the new authority signs", |objects| objects.part("tls.crt").first().is_some_and(|leaf| new.issued(leaf))).await?;
    cluster
        .until("the old one is forgotten", |objects| {
            objects.trusted(VALIDATING).first() == Some(&new) && !objects.trusted(VALIDATING).contains(&authority)
        })
        .await?;
    cluster.until_ready().await
}

#[tokio::test]
async fn what_is_somebody_elses_is_left_alone() -> Result<()> {
    let mut cluster = Cluster::start().await?;
    let theirs = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "podsight-webhook-certificates"}});
    let before = cluster.objects.put(SECRET, theirs);
    cluster.add(1, &[])?;
    let replica = cluster.replicas.first().context("no replica")?;
    let why = "[-]certificate not ready: the Secret `podsight-webhook-certificates` is of somebody else's making and is left alone: delete it, or choose another by --certificate-secret\nnot ready\n";
    for _ in 0..1000 {
        if replica.ask("/readyz").await?.body == why {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let answer = replica.ask("/readyz").await?;
    assert_eq!((answer.status, answer.body.as_str()), (503, why));
    assert_eq!(cluster.objects.get(SECRET), Some(before));
    assert_eq!(cluster.objects.trusted(VALIDATING), []);
    Ok(())
}
