//! Peers that are slow, endless, many or no API servers at all: they get nothing, and others do not notice.

use crate::webhook::{Local, Program, allowed};
use anyhow::Result;
use podsight_runtime::serve::Limits;
use podsight_tests::client::{Client, Response};
use podsight_tests::review::{create, pod};
use serde_json::Value;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

const MIB: usize = 1024 * 1024;
/// The memory limit of the webhook's Deployment.
const MEMORY_LIMIT_KIB: u64 = 64 * 1024;

fn refusal(status: u16, body: &str) -> Response {
    Response { status, close: true, body: format!("{body}\n") }
}

/// Makes an object large.
fn fill(object: &mut Value, bytes: usize) {
    let metadata = object.pointer_mut("/metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata {
        metadata.insert("annotations".to_owned(), serde_json::json!({"filler": "x".repeat(bytes)}));
    }
}

/// Whether the server still answers others.
async fn still_answers(program: &Program) -> Result<()> {
    let response = program.connect().await?.post("/validate", create("u-9", &pod("sound", "256Mi"))).await?;
    assert_eq!((response.status, response.body), (200, allowed("u-9")));
    assert_eq!(program.admin("/livez").await?.body, "ok\n");
    Ok(())
}

#[tokio::test]
async fn a_body_of_8_mib_is_refused_unread() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    // Only the head: the answer comes although not a byte of the body was sent.
    client.send(format!("POST /validate HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", 8 * MIB).as_bytes()).await?;
    assert_eq!(client.response().await?, refusal(413, "the body is larger than 7 MiB"));
    // A client that sends it all the same gets to see the answer, not a reset connection.
    let response = program.connect().await?.post("/validate", vec![b' '; 8 * MIB]).await?;
    assert_eq!(response, refusal(413, "the body is larger than 7 MiB"));
    assert_eq!(program.metric("podsight_webhook_refused_total{reason=\"too-large\"}").await?, Some(2.0));
    still_answers(&program).await
}

#[tokio::test]
async fn a_body_of_7_mib_is_read() -> Result<()> {
    let program = Program::start().await?;
    let mut object = pod("sound", "256Mi");
    let empty = create("u-1", &object).len();
    fill(&mut object, 7 * MIB - empty - 48);
    let body = create("u-1", &object);
    assert!((7 * MIB - 64..=7 * MIB).contains(&body.len()), "{}", body.len());
    let mut client = program.connect().await?;
    for _ in 0..3 {
        let response = client.post("/validate", &body).await?;
        assert_eq!(response, Response { status: 200, close: false, body: allowed("u-1") });
    }
    assert!(program.resident_kib()? < MEMORY_LIMIT_KIB, "{} KiB", program.resident_kib()?);
    Ok(())
}

#[tokio::test]
async fn many_large_bodies_at_a_time_stay_within_the_memory() -> Result<()> {
    let program = Program::start().await?;
    let mut object = pod("sound", "256Mi");
    fill(&mut object, 6 * MIB);
    let body = create("u-1", &object);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (address, config, body) = (program.address, program.client_config.clone(), body.clone());
        tasks.spawn(async move { Client::tls(address, &config).await?.post("/validate", body).await });
    }
    while let Some(response) = tasks.join_next().await {
        let response = response??;
        assert_eq!((response.status, response.body), (200, allowed("u-1")));
    }
    assert!(program.resident_kib()? < MEMORY_LIMIT_KIB, "{} KiB", program.resident_kib()?);
    still_answers(&program).await
}

#[tokio::test]
async fn an_endless_body_is_cut() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    client.send(b"POST /validate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    let (read, mut write) = tokio::io::split(client.stream);
    let endless = tokio::spawn(async move { while write.write_all(&chunk).await.is_ok() {} });
    let mut reader = Client::over(read);
    assert_eq!(reader.response().await?, refusal(413, "the body is larger than 7 MiB"));
    endless.await?;
    still_answers(&program).await
}

#[tokio::test]
async fn a_slow_body_is_given_up() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    client.send(b"POST /validate HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{").await?;
    assert_eq!(client.response().await?, refusal(408, "the body did not come within 5 s"));
    still_answers(&program).await
}

#[tokio::test]
async fn what_is_no_review_gets_a_reason() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    let no_review = "the body is no AdmissionReview: `kind` must be AdmissionReview\n";
    let cases = [
        ("", "the body is no JSON: EOF while parsing a value at line 1 column 0\n"),
        ("kind: Pod", "the body is no JSON: expected value at line 1 column 1\n"),
        ("{}", no_review),
        (r#"{"kind":"Pod"}"#, no_review),
    ];
    for path in ["/validate", "/mutate"] {
        for (body, reason) in cases {
            let response = client.post(path, body).await?;
            assert_eq!(response, Response { status: 400, close: false, body: reason.to_owned() });
        }
    }
    assert_eq!(client.get("/validate").await?.status, 405);
    assert_eq!(client.post("/", "{}").await?.status, 404);
    let bomb = b"POST /validate HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbomb";
    client.send(bomb).await?;
    assert_eq!(client.response().await?, refusal(415, "a compressed body is not read: send it plain"));
    assert_eq!(program.metric("podsight_webhook_refused_total{reason=\"no-review\"}").await?, Some(8.0));
    assert_eq!(program.metric("podsight_webhook_refused_total{reason=\"encoded\"}").await?, Some(1.0));
    Ok(())
}

