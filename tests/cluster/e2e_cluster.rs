//! What only the cluster knows: said at `kubectl apply`, found by `podsight check --cluster`, and what comes of it afterwards on the real node.

use crate::following::Following;
use anyhow::{Context as _, Result, ensure};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{Namespace, Testbed, items, text, until};
use serde_json::{Value, json};
use std::process::Command;

/// A workload that will fail.
struct Case<'w> {
    /// The rule that sees it coming.
    rule: &'static str,
    /// The object's kind and name, and the container if one is meant.
    who: &'static str,
    manifest: String,
    /// What is said.
    warning: &'w str,
    /// The reason of the Event in which it shows, and a part of its text.
    event: (&'static str, &'static str),
}

fn deployment(name: &str, pod: &Value) -> String {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod}}})
    .to_string()
}

fn pod(name: &str, pod: &Value) -> String {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod}).to_string()
}

fn container(more: &Value) -> Value {
    let mut container = json!({"name": "main", "image": "podsight.test/busybox:1", "command": ["sleep", "infinity"]});
    if let (Some(fields), Some(more)) = (container.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
    container
}

/// A pod with one container, and other fields.
fn spec(container_fields: &Value, pod_fields: &Value) -> Value {
    let mut spec = json!({"containers": [container(container_fields)], "terminationGracePeriodSeconds": 0});
    if let (Some(fields), Some(more)) = (spec.as_object_mut(), pod_fields.as_object()) {
        fields.extend(more.clone());
    }
    spec
}

/// Applies `before`, which must be known then, and each case; each must be warned about, found by the command line, and fail as was said.
fn show(testbed: &Testbed, namespace: &Namespace<'_>, before: &[Value], cases: &[Case<'_>]) -> Result<()> {
    for object in before {
        namespace.create(&object.to_string())?;
    }
    for Case { rule, who, manifest, warning, event } in cases {
        let file = namespace.file("case.json", manifest)?;
        let line = format!("Warning: {who}: {warning} [{rule}]");
        // The webhook hears of what was just made a moment later.
        let mut last = String::new();
        until(&format!("`{line}` is said"), || {
            last = namespace.kubectl(&["create", "--dry-run=server", "-f", &file])?.stderr;
            Ok(last.lines().any(|said| said == line).then_some(()))
        })
        .with_context(|| format!("at last: {last}"))?;
        let found = check(testbed, namespace, &file)?;
        let is_it = |finding: &Value| text(finding, "/rule") == *rule && text(finding, "/message") == *warning;
        ensure!(found.iter().any(is_it), "check --cluster does not find {rule} ({warning}): {found:#?}");
        namespace.create(manifest)?;
        until_event(namespace, event.0, event.1).with_context(|| format!("predicted by {rule}"))?;
    }
    Ok(())
}

