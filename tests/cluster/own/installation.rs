//! An installation of the webhook beside the API server.

use super::front::Front;
use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podsight_testbed::wait;
use podsight_tests::client::{Client, Response};
use podsight_tests::testbed::{Namespace, Testbed, text};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a broken certificate may take to heal.
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// How the certificates live.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lives {
    pub(super) leaf: &'static str,
    pub(super) authority: &'static str,
}

/// As long as in a cluster.
pub(super) const LONG: Lives = Lives { leaf: "90d", authority: "365d" };

/// Objects, rights and replicas of one test.
#[derive(Debug)]
pub(super) struct Installation<'t> {
    testbed: &'t Testbed,
    /// Where the ServiceAccount, the Secret and the applied pods are.
    pub(super) namespace: Namespace<'t>,
    kubeconfig: PathBuf,
    lives: Lives,
    pub(super) front: Front,
    pub(super) replicas: Vec<Replica>,
}

/// One replica.
#[derive(Debug)]
pub(super) struct Replica {
    child: Child,
    pub(super) serving: SocketAddr,
    pub(super) admin: SocketAddr,
}

impl<'t> Installation<'t> {
    /// The objects of deploy/base that the certificate needs, under names of this test's own. `change` may change the rules of the roles.
    pub(super) fn create(testbed: &'t Testbed, stem: &str, lives: Lives, change: impl Fn(&mut Value)) -> Result<Self> {
        // The installed webhook would warn in the place of these.
        let namespace = testbed.labelled_namespace(stem, &json!({"podsight.dev/admission": "disabled"}))?;
        let front = Front::start()?;
        let mut objects =
            vec![json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": namespace.name, "namespace": namespace.name}})];
        for mut object in manifests("certificates.yaml", &namespace.name)? {
            change(&mut object);
            objects.push(object);
        }
        for object in manifests("configuration.yaml", &namespace.name)? {
            objects.push(configuration(object.clone(), "ValidatingWebhookConfiguration", "validate", &namespace.name, front.port));
            objects.push(configuration(object, "MutatingWebhookConfiguration", "mutate", &namespace.name, front.port));
        }
        let list = namespace.file("installation.json", &json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
        testbed.kubectl.run(&["create", "-f", &list])?;
        let token = testbed.kubectl.run(&["create", "token", &namespace.name, "-n", &namespace.name])?;
        let administrator = std::fs::read_to_string(&testbed.description.kubeconfig).context("read the kubeconfig")?;
        let mut kubeconfig: Value = serde_json::from_str(&administrator).context("understand the kubeconfig")?;
        *kubeconfig.pointer_mut("/users/0/user").context("the kubeconfig has a user")? = json!({"token": token.trim()});
        let kubeconfig = namespace.file("kubeconfig", &kubeconfig.to_string())?.into();
        Ok(Self { testbed, namespace, kubeconfig, lives, front, replicas: Vec::new() })
    }

    /// Starts replicas at the same time, and does not wait for anything.
    pub(super) fn start(&mut self, count: usize) -> Result<()> {
        let program = self.testbed.description.podsight.with_file_name("podsight-webhook");
        let children: Vec<Child> = (0..count)
            .map(|_| {
                Command::new(&program)
                    .env("KUBECONFIG", &self.kubeconfig)
                    .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--log-format=json", "--drain-wait=2s"])
                    .args(["--certificates=own", "--certificate-name=127.0.0.1", "--certificate-check=500ms"])
                    .args([format!("--namespace={}", self.namespace.name), format!("--webhook-configuration={}", self.namespace.name)])
                    .args([
                        format!("--service={}", self.namespace.name),
                        format!("--certificate-secret={}-certificates", self.namespace.name),
                    ])
                    .args([format!("--leaf-lifetime={}", self.lives.leaf), format!("--authority-lifetime={}", self.lives.authority)])
                    .stderr(Stdio::piped())
                    .spawn()
                    .with_context(|| format!("start {}", program.display()))
            })
            .collect::<Result<_>>()?;
        for child in children {
            let replica = Replica::new(child)?;
            self.front.add(replica.serving, replica.admin);
            self.replicas.push(replica);
        }
        Ok(())
    }

    /// Waits until so many replicas are ready and both configurations trust what is stored.
    pub(super) fn wait_whole(&self, ready: usize) -> Result<()> {
        wait::until("the installation is whole", MINUTE, || Ok((self.front.ready() == ready && self.is_trusted()?).then_some(())))
            .with_context(|| self.readiness())
    }

    /// Whether both configurations hold what the Secret holds.
    pub(super) fn is_trusted(&self) -> Result<bool> {
        let stored = self.secret()?.map(|secret| text(&secret, "/data/ca.crt").to_owned()).unwrap_or_default();
        Ok(!stored.is_empty() && self.bundles()?.iter().all(|bundle| *bundle == stored))
    }

    /// The caBundles of both configurations, in base64.
    pub(super) fn bundles(&self) -> Result<Vec<String>> {
        let kinds = ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"];
        let bundle = |kind: &&str| {
            let object = self.testbed.kubectl.get(&[kind, &self.namespace.name])?;
            Ok(text(&object, "/webhooks/0/clientConfig/caBundle").to_owned())
        };
        kinds.iter().map(bundle).collect()
    }

    /// The Secret, if there is one.
    pub(super) fn secret(&self) -> Result<Option<Value>> {
        let output = self.namespace.kubectl(&["get", "secret", &self.secret_name(), "-o", "json", "--ignore-not-found"])?;
        ensure!(output.status.success(), "{}", output.stderr);
        if output.stdout.trim().is_empty() { Ok(None) } else { Ok(Some(serde_json::from_str(&output.stdout)?)) }
    }

    /// One part of the Secret, as it is.
    pub(super) fn part(&self, key: &str) -> Result<Vec<u8>> {
        let secret = self.secret()?.context("there is no Secret")?;
        Ok(BASE64_STANDARD.decode(secret["data"][key].as_str().unwrap_or_default())?)
    }

    pub(super) fn secret_name(&self) -> String {
        format!("{}-certificates", self.namespace.name)
    }

    /// Sends one replica a signal and takes it out; it is waited for.
    pub(super) fn end(&mut self, signal: Signal) -> Result<()> {
        let mut replica = self.replicas.pop().context("no replica is left")?;
        kill(Pid::from_raw(i32::try_from(replica.child.id())?), signal)?;
        replica.child.wait()?;
        self.front.remove(replica.serving);
        Ok(())
    }

    /// What the replicas say of themselves.
    pub(super) fn readiness(&self) -> String {
        let said: Vec<String> = self.replicas.iter().map(|replica| format!("{:?}", replica.admin("/readyz"))).collect();
        said.join("\n")
    }
}

impl Drop for Installation<'_> {
    fn drop(&mut self) {
        for replica in &mut self.replicas {
            drop(replica.child.kill());
            drop(replica.child.wait());
        }
        let name = &self.namespace.name;
        let kinds = "validatingwebhookconfiguration,mutatingwebhookconfiguration,clusterrole,clusterrolebinding";
        drop(self.testbed.kubectl.output(&["delete", kinds, name, &format!("{name}-certificates"), "--ignore-not-found"]));
    }
}

impl Replica {
    fn new(mut child: Child) -> Result<Self> {
        let mut log = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let first = log.next().context("the webhook said nothing")??;
        // The rest is read, so that the program never waits for a reader; it is shown with a failed test.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        let started: Value = serde_json::from_str(&first).with_context(|| first.clone())?;
        let address = |field: &str| text(&started, field).parse::<SocketAddr>().context("no address");
        Ok(Self { serving: address("/listen")?, admin: address("/admin_listen")?, child })
    }

