//! The webhook as a program beside the API server, with the rights of its ServiceAccount and no other: pods of a testbed cannot reach the
//! API server, which listens on this machine's loopback.

use crate::each::Place;
use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podsight_tests::testbed::{SYSTEM, text};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What a replica needs.
pub(crate) struct Beside<'p> {
    place: &'p Place<'p>,
    kubeconfig: String,
    certificate: String,
    key: String,
    config: String,
    authority: String,
}

/// A replica; it ends with the test.
pub(crate) struct Replica {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl<'p> Beside<'p> {
    /// `config`: the text of the configuration file.
    pub(crate) fn new(place: &'p Place<'p>, config: &str) -> Result<Self> {
        let namespace = &place.namespace;
        let token = place.testbed.kubectl.run(&["create", "token", "podsight-webhook", "-n", SYSTEM])?;
        let administrator = std::fs::read_to_string(&place.testbed.description.kubeconfig).context("read the kubeconfig")?;
        let mut kubeconfig: Value = serde_json::from_str(&administrator).context("understand the kubeconfig")?;
        *kubeconfig.pointer_mut("/users/0/user").context("the kubeconfig has a user")? = json!({"token": token.trim()});
        let context =
            kubeconfig.pointer_mut("/contexts/0/context").and_then(Value::as_object_mut).context("the kubeconfig has a context")?;
        context.insert("namespace".to_owned(), json!(SYSTEM));

        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
        Ok(Self {
            place,
            kubeconfig: namespace.file("webhook.kubeconfig", &kubeconfig.to_string())?,
            certificate: namespace.file("tls.crt", &certificate.pem())?,
            key: namespace.file("tls.key", &key.serialize_pem())?,
            config: namespace.file("config.yaml", config)?,
            authority: BASE64_STANDARD.encode(authority.pem()),
        })
    }

    /// Starts a replica.
    pub(crate) fn start(&self) -> Result<Replica> {
        let program = self.place.testbed.description.podsight.with_file_name("podsight-webhook");
        let mut child = Command::new(&program)
            .env("KUBECONFIG", &self.kubeconfig)
            .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json", "--drain-wait=3s"])
            .args(["--tls-cert", &self.certificate, "--tls-key", &self.key, "--config", &self.config])
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let mut log = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let first = log.next().context("the webhook said nothing")??;
        // The rest is read, so that the program never waits for a reader; it is shown with a failed test.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        let started: Value = serde_json::from_str(&first).with_context(|| first.clone())?;
        Ok(Replica { child, address: text(&started, "/listen").parse().context("no address")? })
    }

    /// Has the API server ask this replica about the test's namespace, and nobody else.
    pub(crate) fn ask(&self, replica: &Replica) -> Result<()> {
        let name = &self.place.namespace.name;
        let mut objects = Vec::new();
        for (file, path) in [("configuration.yaml", "validate"), ("mutation.yaml", "mutate")] {
            let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/base/webhook").join(file);
            let text = std::fs::read_to_string(&manifest).with_context(|| format!("read {}", manifest.display()))?;
            let mut object: Value = serde_saphyr::from_str(&text).with_context(|| format!("understand {}", manifest.display()))?;
            *object.pointer_mut("/metadata/name").context("a name")? = json!(name);
            let webhook = object.pointer_mut("/webhooks/0").and_then(Value::as_object_mut).context("a webhook")?;
            let client = json!({"url": format!("https://{}/{path}", replica.address), "caBundle": self.authority});
            webhook.insert("clientConfig".to_owned(), client);
            webhook.insert("namespaceSelector".to_owned(), json!({"matchLabels": {"kubernetes.io/metadata.name": name}}));
            // A machine that is busy with other tests is no fault of the webhook.
            webhook.insert("timeoutSeconds".to_owned(), json!(10));
            objects.push(object);
        }
        let list =
            self.place.namespace.file("configurations.json", &json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
        self.place.testbed.kubectl.run(&["apply", "-f", &list]).map(drop)
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        let kinds = "validatingwebhookconfiguration,mutatingwebhookconfiguration";
        drop(self.place.testbed.kubectl.output(&["delete", kinds, &self.place.namespace.name, "--ignore-not-found"]));
    }
}

impl Replica {
    /// Ends it as the kubelet does, and waits for its end.
    pub(crate) fn end(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // Already ended, where `end` was called.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
