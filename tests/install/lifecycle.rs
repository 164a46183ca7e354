//! Taken away by kustomize, put back by Helm, upgraded, taken away, put back by Helm with its defaults, taken away, put back by kustomize, upgraded: and every apply meanwhile succeeds.

use crate::applies::Applies;
use crate::cluster::{Helm, of_podsight, until_only};
use crate::defaults;
use crate::server_side;
use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_testbed::description::Kind;
use podsight_testbed::folders;
use podsight_tests::authority::Authority;
use podsight_tests::checkers;
use podsight_tests::testbed::{Namespace, SYSTEM, Testbed, text, until};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What kubectl shows of the Deployment that is applied again and again, before and after its limit.
const WARNING: (&str, &str) =
    ("Warning: Deployment/again[main]: memory limit ", " bytes is too small to start: hangs in ContainerCreating [memory-tiny]");

#[test]
fn nobody_notices_an_install_an_upgrade_or_an_uninstall() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(_node) = testbed.node(Kind::Machine) else { return Ok(()) };
    let Some(helm) = checkers::find("helm")? else { return Ok(()) };
    let folder = tempfile::tempdir().context("make a folder")?;
    let namespace = testbed.namespace("e2e-install")?;
    let installed = testbed.description.folder.join("install");
    let before = of_podsight(&testbed)?;
    let applies = Applies::start(&testbed, &namespace);
    let helm = Helm::new(&testbed, helm, folder.path());

    let helms = by_helm(&testbed, &namespace, &helm, &installed, folder.path())
        .and_then(|()| defaults::by_helm(&testbed, &namespace, &helm, &checkers::chart()?.display().to_string()));
    // Whatever became of it, the testbed is to be as it was.
    let kustomizes = by_kustomize(&testbed, &installed, folder.path());
    let answers = applies.finish()?;
    helms?;
    kustomizes?;
    let warned = answers.iter().filter(|said| said.lines().any(|line| line.starts_with(WARNING.0) && line.ends_with(WARNING.1))).count();
    ensure!(
        warned > 0 && warned < answers.len(),
        "{warned} of {} applies were warned about, not some and not all; the last said {:?}",
        answers.len(),
        answers.last()
    );
    // Pods, ReplicaSets and the like have other names now.
    let own = |objects: Vec<String>| -> Vec<String> {
        let is_own =
            |object: &String| !["Pod ", "ReplicaSet ", "ControllerRevision ", "EndpointSlice "].iter().any(|kind| object.starts_with(kind));
        objects.into_iter().filter(is_own).collect()
    };
    assert_eq!(own(of_podsight(&testbed)?), own(before));
    Ok(())
}

/// Uninstalls by kustomize, then installs the revision before this one by Helm, upgrades to this one and uninstalls it.
fn by_helm(testbed: &Testbed, namespace: &Namespace<'_>, helm: &Helm<'_>, installed: &Path, folder: &Path) -> Result<()> {
    // As docs/operations.md has it: the configuration first, so that no call waits for a server that has gone.
    testbed.kubectl.run(&["delete", "validatingwebhookconfiguration,mutatingwebhookconfiguration", "podsight-webhook"])?;
    testbed.kubectl.run(&["delete", "-k", &installed.display().to_string(), "--ignore-not-found"])?;
    until_only(testbed, &[])?;

    // Of the administrator's own: the namespace and the certificate. They outlive the release.
    let (authority, pair) = {
        let authority = Authority::new()?;
        let pair = authority.issue()?;
        (authority, pair)
    };
    let own = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}},
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "podsight-webhook-tls", "namespace": SYSTEM},
         "stringData": {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": authority.certificate()}},
    ]});
    testbed.kubectl.run(&["create", "-f", &namespace.file("own.json", &own.to_string())?])?;
    until("the namespace has its service account", || {
        Ok(testbed.kubectl.output(&["get", "serviceaccount", "default", "-n", SYSTEM])?.status.success().then_some(()))
    })?;
    server_side::takes_everything(testbed, &helm.program)?;
    let rest = of_podsight(testbed)?;
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();

    let chart = checkers::chart()?.display().to_string();
    let output = folder.display().to_string();
    let packaged =
        helm.run(&["package", &chart, "--version", "0.0.1", "--app-version", env!("CARGO_PKG_VERSION"), "--destination", &output])?;
    ensure!(packaged.contains("podsight-0.0.1.tgz"), "{packaged}");
    let previous = folder.join("podsight-0.0.1.tgz").display().to_string();
    let values = |more: Value| -> Result<String> {
        let mut values = json!({"webhook": {
            // The guest's pods cannot be reached from the API server.
            "nodeSelector": {"kubernetes.io/hostname": "machine"},
            "certificate": {"mode": "secret", "caBundle": BASE64_STANDARD.encode(authority.certificate())},
        }});
        merge(&mut values, more);
        namespace.file("values.json", &values.to_string())
    };
    let before =
        values(json!({"webhook": {"replicas": 1, "timeoutSeconds": 1, "log": {"level": "debug"}, "rules": {"image-untagged": "off"}}}))?;
    helm.run(&["install", "podsight", &previous, "--values", &before])?;
    serving(testbed, "0.0.1", 1)?;
    warns(testbed, namespace)?;
    ensure!(has_rules(testbed)?, "the rules of the values are in no ConfigMap");

    let now = values(json!({}))?;
    helm.run(&["upgrade", "podsight", &chart, "--values", &now])?;
    serving(testbed, env!("CARGO_PKG_VERSION"), 2)?;
    warns(testbed, namespace)?;
    ensure!(!has_rules(testbed)?, "the rules' ConfigMap outlives its value");

    helm.run(&["rollback", "podsight", "1"])?;
    serving(testbed, "0.0.1", 1)?;
    helm.run(&["uninstall", "podsight"])?;
    until_only(testbed, &rest)?;
    testbed.kubectl.run(&["delete", "namespace", SYSTEM])?;
    until_only(testbed, &[])
}

