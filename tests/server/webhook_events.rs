//! `--events`: the real program, and an API server that takes Events and nothing else.

use crate::cluster_objects::kubeconfig;
use crate::webhook::Program;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use podsight_tests::review::{create, pod, update};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// The Events that were created, by path, and the gate through which each has to go.
#[derive(Clone)]
struct Server {
    events: Arc<Mutex<Vec<(String, Value)>>>,
    gate: Arc<Semaphore>,
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (path, is_create) = (request.uri().path().to_owned(), request.method() == "POST");
    if !is_create || !path.ends_with("/events") {
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "message": "no", "reason": "Forbidden"});
        return (StatusCode::FORBIDDEN, status.to_string()).into_response();
    }
    drop(server.gate.acquire().await);
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap();
    server.events.lock().unwrap().push((path, event.clone()));
    (StatusCode::CREATED, event.to_string()).into_response()
}

impl Server {
    /// A server that answers as soon as the gate is open.
    async fn start(is_open: bool) -> Result<(Self, TempDir)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let folder = tempfile::tempdir()?;
        kubeconfig(&folder.path().join("kubeconfig"), listener.local_addr()?)?;
        let permits = if is_open { Semaphore::MAX_PERMITS } else { 0 };
        let server = Self { events: Arc::default(), gate: Arc::new(Semaphore::new(permits)) };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((server, folder))
    }

    fn events(&self) -> Vec<(String, Value)> {
        self.events.lock().unwrap().clone()
    }

    async fn until(&self, count: usize) -> Result<Vec<(String, Value)>> {
        for _ in 0..1000 {
            if self.events().len() >= count {
                return Ok(self.events());
            }
            sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("{count} Events never came: {:#?}", self.events())
    }
}

async fn start(folder: &TempDir, config: Option<&str>, arguments: &[&str]) -> Result<Program> {
    let path = folder.path().join("kubeconfig");
    Program::start_as(config, |command| {
        command.env("KUBECONFIG", path).env("HOSTNAME", "replica-1").args(arguments);
    })
    .await
}

fn with_uid(name: &str, memory: &str) -> Value {
    let mut pod = pod(name, memory);
    pod["metadata"]["uid"] = json!(format!("uid-of-{name}"));
    pod
}

async fn ask(program: &Program, review: String) -> Result<Value> {
    let response = program.connect().await?.post("/validate", review).await?;
    serde_json::from_str(&response.body).context(response.body)
}

#[tokio::test]
async fn a_finding_becomes_an_event_on_its_object() -> Result<()> {
    let (server, folder) = Server::start(true).await?;
    let program = start(&folder, Some("rules: {image-invalid: deny}"), &["--events"]).await?;
    // What comes to nothing, or is sound, comes first: an Event about it would be there before the last one.
    let dry = create("u-1", &with_uid("dry", "128")).replace(r#""dryRun":false"#, r#""dryRun":true"#);
    assert!(ask(&program, dry).await?["response"]["warnings"].is_array());
    let mut invalid = with_uid("denied", "128Mi");
    invalid["spec"]["containers"][0]["image"] = json!("Upper:1");
    assert_eq!(ask(&program, create("u-2", &invalid)).await?["response"]["allowed"], false);
    assert_eq!(ask(&program, create("u-3", &with_uid("sound", "128Mi"))).await?["response"].get("warnings"), None);
    let answer = ask(&program, update("u-4", &with_uid("tiny", "128"), &with_uid("tiny", "64Mi"))).await?;
    let warning = answer["response"]["warnings"][0].as_str().context("no warning")?.to_owned();

    let events = server.until(1).await?;
    let [(path, event)] = events.as_slice() else { anyhow::bail!("{events:#?}") };
    assert_eq!(path, "/api/v1/namespaces/default/events");
    let mut event = event.clone();
    let times = [event["firstTimestamp"].take(), event["lastTimestamp"].take()];
    assert!(times[0].is_string() && times[0] == times[1], "{times:?}");
    let name = event["metadata"]["name"].take();
    assert!(name.as_str().is_some_and(|name| name.starts_with("tiny.")), "{name}");
    assert_eq!(
        event,
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"namespace": "default", "name": null},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "tiny", "uid": "uid-of-tiny"},
            "type": "Warning", "reason": "PodsightFinding", "message": warning, "action": "Admission", "firstTimestamp": null,
            "lastTimestamp": null, "count": 1, "source": {"component": "podsight-webhook"}, "reportingComponent": "podsight-webhook",
            "reportingInstance": "replica-1"})
    );
    program.wait_for("/metrics", |response| response.body.contains("podsight_webhook_events_total{outcome=\"written\"} 1\n")).await?;

    // Again and again about the same object: it has had its Event, and other objects have theirs.
    for number in 0..5 {
        ask(&program, update(&format!("u-5-{number}"), &with_uid("tiny", "128"), &with_uid("tiny", "64Mi"))).await?;
    }
    ask(&program, create("u-6", &with_uid("other", "128"))).await?;
    let events = server.until(2).await?;
    let names: Vec<&str> = events.iter().filter_map(|(_, event)| event["involvedObject"]["name"].as_str()).collect();
    assert_eq!(names, ["tiny", "other"]);
    Ok(())
}

#[tokio::test]
async fn without_the_flag_there_are_none() -> Result<()> {
    let (server, folder) = Server::start(true).await?;
    let program = start(&folder, None, &[]).await?;
    assert!(ask(&program, create("u-1", &with_uid("tiny", "128"))).await?["response"]["warnings"].is_array());
    // It goes on for half a second, and an Event needs a millisecond.
    program.terminate()?;
    assert!(spawn_blocking(move || program.end()).await??.0.success());
    assert_eq!(server.events(), []);
    Ok(())
}

#[tokio::test]
async fn an_api_server_that_hangs_holds_up_no_review() -> Result<()> {
    let (server, folder) = Server::start(false).await?;
    let program = start(&folder, None, &["--events"]).await?;
    let mut client = program.connect().await?;
    for number in 0..400 {
        let response = client.post("/validate", create(&format!("u-{number}"), &with_uid(&format!("pod-{number}"), "128"))).await?;
        assert!(response.body.contains("[memory-tiny]"), "{}", response.body);
    }
    // The queue holds 256; one or two are on their way.
    let dropped = program.metric("podsight_webhook_events_total{outcome=\"dropped\"}").await?.context("no metric")?;
    assert!((400.0 - 256.0 - 10.0..=400.0 - 256.0).contains(&dropped), "{dropped}");
    assert_eq!(server.events(), []);
    server.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    server.until(10).await?;
    Ok(())
}
