//! Another certificate by another authority, while the webhook serves.

use crate::webhook;
use anyhow::{Context as _, Result};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_testbed::description::Kind;
use podsight_tests::authority::{Authority, Pair};
use podsight_tests::client::Client;
use podsight_tests::testbed::{Namespace, SYSTEM, Testbed, text, until};
use podsight_tests::turns::Part;
use rustls::ClientConfig;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

#[test]
fn a_rotated_certificate_is_served_without_a_restart() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(_node) = testbed.node(Kind::Machine) else { return Ok(()) };
    let (_webhook, namespace) = (testbed.disturbed(Part::Webhook)?, testbed.namespace("e2e-certificate")?);
    webhook::wait_for_warnings(&namespace)?;
    let before = lives(&testbed.webhooks()?);
    assert_eq!(before.len(), 2, "{before:?}");

    let authority = Authority::new()?;
    let pair = authority.issue()?;
    rotate(&testbed, &namespace, &authority, &pair)?;
    let config = authority.client_config()?;
    for pod in testbed.webhooks()? {
        let address: SocketAddr = format!("{}:8443", text(&pod, "/status/podIP")).parse().context("the address of a webhook")?;
        // Only the new authority is trusted here, and it signed one certificate.
        let served = until(&format!("{} serves the new certificate", text(&pod, "/metadata/name")), || Ok(served(address, &config)))?;
        assert_eq!(served, pair.der.as_ref());
    }
    // The API server has only the new authority to trust.
    webhook::wait_for_warnings(&namespace)?;
    assert_eq!(lives(&testbed.webhooks()?), before);
    Ok(())
}

/// What changes when a pod is replaced or a container restarts.
fn lives(pods: &[Value]) -> Vec<(String, String, Value)> {
    let life = |pod: &Value| {
        let status = "/status/containerStatuses/0";
        let id = text(pod, &format!("{status}/containerID")).to_owned();
        (text(pod, "/metadata/uid").to_owned(), id, pod.pointer(&format!("{status}/restartCount")).cloned().unwrap_or_default())
    };
    let mut lives: Vec<_> = pods.iter().map(life).collect();
    lives.sort_by(|one, other| one.0.cmp(&other.0));
    lives
}

/// Puts the new pair into the Secret and the new authority into both of the webhook's configurations.
fn rotate(testbed: &Testbed, namespace: &Namespace<'_>, authority: &Authority, pair: &Pair) -> Result<()> {
    let data = json!({"stringData": {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority.certificate()}});
    let patch = namespace.file("secret.json", &data.to_string())?;
    testbed.kubectl.run(&["patch", "secret", "podsight-webhook-tls", "-n", SYSTEM, "--patch-file", &patch])?;
    // The kubelet looks at a pod that changes at once, and at others about once a minute.
    let nudge = format!("podsight.test/rotated={}", namespace.name);
    testbed.kubectl.run(&["annotate", "pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=webhook", "--overwrite", &nudge])?;
    let trust =
        json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": BASE64_STANDARD.encode(authority.certificate())}]);
    let patch = namespace.file("trust.json", &trust.to_string())?;
    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        testbed.kubectl.run(&["patch", "--type=json", "--patch-file", &patch, kind, "podsight-webhook"])?;
    }
    Ok(())
}

/// The certificate that is served there to someone who trusts `config`'s authority.
fn served(address: SocketAddr, config: &Arc<ClientConfig>) -> Option<Vec<u8>> {
    let client = podsight_runtime::block_on(Client::tls(address, config)).ok()?.ok()?;
    client.certificate().map(|certificate| certificate.to_vec())
}
