//! Pod creates at a real API server, as dry runs: without a webhook, with one that answers at once, and with podsight's.

use crate::empty::Empty;
use crate::server::{Server, samples};
use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_testbed::kubectl::Kubectl;
use podsight_tests::load::{Load, Outcome, Wanted, percentiles};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Each step is taken so often, in turn with the others', so that what else the machine does meets all of them.
const ROUNDS: u32 = 3;
/// Creates a second of the step that looks at the API server's own metric.
const RATE: u32 = 300;
/// Names of the bench's objects; of its namespaces, configurations and the label of what is asked about.
const NONE: &str = "bench-none";
const EMPTY: &str = "bench-empty";
const PODSIGHT: &str = "bench-podsight";
const LABEL: &str = "podsight.test/bench";
/// How long the watches may take.
const WATCHES_LIMIT: Duration = Duration::from_mins(2);

/// Figures as JSON.
pub(crate) fn measure(program: &Path, kubeconfig: &Path, kubectl: &Path, duration: Duration, names: usize) -> Result<Value> {
    let server = Server::start(program, &[("KUBECONFIG", kubeconfig)])?;
    let empty = Empty::start()?;
    let bench = Bench { api: Api::read(kubeconfig)?, kubectl: Kubectl::new(kubectl.to_owned(), kubeconfig.to_owned()), duration };
    bench.namespace(NONE)?;
    bench.register(EMPTY, empty.address, &empty.authority)?;
    bench.register(PODSIGHT, server.address, &server.authority)?;
    // The API server learns of its webhooks a moment later.
    sleep(Duration::from_secs(3));

    let mut figures = serde_json::Map::new();
    for connections in [1, 50] {
        let mut outcomes: [Outcome; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (outcome, name) in outcomes.iter_mut().zip([NONE, EMPTY, PODSIGHT]) {
                let part = bench.load(name, connections, None).run()?;
                ensure!(part.errors == 0, "{} of the creates failed: {:?}", part.errors, part.first_error);
                outcome.latencies.extend(part.latencies);
                outcome.elapsed += part.elapsed;
            }
        }
        for (outcome, name) in outcomes.iter_mut().zip([NONE, EMPTY, PODSIGHT]) {
            outcome.latencies.sort_unstable();
            let key = format!("{name}_{connections}");
            figures.insert(key, json!({"creates_per_second": outcome.rate().round(), "latency_us": percentiles(&outcome.latencies)}));
        }
    }
    for name in [EMPTY, PODSIGHT] {
        let before = bench.buckets(name)?;
        let outcome = bench.load(name, 16, Some(RATE)).run()?;
        ensure!(outcome.errors == 0, "{} of the creates failed: {:?}", outcome.errors, outcome.first_error);
        let after = bench.buckets(name)?;
        let (fast, all) = (after.0 - before.0, after.1 - before.1);
        ensure!(all > 0.0, "the API server has not asked {name}");
        figures.insert(format!("{name}_first_bucket"), json!({"asked": all, "within_5_ms_percent": fast / all * 100.0}));
    }

    bench.config_maps(names)?;
    let known = until_known(&server, names)?;
    figures.insert("watched".to_owned(), json!({"names": known, "resident_kib": server.resident_kib()?}));
    Ok(Value::Object(figures))
}

struct Bench {
    api: Api,
    kubectl: Kubectl,
    duration: Duration,
}