/// The findings of `podsight check --cluster` in a namespace.
pub(crate) fn check(testbed: &Testbed, namespace: &Namespace<'_>, file: &str) -> Result<Vec<Value>> {
    let kubectl = testbed.description.kubectl.parent().context("kubectl lies in a folder")?;
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(&testbed.description.podsight)
        .args(["check", "--cluster", "-o", "json", "--lang", "en", "-n", &namespace.name, "--kubeconfig"])
        .arg(&testbed.description.kubeconfig)
        .arg(file)
        .env("PATH", format!("{}:{path}", kubectl.display()))
        .output()
        .context("run podsight check")?;
    let said = || format!("podsight check: {}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).with_context(said)?;
    found.get("findings").and_then(Value::as_array).cloned().with_context(said)
}

#[test]
fn pods_that_the_api_server_refuses() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let following = Following::start(&testbed)?;
    let limits = |value: &Value| spec(&json!({"resources": value}), &json!({}));

    let namespace = testbed.labelled_namespace("e2e-limits", &following.labels())?;
    let range = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "1Gi"}, "default": {"memory": "512Mi"}}]}});
    let cases = [
        Case {
            rule: "limit-range-violated",
            who: "Deployment/large[main]",
            manifest: deployment("large", &limits(&json!({"limits": {"memory": "2Gi"}}))),
            warning: "no pod (FailedCreate): memory limit 2Gi is above max 1Gi of LimitRange small",
            event: ("FailedCreate", "maximum memory usage per Container is 1Gi, but limit is 2Gi"),
        },
        Case {
            rule: "limit-range-violated",
            who: "Deployment/default[main]",
            manifest: deployment("default", &limits(&json!({"requests": {"memory": "768Mi"}}))),
            warning: "no pod (FailedCreate): memory request 768Mi exceeds default limit 512Mi of LimitRange small",
            event: ("FailedCreate", "must be less than or equal to memory limit of 512Mi"),
        },
    ];
    show(&testbed, &namespace, &[range], &cases)?;

    let namespace = testbed.labelled_namespace("e2e-quota", &following.labels())?;
    let quota =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"limits.memory": "1Gi"}}});
    let cases = [
        Case {
            rule: "quota-violated",
            who: "Deployment/unset[main]",
            manifest: deployment("unset", &limits(&json!({}))),
            warning: "no pod (FailedCreate): quota team demands limits.memory, which is not set",
            event: ("FailedCreate", "must specify limits.memory for: main"),
        },
        Case {
            rule: "quota-violated",
            who: "Deployment/large",
            manifest: deployment("large", &limits(&json!({"limits": {"memory": "2Gi"}}))),
            warning: "no pod (FailedCreate): a pod asks for limits.memory 2Gi, quota team has 1Gi in all",
            event: ("FailedCreate", "exceeded quota: team, requested: limits.memory=2Gi"),
        },
    ];
    show(&testbed, &namespace, &[quota], &cases)?;

    level(&testbed, &following)?;

    let namespace = testbed.labelled_namespace("e2e-names", &following.labels())?;
    let cases = [
        Case {
            rule: "missing-service-account",
            who: "Deployment/account",
            manifest: deployment("account", &spec(&json!({}), &json!({"serviceAccountName": "robot"}))),
            warning: "no pod is made (FailedCreate): ServiceAccount robot is not there now",
            event: ("FailedCreate", "serviceaccount \"robot\" not found"),
        },
        Case {
            rule: "missing-priority-class",
            who: "Deployment/priority",
            manifest: deployment("priority", &spec(&json!({}), &json!({"priorityClassName": "urgent"}))),
            warning: "no pod is made (FailedCreate): PriorityClass urgent is not there now",
            event: ("FailedCreate", "no PriorityClass with name urgent was found"),
        },
        Case {
            rule: "missing-runtime-class",
            who: "Deployment/runtime",
            manifest: deployment("runtime", &spec(&json!({}), &json!({"runtimeClassName": "sandboxed"}))),
            warning: "no pod is made (FailedCreate): RuntimeClass sandboxed is not there now",
            event: ("FailedCreate", "RuntimeClass \"sandboxed\" not found"),
        },
    ];
    show(&testbed, &namespace, &[], &cases)
}

/// The level of a namespace. The API server of this version warns of it by itself, so the webhook does not; the command line does.
fn level(testbed: &Testbed, following: &Following<'_>) -> Result<()> {
    let mut labels = following.labels();
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("pod-security.kubernetes.io/enforce".to_owned(), json!("baseline"));
    }
    let namespace = testbed.labelled_namespace("e2e-level", &labels)?;
    let manifest = deployment("host", &spec(&json!({}), &json!({"hostNetwork": true})));
    let said = namespace.apply(&manifest)?;
    let warnings: Vec<&str> = said.lines().filter(|line| line.starts_with("Warning: ")).collect();
    ensure!(matches!(warnings[..], [one] if one.contains("would violate PodSecurity")), "{said}");
    let found = check(testbed, &namespace, &namespace.file("level.json", &manifest)?)?;
    let found: Vec<(&str, &str)> = found.iter().map(|finding| (text(finding, "/rule"), text(finding, "/message"))).collect();
    assert_eq!(found, [("pod-security-violated", "no pod (FailedCreate): PodSecurity baseline: host namespaces")]);
    until_event(&namespace, "FailedCreate", "violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)")
}

/// Waits for an Event with this reason and this in its text.
pub(crate) fn until_event(namespace: &Namespace<'_>, reason: &str, message: &str) -> Result<()> {
    let mut seen = Vec::new();
    until(&format!("{reason}: {message}"), || {
        let events = namespace.get(&["events"])?;
        seen = items(&events).iter().map(|event| format!("{} {}", text(event, "/reason"), text(event, "/message"))).collect();
        Ok(seen.iter().any(|said| said.starts_with(reason) && said.contains(message)).then_some(()))
    })
    .with_context(|| format!("{seen:#?}"))
}