    /// Asks the admin port.
    pub(super) fn admin(&self, path: &str) -> Result<Response> {
        podsight_runtime::block_on(async { Client::plain(self.admin).await?.get(path).await })?
    }

    /// The value of a metric, 0 where it is absent.
    pub(super) fn metric(&self, name: &str) -> Result<f64> {
        let text = self.admin("/metrics")?.body;
        Ok(text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()).unwrap_or_default())
    }
}

/// The documents of a file of deploy/base/webhook, under another name.
fn manifests(file: &str, name: &str) -> Result<Vec<Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/base/webhook").join(file);
    let yaml = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let renamed = yaml.replace("podsight-system", name).replace("podsight-webhook", name);
    serde_saphyr::from_multiple(&renamed).with_context(|| format!("understand {}", path.display()))
}

/// The webhook configuration, for pods of the test's namespace and with an address in the place of a Service.
fn configuration(mut object: Value, kind: &str, path: &str, name: &str, port: u16) -> Value {
    object["kind"] = json!(kind);
    let webhook = &mut object["webhooks"][0];
    webhook["name"] = json!(format!("{path}.podsight.dev"));
    webhook["clientConfig"] = json!({"url": format!("https://127.0.0.1:{port}/{path}")});
    webhook["namespaceSelector"] = json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
    // A machine that is busy with other tests is no fault of the certificate.
    webhook["timeoutSeconds"] = json!(10);
    object
}