/// Installs another revision by kustomize and upgrades it to what the testbed had.
fn by_kustomize(testbed: &Testbed, installed: &Path, folder: &Path) -> Result<()> {
    let previous = folder.join("previous");
    fs::create_dir_all(&previous).context("make a folder")?;
    let up = "../".repeat(previous.components().count() - 1);
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [format!("{up}{}", installed.display().to_string().trim_start_matches('/'))],
        "labels": [{"pairs": {"app.kubernetes.io/version": "0.0.1"}, "includeTemplates": true}],
        "replicas": [{"name": "podsight-webhook", "count": 1}],
    });
    fs::write(previous.join("kustomization.yaml"), kustomization.to_string()).context("write a kustomization")?;
    for (folder, version, replicas) in [(previous.as_path(), "0.0.1", 1), (installed, env!("CARGO_PKG_VERSION"), 2)] {
        testbed.kubectl.run(&["apply", "-k", &folder.display().to_string()])?;
        let label = |path: &str| testbed.kubectl.run(&["get", "deployment", "podsight-webhook", "-n", SYSTEM, "-o", path]);
        let shown = label("jsonpath={.metadata.labels.app\\.kubernetes\\.io/version}")?;
        ensure!(shown == version, "the Deployment is of version {shown}, not {version}");
        ready(testbed, replicas)?;
    }
    testbed.kubectl.run(&["rollout", "status", "daemonset/podsight-agent", "-n", SYSTEM, "--timeout=280s"])?;
    let root = folders::repository()?;
    ensure!(root.join("deploy/base").is_dir(), "the checkout is gone");
    Ok(())
}

/// Whether there is the ConfigMap that the chart makes of rules, the one that the webhook's Deployment mounts.
fn has_rules(testbed: &Testbed) -> Result<bool> {
    let deployment = testbed.kubectl.get(&["deployment", "podsight-webhook", "-n", SYSTEM])?;
    let volumes = deployment.pointer("/spec/template/spec/volumes").and_then(Value::as_array);
    let mounted =
        volumes.into_iter().flatten().find(|volume| volume["name"] == "config").context("the Deployment mounts no configuration")?;
    let name = text(mounted, "/configMap/name");
    ensure!(name == "podsight-config", "the Deployment mounts the ConfigMap {name}");
    // With --ignore-not-found only a failure to ask is a failure.
    let shown = testbed.kubectl.run(&["get", "configmap", name, "-n", SYSTEM, "--ignore-not-found", "-o", "name"])?;
    Ok(!shown.trim().is_empty())
}

/// Waits until the Deployment of this revision of the chart serves with so many replicas.
fn serving(testbed: &Testbed, chart: &str, replicas: u64) -> Result<()> {
    let shown = testbed.kubectl.get(&["deployment", "podsight-webhook", "-n", SYSTEM])?;
    assert_eq!(text(&shown, "/metadata/labels/helm.sh~1chart"), format!("podsight-{chart}"));
    ready(testbed, replicas)
}

/// Waits until the webhook is rolled out with so many replicas.
pub(crate) fn ready(testbed: &Testbed, replicas: u64) -> Result<()> {
    testbed.kubectl.run(&["rollout", "status", "deployment/podsight-webhook", "-n", SYSTEM, "--timeout=280s"])?;
    let shown = testbed.kubectl.get(&["deployment", "podsight-webhook", "-n", SYSTEM])?;
    let ready = shown.pointer("/status/readyReplicas").and_then(Value::as_u64);
    ensure!(ready == Some(replicas), "{ready:?} replicas are ready, not {replicas}");
    Ok(())
}

/// Waits until warnings reach users: the API server learns of changes a moment later.
pub(crate) fn warns(testbed: &Testbed, namespace: &Namespace<'_>) -> Result<()> {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tiny", "namespace": namespace.name},
        "spec": {"containers": [{"name": "main", "image": "podsight.test/busybox:1", "resources": {"limits": {"memory": "128"}}}]}});
    let file = namespace.file("tiny.json", &pod.to_string())?;
    until("the webhook's warnings reach users", || {
        let said = testbed.kubectl.output(&["create", "--dry-run=server", "-f", &file])?;
        Ok(said.stderr.contains("[memory-tiny]").then_some(()))
    })
}

/// Puts the entries of one JSON mapping into another.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
