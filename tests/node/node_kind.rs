//! Kills in every kind of container, at every limit that Kubernetes sets.

use crate::each::{self, Place};
use crate::evidence::on;
use crate::hand;
use anyhow::{Context as _, Result};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::text;
use serde_json::{Value, json};

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-kind", kinds)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-kind", kinds)
}

fn kinds(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    create(place)?;
    let static_pod = create_static(place)?;
    attach_ephemeral(place)?;

    // Both fit, and not together. Either may be the victim.
    let shared = until_killed(place, "shared", |evidence| containers(evidence).len() == 1)?;
    let (name, _) = containers(&shared).remove(0);
    assert!(["one", "other"].contains(&name.as_str()), "{shared:#}");
    assert_eq!(of(&shared, &name), json!({"kills": 1, "scope": "pod", "limit": "48Mi", "verdict": "oom-pod-limit"}));

    // A file in memory counts, and the process holds nothing of its own.
    let tmpfs = until_killed(place, "tmpfs", |evidence| !containers(evidence).is_empty())?;
    assert_eq!(of(&tmpfs, "main"), json!({"kills": 1, "scope": "container", "limit": "32Mi", "verdict": "oom-container-limit"}));
    let anon = tmpfs.pointer("/containers/main/recent/0/anon").and_then(Value::as_str).context("the victim's own memory")?;
    assert!(anon.ends_with("Ki") || anon.trim_end_matches("Mi").parse::<u32>().is_ok_and(|mib| mib < 4), "{anon}");

    let init = until_killed(place, "init", |evidence| !containers(evidence).is_empty())?;
    assert_eq!(of(&init, "before"), json!({"kills": 1, "scope": "container", "limit": "32Mi", "verdict": "oom-container-limit"}));

    // The ids of the first two are gone from the API by now.
    let sidecar = until_killed(place, "sidecar", |evidence| of(evidence, "beside").get("kills").and_then(Value::as_u64) >= Some(3))?;
    assert_eq!(containers(&sidecar).len(), 1);
    assert_eq!(
        of(&sidecar, "beside"),
        json!({"kills": 3, "scope": "container", "limit": "32Mi", "verdict": "oom-container-limit"}),
        "{sidecar:#}"
    );

    // It has no limit of its own.
    let ephemeral = until_killed(place, "ephemeral", |evidence| !containers(evidence).is_empty())?;
    assert_eq!(of(&ephemeral, "debugger"), json!({"kills": 1, "scope": "pod", "limit": "32Mi", "verdict": "oom-pod-limit"}));

    // Its cgroup bears another UID than the pod in the API.
    let of_static = until_killed(place, &static_pod, |evidence| !containers(evidence).is_empty())?;
    assert_eq!(of(&of_static, "main"), json!({"kills": 1, "scope": "container", "limit": "32Mi", "verdict": "oom-container-limit"}));
    hand::run(place, "static-gone", &format!("rm {}/*.json", static_folder(place))).map(drop)
}

/// The evidence, once it is as wanted and the API's status has had its say.
fn until_killed(place: &Place<'_>, pod: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    let is_seen = |evidence: &Value| containers(evidence).iter().all(|(_, container)| container.get("visible") == Some(&json!(true)));
    let pod = place.namespace.until_pod(pod, "has evidence that the API shows, too", |pod| {
        on(pod).is_some_and(|evidence| wanted(&evidence) && is_seen(&evidence))
    })?;
    on(&pod).context("there is evidence")
}

fn containers(evidence: &Value) -> Vec<(String, Value)> {
    let containers = evidence.get("containers").and_then(Value::as_object);
    containers.into_iter().flatten().map(|(name, container)| (name.clone(), container.clone())).collect()
}

fn of(evidence: &Value, container: &str) -> Value {
    let of = |field: &str| (field.to_owned(), evidence.pointer(&format!("/containers/{container}/{field}")).cloned().unwrap_or_default());
    ["kills", "scope", "limit", "verdict"].map(of).into_iter().collect()
}

fn create(place: &Place<'_>) -> Result<()> {
    let shared = json!({"resources": {"limits": {"memory": "48Mi"}}, "containers": [
        container("one", &["/memory-eater", "--sleep", "3600", "34"], None),
        container("other", &["/memory-eater", "--sleep", "3600", "34"], None),
    ]});
    let mounts = json!({"volumeMounts": [{"name": "memory", "mountPath": "/memory"}]});
    let in_memory = with(container("main", &["/memory-eater", "--file", "/memory/file", "64"], Some("32Mi")), mounts);
    let tmpfs = json!({"containers": [in_memory], "volumes": [{"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "128Mi"}}]});
    let sleeps = || container("main", &["sleep", "3600"], Some("32Mi"));
    let eats = |name| container(name, &["/memory-eater", "64"], Some("32Mi"));
    let init = json!({"initContainers": [eats("before")], "containers": [sleeps()]});
    let sidecar = json!({"initContainers": [with(eats("beside"), json!({"restartPolicy": "Always"}))], "containers": [sleeps()]});
    let items = [
        ("shared", shared),
        ("tmpfs", tmpfs),
        ("init", init),
        ("sidecar", sidecar),
        ("ephemeral", json!({"containers": [sleeps()]})),
    ]
    .map(|(name, spec)| {
        let common = json!({
            "nodeSelector": {"kubernetes.io/hostname": place.node.name}, "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
        });
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": with(spec, common)})
    });
    place.namespace.create(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
}

fn container(name: &str, command: &[&str], limit: Option<&str>) -> Value {
    let resources = limit.map_or_else(|| json!({}), |limit| json!({"limits": {"memory": limit}, "requests": {"cpu": "1m"}}));
    json!({"name": name, "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never", "command": command, "resources": resources})
}

fn with(mut object: Value, fields: Value) -> Value {
    if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
        object.extend(fields);
    }
    object
}

/// As `kubectl debug` does.
fn attach_ephemeral(place: &Place<'_>) -> Result<()> {
    place.namespace.until_pod("ephemeral", "runs", |pod| text(pod, "/status/phase") == "Running")?;
    let patch = json!({"spec": {"ephemeralContainers": [{
        "name": "debugger", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never", "command": ["/memory-eater", "64"],
    }]}});
    let patched = place.namespace.kubectl(&["patch", "pod", "ephemeral", "--subresource=ephemeralcontainers", "-p", &patch.to_string()])?;
    anyhow::ensure!(patched.status.success(), "no ephemeral container: {}", patched.stderr);
    Ok(())
}

/// A file in the kubelet's folder of static pods. Gives the name of the pod that the API shows for it.
fn create_static(place: &Place<'_>) -> Result<String> {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "static", "namespace": place.namespace.name},
        "spec": {"restartPolicy": "Never", "containers": [container("main", &["/memory-eater", "64"], Some("32Mi"))]},
    });
    let script = format!("cat >{0}/.draft <<'END'\n{pod}\nEND\nmv {0}/.draft {0}/{1}.json", static_folder(place), place.namespace.name);
    hand::run(place, "static-made", &script)?;
    Ok(format!("static-{}", place.node.name))
}

fn static_folder(place: &Place<'_>) -> String {
    match place.node.kind {
        Kind::Machine => place.testbed.description.folder.join("node/static-pods").display().to_string(),
        Kind::Guest => "/opt/static-pods".to_owned(),
    }
    .replacen('/', "/proc/1/root/", 1)
}
