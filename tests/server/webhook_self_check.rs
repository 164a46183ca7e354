//! `podsight-webhook --self-check`: the real program, and an API server that gives what it is told to give and refuses the rest.

use crate::cluster_objects::kubeconfig;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_tests::authority::Authority;
use podsight_tests::program::program;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

const SECRET: &str = "/api/v1/namespaces/podsight-system/secrets/podsight-webhook-certificates";
const VALIDATING: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/podsight-webhook";
const MUTATING: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/podsight-webhook";

/// Objects by their paths; null is one that is not there.
type Objects = Arc<BTreeMap<&'static str, Value>>;

async fn answer(State(objects): State<Objects>, request: Request) -> Response {
    let path = request.uri().path();
    let (code, reason) = match objects.get(path) {
        Some(Value::Null) => (404, "NotFound"),
        Some(object) => return object.to_string().into_response(),
        None if path == "/version" => {
            let version = json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2", "gitCommit": "", "gitTreeState": "clean",
                "buildDate": "", "goVersion": "", "compiler": "", "platform": ""});
            return version.to_string().into_response();
        }
        None => (403, "Forbidden"),
    };
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": format!("{reason}: {path}"), "reason": reason});
    (StatusCode::from_u16(code).unwrap(), status.to_string()).into_response()
}

/// An API server with these objects.
async fn serve(objects: BTreeMap<&'static str, Value>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().fallback(answer).with_state(Arc::new(objects));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// What the program says on standard output and standard error, and its exit status.
async fn check(address: SocketAddr, folder: &Path) -> Result<(String, String, Option<i32>)> {
    let file = folder.join("kubeconfig");
    kubeconfig(&file, address)?;
    let mut command = Command::new(program("podsight-webhook", "podsight-webhook")?);
    command.args(["--self-check", "--certificates=own"]).env("KUBECONFIG", file).env_remove("POD_NAMESPACE");
    let output = spawn_blocking(move || command.output()).await?.context("run the self-check")?;
    Ok((String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?, output.status.code()))
}

/// What a sound installation has.
fn sound() -> Result<BTreeMap<&'static str, Value>> {
    let authority = Authority::new()?;
    let configuration = json!({"metadata": {"name": "podsight-webhook"}, "webhooks": [{"name": "validate.podsight.dev", "failurePolicy": "Ignore",
        "timeoutSeconds": 2, "clientConfig": {"caBundle": BASE64_STANDARD.encode(authority.certificate())},
        "namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["podsight-system"]}]}}]});
    let secret = json!({"data": {"tls.crt": BASE64_STANDARD.encode(authority.issue()?.certificate)}});
    Ok(BTreeMap::from([(VALIDATING, configuration.clone()), (MUTATING, configuration), (SECRET, secret)]))
}

#[tokio::test]
async fn a_sound_installation_is_well() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (said, errors, code) = check(serve(sound()?).await?, folder.path()).await?;
    assert_eq!((said.as_str(), errors.as_str(), code), ("podsight is well: nothing wrong or risky was found\n", "", Some(0)));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_said() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut objects = sound()?;
    objects.insert(MUTATING, Value::Null);
    let configuration = objects.get_mut(VALIDATING).context("there is one")?;
    configuration["webhooks"][0]["clientConfig"]["caBundle"] = json!(BASE64_STANDARD.encode(Authority::new()?.certificate()));
    let (said, errors, code) = check(serve(objects).await?, folder.path()).await?;
    let expected = "podsight is not well: 1 wrong, 0 risky\n\n\
        wrong  validatingwebhookconfiguration/podsight-webhook: the caBundle of validate.podsight.dev does not trust the certificate \
        that is served: every call fails [ca-bundle-mismatch]\n       kubectl logs -n podsight-system deployment/podsight-webhook\n\n\
        not installed: mutation\n";
    assert_eq!((said.as_str(), errors.as_str(), code), (expected, "", Some(1)));
    Ok(())
}

#[tokio::test]
async fn who_is_refused_everything_judges_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (said, errors, code) = check(serve(BTreeMap::new()).await?, folder.path()).await?;
    assert_eq!(
        said.lines().next(),
        Some(
            "podsight could not be judged: nothing of the installation could be looked at; \
             not looked at: validatingwebhookconfigurations, mutatingwebhookconfigurations, secrets"
        )
    );
    assert!(said.contains(&format!("\nnot looked at: secrets: Forbidden: {SECRET}\n")), "{said}");
    assert_eq!((errors.as_str(), code), ("", Some(2)));
    Ok(())
}

#[tokio::test]
async fn without_an_api_server_nothing_is_judged() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Taken and given back, so that nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let (said, errors, code) = check(address, folder.path()).await?;
    assert_eq!((said.as_str(), code), ("", Some(2)));
    assert!(errors.starts_with("error: the API server cannot be reached: "), "{errors}");
    Ok(())
}
