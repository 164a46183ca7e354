//! Everything bad at once: the memory stays within its limit, and those who behave do not notice. And more than it can do: what is not
//! looked at is allowed, and counted.

use crate::webhook::{Program, allowed};
use anyhow::{Context as _, Result};
use podsight_tests::client::Client;
use podsight_tests::review::{create, pod};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The memory limit of the webhook's Deployment.
const MEMORY_LIMIT_KIB: u64 = 64 * 1024;

/// The most that was ever resident, in KiB.
fn peak_kib(program: &Program) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.process_id()))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).context("no VmHWM")?.parse()?)
}

#[tokio::test]
async fn everything_bad_at_once_stays_within_the_memory_and_disturbs_nobody() -> Result<()> {
    let program = Program::start().await?;
    let (address, config) = (program.address, program.client_config.clone());
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(program.connect().await?);
    }
    let mut bad = JoinSet::new();
    for number in 0..200_u32 {
        let config = config.clone();
        bad.spawn(async move {
            let attack = async {
                match number % 5 {
                    // A head that drips.
                    0 => {
                        let mut client = Client::tls(address, &config).await?;
                        for byte in b"POST /validate HTTP/1.1\r\nHost: ".iter().chain([b'a'].iter().cycle()) {
                            client.send(&[*byte]).await?;
                            sleep(Duration::from_millis(50)).await;
                        }
                    }
                    // A body without an end.
                    1 => {
                        let mut client = Client::tls(address, &config).await?;
                        client.send(b"POST /validate HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
                        let chunk = [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat();
                        loop {
                            client.send(&chunk).await?;
                        }
                    }
                    // A bomb: a megabyte of zeros that says it is gzip.
                    2 => {
                        let mut client = Client::tls(address, &config).await?;
                        client
                            .send(b"POST /validate HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1048576\r\n\r\n")
                            .await?;
                        client.send(&vec![0; 1_048_576]).await?;
                        assert_eq!(client.response().await?.status, 415);
                    }
                    // No TLS, and no end of it.
                    3 => {
                        let mut client = Client::plain(address).await?;
                        loop {
                            client.stream.write_all(&[0x16, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff]).await?;
                            sleep(Duration::from_millis(20)).await;
                        }
                    }
                    // Bodies that are larger than they may be.
                    _ => {
                        let mut client = Client::tls(address, &config).await?;
                        assert_eq!(client.post("/validate", vec![b' '; 8 * 1024 * 1024]).await?.status, 413);
                    }
                }
                anyhow::Ok(())
            };
            // However it is thrown out: that is what it is here for.
            drop(attack.await);
        });
    }
    let mut good = program.connect().await?;
    for number in 0..200 {
        let uid = format!("u-{number}");
        let response = good.post("/validate", create(&uid, &pod("sound", "256Mi"))).await?;
        assert_eq!((response.status, response.body), (200, allowed(&uid)));
        if response.close {
            good = program.connect().await?;
        }
        sleep(Duration::from_millis(10)).await;
    }
    for client in &mut idle {
        let response = client.post("/validate", create("u-1", &pod("sound", "256Mi"))).await?;
        assert_eq!((response.status, response.body), (200, allowed("u-1")));
    }
    bad.shutdown().await;
    assert_eq!(program.admin("/livez").await?.body, "ok\n");
    let peak = peak_kib(&program)?;
    assert!(peak < MEMORY_LIMIT_KIB, "{peak} KiB");
    Ok(())
}

#[tokio::test]
async fn what_is_too_much_is_allowed_without_a_look_and_counted() -> Result<()> {
    const CONNECTIONS: usize = 500;
    const ROUNDS: usize = 4;
    let program = Program::start().await?;
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(program.connect().await?);
    }
    // Large enough that a few dozen are all that may wait, and each with a warning, so that a look can be told from none.
    let mut object = pod("tiny", "1");
    object["metadata"]["annotations"] = serde_json::json!({"filler": "x".repeat(50_000)});
    let body = create("u-1", &object);
    let mut tasks = JoinSet::new();
    for mut client in clients {
        let body = body.clone();
        tasks.spawn(async move {
            let mut without = 0_u32;
            for _ in 0..ROUNDS {
                let response = client.post("/validate", &body).await?;
                assert_eq!(response.status, 200);
                assert!(response.body.contains(r#""allowed":true"#), "{}", response.body);
                without += u32::from(!response.body.contains("[memory-tiny]"));
            }
            anyhow::Ok(without)
        });
    }
    let mut without = 0;
    while let Some(result) = tasks.join_next().await {
        without += result??;
    }
    let mut shed = 0.0;
    for reason in ["queue", "memory"] {
        shed += program.metric(&format!("podsight_webhook_shed_total{{reason=\"{reason}\"}}")).await?.unwrap_or_default();
    }
    assert!((f64::from(without) - shed).abs() < 0.5, "{without} got no look, {shed} are counted");
    assert!(shed > 0.0, "this load was not too much: the test shows nothing");
    Ok(())
}
