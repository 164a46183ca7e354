//! Changes that a namespace asked for.

use crate::webhook;
use anyhow::{Context as _, Result};
use insta::assert_snapshot;
use podsight_tests::testbed::{Namespace, Testbed, items, shown, text, until};
use podsight_tests::turns::Part;
use serde_json::{Value, json};

/// A Go program with a limit, and no request. The image runs nothing that lasts.
const GO: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: go, labels: {round: first}}
spec:
  replicas: 1
  selector: {matchLabels: {app: go}}
  template:
    metadata:
      labels: {app: go}
      annotations: {podsight.dev/runtime: main=go}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: podsight.test/busybox:1
        command: [sleep, infinity]
        resources: {limits: {memory: 128Mi}}
";

fn asking<'t>(testbed: &'t Testbed, stem: &str) -> Result<Namespace<'t>> {
    let namespace = testbed.labelled_namespace(stem, &json!({"podsight.dev/mutation": "enabled"}))?;
    // The API server learns of a namespace's labels a moment later.
    let file = namespace.file("go.yaml", GO)?;
    until("changes reach users", || {
        let said = namespace.kubectl(&["create", "--dry-run=server", "-f", &file])?;
        Ok(said.stderr.contains("[termination-message-policy]").then_some(()))
    })?;
    Ok(namespace)
}

#[test]
fn a_deployment_is_changed_once_and_told_of_it() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, asking(&testbed, "e2e-mutation")?);
    let file = namespace.file("go.yaml", GO)?;
    assert_snapshot!(shown(&namespace.kubectl(&["apply", "--dry-run=server", "-f", &file])?), "a dry run", @r"
    exit status: 0
    --- standard error
    Warning: Deployment/go[main]: set the memory request to 128Mi, its limit [memory-request]
    Warning: Deployment/go[main]: set GOMEMLIMIT to 115MiB, 90% of the limit [go-memory-limit]
    Warning: Deployment/go[main]: set terminationMessagePolicy to FallbackToLogsOnError [termination-message-policy]
    --- standard output
    deployment.apps/go created (server dry run)
    ");
    let known = namespace.get(&["deployments"])?;
    assert_eq!(items(&known), [Value::Null; 0], "a dry run makes nothing");
    assert_snapshot!(namespace.apply(GO)?, "applied", @r"
    exit status: 0
    --- standard error
    Warning: Deployment/go[main]: set the memory request to 128Mi, its limit [memory-request]
    Warning: Deployment/go[main]: set GOMEMLIMIT to 115MiB, 90% of the limit [go-memory-limit]
    Warning: Deployment/go[main]: set terminationMessagePolicy to FallbackToLogsOnError [termination-message-policy]
    --- standard output
    deployment.apps/go created
    ");
    let deployment = namespace.get(&["deployment", "go"])?;
    let recorded: Value = serde_json::from_str(text(&deployment, "/metadata/annotations/podsight.dev~1mutated"))?;
    assert_eq!(
        recorded,
        json!([
            {"path": "/spec/template/spec/containers/0/resources/requests/memory", "from": null, "to": "128Mi", "rule": "memory-request"},
            {"path": "/spec/template/spec/containers/0/env/0", "from": null, "to": {"name": "GOMEMLIMIT", "value": "115MiB"}, "rule": "go-memory-limit"},
            {"path": "/spec/template/spec/containers/0/terminationMessagePolicy", "from": "File", "to": "FallbackToLogsOnError", "rule": "termination-message-policy"},
        ])
    );
    for entry in recorded.as_array().context("a list")? {
        assert_eq!(deployment.pointer(text(entry, "/path")), entry.get("to"), "{entry}");
    }
    // Its pods are as the template says, and were not changed themselves.
    let pod = until("the Deployment has a pod", || Ok(items(&namespace.get(&["pods"])?).first().cloned()))?;
    assert_eq!(text(&pod, "/spec/containers/0/terminationMessagePolicy"), "FallbackToLogsOnError");
    assert_eq!(pod.pointer("/metadata/annotations/podsight.dev~1mutated"), None);

    // Another label, another scale, the same again: nothing is changed, no pod is replaced.
    assert_snapshot!(namespace.apply(&GO.replace("round: first", "round: second"))?, "another label", @r"
    exit status: 0
    --- standard error
    --- standard output
    deployment.apps/go configured
    ");
    namespace.kubectl(&["scale", "deployment", "go", "--replicas=2"])?;
    let after = namespace.get(&["deployment", "go"])?;
    assert_eq!(after.pointer("/spec/template"), deployment.pointer("/spec/template"));
    assert_eq!(items(&namespace.get(&["replicasets"])?).len(), 1);

    // A higher limit: what follows from it follows.
    assert_snapshot!(namespace.apply(&GO.replace("128Mi", "256Mi"))?, "another limit", @r"
    exit status: 0
    --- standard error
    Warning: Deployment/go[main]: set the memory request to 256Mi, its limit [memory-request]
    Warning: Deployment/go[main]: set GOMEMLIMIT to 230MiB, 90% of the limit [go-memory-limit]
    --- standard output
    deployment.apps/go configured
    ");
    Ok(())
}

#[test]
fn a_pod_is_changed_only_where_that_is_asked_for() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let (_webhook, namespace) = (testbed.needed(Part::Webhook)?, asking(&testbed, "e2e-mutation-pod")?);
    let pod = webhook::TINY.replace("memory: 128", "memory: 128Mi");
    assert_snapshot!(namespace.apply(&pod)?, "a pod", @r"
    exit status: 0
    --- standard error
    Warning: Pod/tiny[main]: set terminationMessagePolicy to FallbackToLogsOnError [termination-message-policy]
    --- standard output
    pod/tiny created
    ");
    assert_eq!(text(&namespace.get(&["pod", "tiny"])?, "/spec/containers/0/terminationMessagePolicy"), "FallbackToLogsOnError");
    let spared = pod.replace("{name: tiny}", "{name: spared, annotations: {podsight.dev/ignore: termination-message-policy}}");
    assert_snapshot!(namespace.apply(&spared)?, "a pod that is spared", @r"
    exit status: 0
    --- standard error
    --- standard output
    pod/spared created
    ");
    let elsewhere = testbed.namespace("e2e-mutation-none")?;
    assert_snapshot!(elsewhere.apply(&pod)?, "a namespace that does not ask", @r"
    exit status: 0
    --- standard error
    --- standard output
    pod/tiny created
    ");
    assert_eq!(text(&elsewhere.get(&["pod", "tiny"])?, "/spec/containers/0/terminationMessagePolicy"), "File");
    Ok(())
}
