//! The chart as it is, without a value of one's own but where its pods may run: the webhook makes its own certificate, its pods and the agent's
//! reach the API server by its Service, each with the rights of its ServiceAccount alone.

use crate::cluster::{Helm, of_podsight, until_only};
use crate::lifecycle::{ready, warns};
use anyhow::{Context as _, Result, ensure};
use podsight_testbed::wait;
use podsight_tests::testbed::{Namespace, SYSTEM, Testbed, items, text, until};
use serde_json::{Value, json};
use std::time::Duration;

/// The Secret that the webhook makes.
const SECRET: &str = "podsight-webhook-certificates";
/// How long a broken certificate may take to heal.
const MINUTE: Duration = Duration::from_mins(1);

/// Installs the chart, uses all of it, and uninstalls it.
pub(crate) fn by_helm(testbed: &Testbed, namespace: &Namespace<'_>, helm: &Helm<'_>, chart: &str) -> Result<()> {
    // The guest's pods reach no Service, and cannot be reached from the API server.
    let on_machine = json!({"nodeSelector": {"kubernetes.io/hostname": "machine"}});
    let values = namespace.file("defaults.json", &json!({"webhook": on_machine, "agent": on_machine}).to_string())?;
    helm.run(&["install", "podsight", chart, "--create-namespace", "--values", &values])?;
    ready(testbed, 2)?;
    warns(testbed, namespace)?;
    trusted(testbed)?.context("the configurations do not trust what is stored")?;
    knows_the_cluster(testbed, namespace)?;
    told_of_a_kill(testbed, namespace)?;

    testbed.kubectl.run(&["delete", "secret", SECRET, "-n", SYSTEM])?;
    wait::until("there is a new Secret that both configurations trust", MINUTE, || trusted(testbed))?;
    warns(testbed, namespace)?;
    // A second replica of the same authority: each pod is replaced, and takes what is stored.
    let stored = trusted(testbed)?.context("the configurations do not trust what is stored")?;
    testbed.kubectl.run(&["rollout", "restart", "deployment/podsight-webhook", "-n", SYSTEM])?;
    ready(testbed, 2)?;
    ensure!(trusted(testbed)?.as_ref() == Some(&stored), "new replicas have made another authority");
    warns(testbed, namespace)?;

    helm.run(&["uninstall", "podsight"])?;
    let secret = format!("Secret {SYSTEM} {SECRET}");
    let namespace_of_its_own = format!("Namespace <none> {SYSTEM}");
    until_only(testbed, &[&secret, &namespace_of_its_own])?;
    ensure!(of_podsight(testbed)?.contains(&secret), "the Secret that the webhook made is not there");
    testbed.kubectl.run(&["delete", "namespace", SYSTEM])?;
    until_only(testbed, &[])
}

/// The authority in the Secret, if both configurations trust it.
fn trusted(testbed: &Testbed) -> Result<Option<String>> {
    let secret = testbed.kubectl.output(&["get", "secret", SECRET, "-n", SYSTEM, "-o", "jsonpath={.data.ca\\.crt}"])?;
    let stored = secret.stdout.trim().to_owned();
    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        let configuration = testbed.kubectl.get(&[kind, "podsight-webhook"])?;
        if stored.is_empty() || text(&configuration, "/webhooks/0/clientConfig/caBundle") != stored {
            return Ok(None);
        }
    }
    Ok(Some(stored))
}

/// The webhook follows the cluster: it warns of a ConfigMap that is not there, and not of one that is.
fn knows_the_cluster(testbed: &Testbed, namespace: &Namespace<'_>) -> Result<()> {
    testbed.kubectl.run(&["create", "configmap", "there", "-n", &namespace.name, "--from-literal=key=value"])?;
    let applied = |map: &str| -> Result<String> {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "refers", "namespace": namespace.name},
            "spec": {"containers": [{"name": "main", "image": "podsight.test/busybox:1", "command": ["sleep", "infinity"],
                "envFrom": [{"configMapRef": {"name": map}}]}]}});
        let file = namespace.file(&format!("refers-to-{map}.json"), &pod.to_string())?;
        Ok(testbed.kubectl.output(&["create", "--dry-run=server", "-f", &file])?.stderr)
    };
    until("the webhook warns of a ConfigMap that is not there", || Ok(applied("absent")?.contains("[missing-config-ref]").then_some(())))?;
    let said = applied("there")?;
    ensure!(said.is_empty(), "the ConfigMap is there: {said}");
    Ok(())
}

/// The agent writes evidence.
fn told_of_a_kill(testbed: &Testbed, namespace: &Namespace<'_>) -> Result<()> {
    testbed.kubectl.run(&["rollout", "status", "daemonset/podsight-agent", "-n", SYSTEM, "--timeout=280s"])?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "eater"}, "spec": {
        "nodeSelector": {"kubernetes.io/hostname": "machine"}, "restartPolicy": "Never",
        "containers": [{"name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never",
            "command": ["/memory-eater", "64"], "resources": {"limits": {"memory": "32Mi"}}}]}});
    namespace.create(&pod.to_string())?;
    let pod = namespace.until_pod("eater", "has evidence", |pod| !evidence(pod).is_empty())?;
    let evidence: Value = serde_json::from_str(evidence(&pod)).context("understand the evidence")?;
    ensure!(text(&evidence, "/containers/main/verdict") == "oom-container-limit", "{evidence:#}");
    until("an Event tells of it", || {
        let events = namespace.get(&["events", "--field-selector", "reason=OOMKillConfirmed"])?;
        Ok((items(&events).len() == 1).then_some(()))
    })
}

fn evidence(pod: &Value) -> &str {
    text(pod, "/metadata/annotations/podsight.dev~1oom")
}