#[tokio::test]
async fn a_thousand_idle_connections_are_no_burden() -> Result<()> {
    let program = Program::start().await?;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(program.connect().await?);
    }
    still_answers(&program).await?;
    assert!(program.resident_kib()? < MEMORY_LIMIT_KIB, "{} KiB", program.resident_kib()?);
    // They are all served when they wake up.
    for client in &mut idle {
        let response = client.post("/validate", create("u-1", &pod("sound", "256Mi"))).await?;
        assert_eq!((response.status, response.body), (200, allowed("u-1")));
    }
    assert!(program.resident_kib()? < MEMORY_LIMIT_KIB, "{} KiB", program.resident_kib()?);
    Ok(())
}

#[tokio::test]
async fn malformed_tls_is_closed() -> Result<()> {
    let program = Program::start().await?;
    let garbage: Vec<u8> = (0..4096_u32).map(|index| u8::try_from(index * 7919 % 251).unwrap_or_default()).collect();
    // A TLS 1.2 record with a ClientHello whose length is a lie.
    let torn = [&[0x16, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff][..], &[0; 64]].concat();
    for bytes in [b"GET /validate HTTP/1.1\r\nHost: a\r\n\r\n".as_slice(), &garbage, &torn, &[0x16, 3, 1, 0xff, 0xff]] {
        let mut client = Client::plain(program.address).await?;
        client.send(bytes).await?;
        client.stream.shutdown().await?;
        let mut rest = Vec::new();
        // An alert may come before the end, or a reset.
        drop(tokio::io::AsyncReadExt::read_to_end(&mut client.stream, &mut rest).await);
        assert!(rest.is_empty() || rest.first() == Some(&0x15), "{rest:?}");
    }
    // HTTP/2 without being asked, inside of sound TLS.
    let mut client = program.connect().await?;
    client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await?;
    drop(client.response().await);
    client.closed().await?;
    let failed = "podsight_webhook_connections_ended_total{end=\"handshake_failed\"} 4\n";
    program.wait_for("/metrics", |response| response.body.contains(failed)).await?;
    still_answers(&program).await
}

fn short() -> Limits {
    Limits { connections: 3, head: Duration::from_millis(100), ..Limits::webhook() }
}

#[tokio::test]
async fn a_head_that_drips_is_given_up() -> Result<()> {
    let server = Local::start(short(), |_, _| Vec::new()).await?;
    let mut client = server.connect().await?;
    let drip = async {
        for byte in b"POST /validate HTTP/1.1\r\nHost: a-name-that-takes-for-ever-to-be-sent".iter().cycle() {
            if client.stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    drip.await;
    assert_eq!(server.metrics("connections_ended")?, [r#"connections_ended_total{end="head_slow"} 1"#]);
    Ok(())
}

#[tokio::test]
async fn the_connection_too_many_takes_the_place_of_the_idlest() -> Result<()> {
    let server = Local::start(short(), |_, _| Vec::new()).await?;
    let body = create("u-1", &pod("sound", "256Mi"));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect().await?;
        assert_eq!(client.post("/validate", &body).await?.body, allowed("u-1"));
        tokio::time::sleep(Duration::from_millis(5)).await;
        clients.push(client);
    }
    // The first is used again, so the second is the idlest.
    assert_eq!(clients[0].post("/validate", &body).await?.body, allowed("u-1"));
    let mut fourth = server.connect().await?;
    assert_eq!(fourth.post("/validate", &body).await?.body, allowed("u-1"));
    clients[1].closed().await?;
    assert_eq!(clients[0].post("/validate", &body).await?.body, allowed("u-1"));
    assert_eq!(clients[2].post("/validate", &body).await?.body, allowed("u-1"));
    assert_eq!(server.metrics("connections_open")?, ["connections_open 3"]);
    assert_eq!(server.metrics("connections_ended")?, [r#"connections_ended_total{end="crowded_out"} 1"#]);
    Ok(())
}

#[tokio::test]
async fn an_old_connection_is_closed_with_an_answer() -> Result<()> {
    let limits = Limits { age: Duration::from_millis(50), ..Limits::webhook() };
    let server = Local::start(limits, |_, _| Vec::new()).await?;
    let mut client = server.connect().await?;
    let body = create("u-1", &pod("sound", "256Mi"));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(client.post("/validate", &body).await?, Response { status: 200, close: true, body: allowed("u-1") });
    client.closed().await
}

#[tokio::test]
async fn five_hundred_at_a_time_are_all_answered() -> Result<()> {
    let program = Program::start().await?;
    let mut clients = Vec::new();
    for _ in 0..500 {
        clients.push(program.connect().await?);
    }
    let body = create("u-1", &podsight_tests::review::grown_pod("shop", 3));
    let mut tasks = tokio::task::JoinSet::new();
    for mut client in clients {
        let body = body.clone();
        tasks.spawn(async move {
            for _ in 0..3 {
                let response = client.post("/validate", &body).await?;
                assert_eq!((response.status, response.body), (200, allowed("u-1")));
            }
            anyhow::Ok(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    Ok(())
}
