//! `--self-check`: what is wrong or risky with the installation, seen with the webhook's own rights.

use crate::args::Args;
use crate::certificates::Source;
use anyhow::Context as _;
use k8s_openapi::ByteString;
use kube::{Client, Error};
use podsight_cause::Lang;
use podsight_doctor::{Read, Seen, Verdict, judge, text};
use podsight_runtime::clock::unix_seconds;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;

/// Looks, says what is there to say on standard output, and gives the exit status: 0 nothing wrong or risky in what could be looked at,
/// 1 something is, 2 nothing could be judged.
pub async fn self_check(args: Args) -> anyhow::Result<ExitCode> {
    let client = podsight_runtime::client::connect().await?;
    let server = client.apiserver_version().await.context("the API server cannot be reached")?;
    let certificates = args.certificates;
    let configuration = |kind: &str| format!("/apis/admissionregistration.k8s.io/v1/{kind}/{}", certificates.webhook_configuration);
    let secret = match certificates.certificates {
        Source::Own => {
            let path = format!("/api/v1/namespaces/{}/secrets/{}", certificates.namespace, certificates.certificate_secret);
            read(&client, &path).await
        }
        Source::Mounted => match std::fs::read(&args.tls_cert) {
            Ok(pem) => Read::Found(json!({"data": {"tls.crt": ByteString(pem)}})),
            Err(error) => Read::Refused(format!("{}: {error}", args.tls_cert.display())),
        },
    };
    let seen = Seen {
        now: unix_seconds(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        server: Read::Found(json!({"major": server.major, "minor": server.minor})),
        validating: read(&client, &configuration("validatingwebhookconfigurations")).await,
        mutating: read(&client, &configuration("mutatingwebhookconfigurations")).await,
        own_secret: secret,
        namespace: certificates.namespace,
        ..Seen::default()
    };
    let findings = judge(&seen);
    let mut out = std::io::stdout().lock();
    out.write_all(text(&seen, &findings, Lang::En).as_bytes()).and_then(|()| out.flush()).context("failed to write to standard output")?;
    Ok(ExitCode::from(Verdict::of(&seen, &findings).exit_status()))
}

async fn read(client: &Client, path: &str) -> Read {
    let request = match axum::http::Request::get(path).body(Vec::new()) {
        Ok(request) => request,
        Err(error) => return Read::Refused(error.to_string()),
    };
    match client.request::<Value>(request).await {
        Ok(value) => Read::Found(value),
        Err(Error::Api(status)) if status.code == 404 => Read::Missing,
        Err(Error::Api(status)) => Read::Refused(status.message),
        Err(error) => Read::Refused(podsight_runtime::certificate::chain(&error)),
    }
}
