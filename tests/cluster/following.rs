//! A webhook that follows the cluster: the real program on this machine, with the identity and the rights that the manifests give it. The pods of the testbed
//! cannot reach its API server, which listens on loopback.

use anyhow::{Context as _, Result};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use kube::config::Kubeconfig;
use podsight_tests::authority::Authority;
use podsight_tests::client::Client;
use podsight_tests::testbed::{SYSTEM, Testbed, until};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use tempfile::TempDir;

/// The label of the namespaces whose objects this webhook is asked about.
pub(crate) const LABEL: &str = "podsight.test/following";

/// The webhook, ended with the test.
pub(crate) struct Following<'t> {
    objects: Objects<'t>,
    child: Child,
    admin: String,
    folder: TempDir,
}

/// What is in the cluster for one such webhook. It goes with its last owner.
struct Objects<'t> {
    testbed: &'t Testbed,
    name: String,
}

impl<'t> Objects<'t> {
    /// Gives the webhook's identity the opt-in parts as well, Secrets and Events, under names of this test's own.
    fn create(testbed: &'t Testbed, folder: &Path) -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("e2e-following-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let objects = Self { testbed, name };
        for (component, role, name) in [
            ("watch-secrets", "podsight-webhook-secrets", objects.name.clone()),
            ("events", "podsight-webhook-events", objects.events_role()),
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../deploy/components/{component}/role.yaml"));
            let yaml = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            let roles = folder.join("roles.yaml");
            std::fs::write(&roles, yaml.replace(role, &name))?;
            testbed.kubectl.run(&["create", "-f", &roles.display().to_string()])?;
        }
        Ok(objects)
    }

    fn events_role(&self) -> String {
        format!("{}-events", self.name)
    }
}

impl Drop for Objects<'_> {
    fn drop(&mut self) {
        let kinds = "validatingwebhookconfiguration,clusterrole,clusterrolebinding";
        drop(self.testbed.kubectl.output(&["delete", kinds, &self.name, &self.events_role(), "--ignore-not-found"]));
    }
}

impl<'t> Following<'t> {
    /// Starts the webhook, waits until it knows all kinds, and has the API server ask it.
    pub(crate) fn start(testbed: &'t Testbed) -> Result<Self> {
        Self::start_with(testbed, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(testbed: &'t Testbed, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let objects = Objects::create(testbed, folder.path())?;
        let authority = Authority::new()?;
        let pair = authority.issue_for("127.0.0.1")?;
        let file = |name: &str, text: &str| -> Result<String> {
            let path = folder.path().join(name);
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            Ok(path.display().to_string())
        };
        let certificate = file("tls.crt", &pair.certificate)?;
        let key = file("tls.key", &pair.key)?;
        let kubeconfig = file("kubeconfig", &kubeconfig(testbed, "podsight-webhook")?.to_string())?;
        let program = testbed.description.podsight.with_file_name("podsight-webhook");
        let mut child = Command::new(&program)
            .env("KUBECONFIG", kubeconfig)
            .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json", "--watch-secrets"])
            .args(["--tls-cert", &certificate, "--tls-key", &key])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let first = lines.next().context("the webhook said nothing")??;
        // Read on, or the program would wait for room in the pipe.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let started: Value = serde_json::from_str(&first).with_context(|| first.clone())?;
        let address = |field: &str| started.get(field).and_then(Value::as_str).map(str::to_owned).context("no address");
        let (listen, admin) = (address("listen")?, address("admin_listen")?);
        let following = Self { objects, child, admin, folder };
        until("the webhook knows all kinds", || Ok(following.knows_all()?.then_some(())))?;
        following.register(&listen, &authority)?;
        Ok(following)
    }

    fn knows_all(&self) -> Result<bool> {
        let ask = async { Client::plain(self.admin.parse()?).await?.get("/metrics").await };
        let text = podsight_runtime::block_on(ask)??.body;
        let complete = text.lines().filter(|line| line.starts_with("podsight_webhook_watched_completely{") && line.ends_with(" 1")).count();
        Ok(complete == podsight_cluster::Kind::ALL.len())
    }

    /// Has the API server ask this webhook as it asks the installed one, about other namespaces.
    fn register(&self, listen: &str, authority: &Authority) -> Result<()> {
        let configuration = self.objects.testbed.kubectl.get(&["validatingwebhookconfiguration", "podsight-webhook"])?;
        let mut webhook = configuration.pointer("/webhooks/0").and_then(Value::as_object).context("no webhook is installed")?.clone();
        let call = json!({"url": format!("https://{listen}/validate"), "caBundle": BASE64_STANDARD.encode(authority.certificate())});
        webhook.insert("clientConfig".to_owned(), call);
        // As with components/events; it is true without Events, too.
        webhook.insert("sideEffects".to_owned(), json!("NoneOnDryRun"));
        webhook.insert("namespaceSelector".to_owned(), json!({"matchLabels": {LABEL: self.objects.name}}));
        let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": self.objects.name}, "webhooks": [webhook]});
        let path = self.folder.path().join("configuration.json");
        std::fs::write(&path, object.to_string())?;
        self.objects.testbed.kubectl.run(&["create", "-f", &path.display().to_string()])?;
        Ok(())
    }

    /// The labels of a namespace about whose objects this webhook is asked, and not the installed one.
    pub(crate) fn labels(&self) -> Value {
        json!({LABEL: self.objects.name, "podsight.dev/admission": "disabled"})
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The testbed's server, and a token of a ServiceAccount of podsight's.
pub(crate) fn kubeconfig(testbed: &Testbed, account: &str) -> Result<Value> {
    let file = &testbed.description.kubeconfig;
    let own = Kubeconfig::read_from(file).with_context(|| format!("read {}", file.display()))?;
    let cluster = own.clusters.first().and_then(|cluster| cluster.cluster.clone()).context("no cluster in the kubeconfig")?;
    let token = testbed.kubectl.run(&["create", "token", account, "-n", SYSTEM])?;
    Ok(json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "podsight",
        "clusters": [{"name": "podsight", "cluster": cluster}],
        "users": [{"name": account, "user": {"token": token.trim()}}],
        "contexts": [{"name": "podsight", "context": {"cluster": "podsight", "user": account}}],
    }))
}
