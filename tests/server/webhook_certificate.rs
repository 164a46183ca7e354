//! Certificates that change while the webhook serves.

use crate::webhook::{Program, allowed};
use anyhow::Result;
use podsight_tests::authority::Pair;
use podsight_tests::review::{create, pod};

#[tokio::test]
async fn a_rotated_secret_is_served_without_a_restart() -> Result<()> {
    let mut program = Program::start().await?;
    let body = create("u-1", &pod("sound", "256Mi"));
    let mut old = program.connect().await?;
    assert_eq!(old.post("/validate", &body).await?.body, allowed("u-1"));
    for load in 2..5 {
        let pair = program.authority.issue()?;
        program.volume.write_pair(&pair)?;
        wait_for_loads(&program, "loaded", load).await?;
        let mut new = program.connect().await?;
        assert_eq!(new.certificate(), Some(pair.der));
        assert_eq!(new.post("/validate", &body).await?.body, allowed("u-1"));
    }
    // The connection from before goes on as if nothing had happened.
    assert_eq!(old.post("/validate", &body).await?.body, allowed("u-1"));
    Ok(())
}

#[tokio::test]
async fn a_broken_pair_keeps_the_old_one_and_is_counted() -> Result<()> {
    let mut program = Program::start().await?;
    let served = program.connect().await?.certificate();
    let Pair { certificate, key, .. } = program.authority.issue()?;
    let other = program.authority.issue()?;
    let broken = [(certificate.as_str(), other.key.as_str()), ("", ""), (&certificate, ""), ("no certificate", &key)];
    for (count, (certificate, key)) in (1..).zip(broken) {
        program.volume.write(&[("tls.crt", certificate), ("tls.key", key)])?;
        wait_for_loads(&program, "broken", count).await?;
        assert_eq!(program.connect().await?.certificate(), served);
        assert_eq!(program.admin("/readyz").await?.body, "[+]certificate ok\nok\n");
    }
    program.volume.write(&[("tls.crt", &certificate), ("tls.key", &key)])?;
    wait_for_loads(&program, "loaded", 2).await?;
    assert_ne!(program.connect().await?.certificate(), served);
    let left = program.metric("podsight_webhook_certificate_expires_in_seconds").await?;
    assert!(left.is_some_and(|seconds| seconds > 0.0), "{left:?}");
    let log: Vec<String> = program.log().iter().map(|line| without_time(line)).collect::<Result<_>>()?;
    assert_eq!(
        log,
        [
            r#"INFO {"error":"found no cluster: set KUBECONFIG, or run in a pod with a ServiceAccount token","message":"Answers from the reviews alone: without a ServiceAccount token nothing is known of the cluster."}"#,
            r#"INFO {"message":"Serving a new certificate."}"#,
            r#"ERROR {"error":"the private key does not belong to the certificate, or is of an unknown kind: keys may not be consistent: KeyMismatch","message":"Kept the certificate in use: the new one is no good."}"#,
            r#"ERROR {"error":"the certificate file holds no certificate","message":"Kept the certificate in use: the new one is no good."}"#,
            r#"ERROR {"error":"failed to read the private key: the file must hold one in PEM (PKCS#8, PKCS#1 or SEC1): no items found","message":"Kept the certificate in use: the new one is no good."}"#,
            r#"ERROR {"error":"the certificate file holds no certificate","message":"Kept the certificate in use: the new one is no good."}"#,
            r#"INFO {"message":"Serving a new certificate."}"#,
        ]
    );
    Ok(())
}

async fn wait_for_loads(program: &Program, outcome: &str, count: u32) -> Result<()> {
    let sample = format!("podsight_webhook_certificate_loads_total{{outcome=\"{outcome}\"}} {count}");
    program.wait_for("/metrics", |response| response.body.contains(&format!("{sample}\n"))).await?;
    Ok(())
}

/// A log line without what differs from run to run.
fn without_time(line: &str) -> Result<String> {
    let mut line: serde_json::Value = serde_json::from_str(line)?;
    let level = line.get("level").and_then(|level| level.as_str()).unwrap_or_default().to_owned();
    if let Some(fields) = line.as_object_mut() {
        fields.retain(|name, _| !["timestamp", "target", "level", "seconds_left"].contains(&name.as_str()));
    }
    Ok(format!("{level} {line}"))
}
