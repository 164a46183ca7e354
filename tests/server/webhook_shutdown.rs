//! SIGTERM under load: readiness goes first, and no request is lost.

use crate::webhook::{Program, allowed};
use anyhow::Result;
use podsight_tests::client::Client;
use podsight_tests::review::{create, pod};
use serde_json::Value;
use tokio::task::JoinSet;

/// Sends requests one after the other, over new connections where the server closes the old one, until it accepts none any more.
/// Gives the number of answers; a request without one is an error.
async fn load(address: std::net::SocketAddr, config: std::sync::Arc<rustls::ClientConfig>) -> Result<u32> {
    let body = create("u-1", &pod("sound", "256Mi"));
    let mut answers = 0;
    loop {
        // Connections are refused at the end: the endpoint is gone by then, and nothing was sent.
        let Ok(mut client) = Client::tls(address, &config).await else { return Ok(answers) };
        loop {
            let response = client.post("/validate", &body).await?;
            assert_eq!((response.status, response.body), (200, allowed("u-1")));
            answers += 1;
            if response.close {
                break;
            }
        }
    }
}

#[tokio::test]
async fn no_request_is_lost() -> Result<()> {
    let program = Program::start().await?;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        tasks.spawn(load(program.address, program.client_config.clone()));
    }
    program.wait_for("/metrics", |response| response.body.contains("podsight_webhook_connections_open 20\n")).await?;
    program.terminate()?;
    let not_ready = program.wait_for("/readyz", |response| response.status == 503).await?;
    assert_eq!(not_ready.body, "[+]certificate ok\n[-]shutdown not ready: the program is ending\nnot ready\n");
    // It still lives, and still accepts: the API servers have not noticed yet.
    assert_eq!(program.admin("/livez").await?.body, "ok\n");
    assert_eq!(program.connect().await?.post("/validate", create("u-2", &pod("sound", "256Mi"))).await?.body, allowed("u-2"));
    while let Some(answers) = tasks.join_next().await {
        assert!(answers?? > 0);
    }
    let (status, log) = program.end()?;
    assert!(status.success(), "{status}");
    let messages: Vec<String> = log
        .iter()
        .map(|line| {
            let line: Value = serde_json::from_str(line)?;
            Ok(line.get("message").and_then(Value::as_str).unwrap_or_default().to_owned())
        })
        .collect::<Result<_>>()?;
    assert_eq!(
        messages,
        [
            "Answers from the reviews alone: without a ServiceAccount token nothing is known of the cluster.",
            "Serving a new certificate.",
            "Ending: no longer ready, still answering.",
            "Ended.",
        ]
    );
    Ok(())
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() -> Result<()> {
    let program = Program::start().await?;
    let mut idle = program.connect().await?;
    let mut used = program.connect().await?;
    used.post("/validate", create("u-1", &pod("sound", "256Mi"))).await?;
    program.terminate()?;
    idle.closed().await?;
    used.closed().await?;
    assert!(program.end()?.0.success());
    Ok(())
}