impl Bench {
    fn namespace(&self, name: &str) -> Result<()> {
        // The installed webhook is not asked.
        let labels = json!({LABEL: name, "podsight.dev/admission": "disabled"});
        self.create(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}))
    }

    /// A namespace about whose pods the webhook at `address` is asked.
    fn register(&self, name: &str, address: SocketAddr, authority: &str) -> Result<()> {
        self.namespace(name)?;
        let bundle = BASE64_STANDARD.encode(authority);
        self.create(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name},
            "webhooks": [{
                "name": format!("{name}.podsight.test"), "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
                "timeoutSeconds": 10, "namespaceSelector": {"matchLabels": {LABEL: name}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
                "clientConfig": {"url": format!("https://{address}/validate"), "caBundle": bundle},
            }],
        }))
    }

    fn create(&self, object: &Value) -> Result<()> {
        let file = tempfile::NamedTempFile::new().context("make a file")?;
        fs::write(file.path(), object.to_string()).context("write an object")?;
        self.kubectl.run(&["create", "-f", &file.path().display().to_string()]).map(drop)
    }

    fn load(&self, name: &str, connections: usize, rate: Option<u32>) -> Load {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "bench-"}, "spec": {"containers": [{
            "name": "main", "image": "registry.example/shop:1.2.3", "ports": [{"containerPort": 8080}],
            "env": [{"name": "LEVEL", "value": "info"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        }]}});
        self.api.load(&format!("/api/v1/namespaces/{name}/pods?dryRun=All"), &pod, connections, rate, self.duration)
    }

    /// How often the API server has asked this webhook with an answer within 5 ms, and at all.
    fn buckets(&self, name: &str) -> Result<(f64, f64)> {
        let text = self.kubectl.run(&["get", "--raw", "/metrics"])?;
        let of = |metric: &str, more: &str| -> f64 {
            let webhook = format!("name=\"{name}.podsight.test\"");
            let all = samples(&text, metric).into_iter();
            all.filter(|(labels, _)| labels.contains(&webhook) && labels.contains(more)).map(|(_, value)| value).sum()
        };
        let metric = "apiserver_admission_webhook_admission_duration_seconds";
        Ok((of(&format!("{metric}_bucket"), "le=\"0.005\""), of(&format!("{metric}_count"), "")))
    }

    /// Creates `names` ConfigMaps of two keys.
    fn config_maps(&self, names: usize) -> Result<()> {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "settings-of-a-service-"},
            "data": {"application.yaml": "level: info", "LOG_LEVEL": "info"}});
        let mut left = names;
        while left > 0 {
            // In parts, because a load ends by time.
            let outcome = self.api.load(&format!("/api/v1/namespaces/{NONE}/configmaps"), &object, 16, None, self.duration).run()?;
            ensure!(!outcome.latencies.is_empty(), "no ConfigMap can be created: {:?}", outcome.first_error);
            left = left.saturating_sub(outcome.latencies.len());
        }
        Ok(())
    }
}

/// Waits until the webhook knows that many objects, and gives how many they are.
fn until_known(server: &Server, names: usize) -> Result<f64> {
    let started = Instant::now();
    loop {
        let known: f64 = server.samples("podsight_webhook_watched_objects")?.iter().map(|(_, value)| value).sum();
        if known >= podsight_tests::load::count(names) {
            // What was read last is settled.
            sleep(Duration::from_secs(2));
            return Ok(known);
        }
        ensure!(started.elapsed() < WATCHES_LIMIT, "the webhook knows {known} names of {names}");
        sleep(Duration::from_millis(500));
    }
}

/// The API server, and how it knows the administrator.
struct Api {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
}

impl Api {
    fn read(kubeconfig: &Path) -> Result<Self> {
        let text = fs::read_to_string(kubeconfig).with_context(|| format!("read {}", kubeconfig.display()))?;
        let config: Value = serde_json::from_str(&text).context("understand the kubeconfig of a testbed")?;
        let at =
            |pointer: &str| config.pointer(pointer).and_then(Value::as_str).with_context(|| format!("the kubeconfig has no {pointer}"));
        let server = at("/clusters/0/cluster/server")?;
        let address = server.trim_start_matches("https://").parse().with_context(|| format!("{server} is no address"))?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(at("/clusters/0/cluster/certificate-authority")?).context("read the authority")?)?;
        let certificate = CertificateDer::from_pem_file(at("/users/0/user/client-certificate")?).context("read the certificate")?;
        let key = PrivateKeyDer::from_pem_file(at("/users/0/user/client-key")?).context("read the key")?;
        let tls = ClientConfig::builder().with_root_certificates(roots).with_client_auth_cert(vec![certificate], key)?;
        Ok(Self { address, tls: Arc::new(tls) })
    }

    fn load(&self, path: &str, object: &Value, connections: usize, rate: Option<u32>, duration: Duration) -> Load {
        let body = object.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: podsight-bench\r\nAccept: application/json\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let requests = Arc::new(vec![[head, body].concat().into_bytes()]);
        Load {
            address: self.address,
            tls: Arc::clone(&self.tls),
            name: "127.0.0.1",
            wanted: Wanted::Created,
            requests,
            connections,
            rate,
            duration,
        }
    }
}