#[test]
fn pods_that_no_node_takes() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let following = Following::start(&testbed)?;
    let namespace = testbed.labelled_namespace("e2e-nodes", &following.labels())?;
    let nodes = items(&testbed.kubectl.get(&["nodes"])?).len() + 1;
    let unmatched = format!("Pending (Unschedulable): none of {nodes} nodes has disktype=sdd");
    // A node that is an object and nothing else: no pod is to come to it.
    let tainted = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": namespace.name, "labels": {"podsight.test/tainted": namespace.name}},
        "spec": {"taints": [{"key": "podsight.test/kept", "value": "free", "effect": "NoSchedule"}]}});
    let _tainted = Gone { testbed: &testbed, node: namespace.name.clone() };
    let cases = [
        Case {
            rule: "node-selector-unmatched",
            who: "Pod/selector",
            manifest: pod("selector", &spec(&json!({}), &json!({"nodeSelector": {"disktype": "sdd"}}))),
            warning: &unmatched,
            event: ("FailedScheduling", "didn't match Pod's node affinity/selector"),
        },
        Case {
            rule: "taint-not-tolerated",
            who: "Pod/taint",
            manifest: pod("taint", &spec(&json!({}), &json!({"nodeSelector": {"podsight.test/tainted": namespace.name}}))),
            warning: "Pending (Unschedulable): no toleration for the nodes' taint podsight.test/kept=free:NoSchedule",
            event: ("FailedScheduling", "untolerated taint"),
        },
        Case {
            rule: "request-exceeds-nodes",
            who: "Pod/device[main]",
            manifest: pod("device", &spec(&json!({"resources": {"limits": {"nvidia.com/gpu": 1}}}), &json!({}))),
            warning: "Pending (Unschedulable): nvidia.com/gpu 1 requested, no node has any",
            event: ("FailedScheduling", "Insufficient nvidia.com/gpu"),
        },
        Case {
            rule: "storage-class-missing",
            who: "Pod/storage",
            manifest: pod(
                "storage",
                &spec(&json!({}), &json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "waiting"}}]})),
            ),
            warning: "Pending: StorageClass fast is not there now: the claim gets no volume",
            event: ("FailedScheduling", "unbound immediate PersistentVolumeClaims"),
        },
        Case {
            rule: "missing-claim",
            who: "Pod/claim",
            manifest: pod(
                "claim",
                &spec(&json!({}), &json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "nothing"}}]})),
            ),
            warning: "Pending: PersistentVolumeClaim nothing is not there now",
            event: ("FailedScheduling", "persistentvolumeclaim \"nothing\" not found"),
        },
    ];
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "waiting"},
        "spec": {"storageClassName": "fast", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    show(&testbed, &namespace, &[tainted, claim], &cases)
}

#[test]
fn containers_whose_configuration_is_not_there() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(_node) = testbed.node(Kind::Machine) else { return Ok(()) };
    let following = Following::start(&testbed)?;
    let namespace = testbed.labelled_namespace("e2e-config", &following.labels())?;
    let here = json!({"kubernetes.io/hostname": podsight_testbed::node::NAME});
    let on_node = |container: &Value, volumes: &Value| spec(container, &json!({"volumes": volumes, "nodeSelector": here}));
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "test"}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "hunter2"}});
    let from = |kind: &str, name: &str, key: &str| json!({"env": [{"name": "A", "valueFrom": {kind: {"name": name, "key": key}}}]});
    let cases = [
        Case {
            rule: "missing-config-ref",
            who: "Pod/absent[main]",
            manifest: pod("absent", &on_node(&from("configMapKeyRef", "setings", "mode"), &json!([]))),
            warning: "CreateContainerConfigError: ConfigMap setings is not there now",
            event: ("Failed", "configmap \"setings\" not found"),
        },
        Case {
            rule: "missing-config-ref",
            who: "Pod/key[main]",
            manifest: pod("key", &on_node(&from("secretKeyRef", "db", "pasword"), &json!([]))),
            warning: "CreateContainerConfigError: Secret db has no key pasword",
            event: ("Failed", "couldn't find key pasword in Secret"),
        },
        Case {
            rule: "missing-config-ref",
            who: "Pod/volume",
            manifest: pod(
                "volume",
                &on_node(
                    &json!({"volumeMounts": [{"name": "tls", "mountPath": "/tls"}]}),
                    &json!([{"name": "tls", "secret": {"secretName": "certificate"}}]),
                ),
            ),
            warning: "ContainerCreating (FailedMount): Secret certificate is not there now",
            event: ("FailedMount", "secret \"certificate\" not found"),
        },
    ];
    show(&testbed, &namespace, &[settings, secret], &cases)
}

/// A node that goes with the test.
struct Gone<'t> {
    testbed: &'t Testbed,
    node: String,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        drop(self.testbed.kubectl.output(&["delete", "node", &self.node, "--wait=false"]));
    }
}
