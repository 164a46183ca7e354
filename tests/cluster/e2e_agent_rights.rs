//! Every right of the agent is needed: without any one of them something is missing. The agent is a program beside the API server, under an
//! identity of the test's own; what the kernel says is a recording.

use anyhow::{Context as _, Result};
use podsight_testbed::{recorded, wait};
use podsight_tests::client::Client;
use podsight_tests::program::program;
use podsight_tests::testbed::{Namespace, Testbed, items, text};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(1);

/// An agent that ends with its test.
struct Agent<'t> {
    child: Child,
    admin: SocketAddr,
    testbed: &'t Testbed,
    name: String,
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        // The roles are the cluster's, not the namespace's.
        drop(self.testbed.kubectl.output(&["delete", "clusterrole,clusterrolebinding", &self.name]));
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        drop(self.testbed.kubectl.output(&["-n", &self.name, "patch", "pod", "killed", "--type=merge", "-p", patch]));
    }
}

impl Agent<'_> {
    fn readyz(&self) -> Result<String> {
        Ok(podsight_runtime::block_on(async { Client::plain(self.admin).await?.get("/readyz").await })??.body)
    }
}

/// What an agent without one right comes to: what it says of itself, whether the pod bears evidence, and whether there is an Event.
fn outcome(testbed: &Testbed, namespace: &Namespace<'_>) -> Result<(bool, bool)> {
    let pod = namespace.get(&["pod", "killed"])?;
    let events = testbed.kubectl.get(&["events", "-n", &namespace.name, "--field-selector", "reason=OOMKillConfirmed"])?;
    Ok((pod.pointer("/metadata/annotations/podsight.dev~1oom").is_some(), !items(&events).is_empty()))
}

#[test]
fn without_any_one_right_something_is_missing() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let role = manifest("role.yaml")?;
    let rights: Vec<(String, String)> = role
        .iter()
        .flat_map(|object| object["rules"].as_array().into_iter().flatten())
        .flat_map(|rule| {
            let resource = rule["resources"][0].as_str().unwrap_or_default().to_owned();
            let verbs = rule["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str);
            verbs.map(|verb| (resource.clone(), verb.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(rights.len(), 4, "{rights:?}");

    let (namespace, _agent) = run(&testbed, "e2e-agent-all", None)?;
    wait::until("the evidence and the Event are there", LIMIT, || Ok((outcome(&testbed, &namespace)? == (true, true)).then_some(())))?;
    for (number, right) in rights.iter().enumerate() {
        let (namespace, agent) = run(&testbed, &format!("e2e-agent-right-{number}"), Some(right))?;
        wait::until(&format!("{right:?} is missed"), LIMIT, || {
            let missed = match (right.0.as_str(), right.1.as_str()) {
                ("pods", "list") => agent.readyz()?.contains("[-]pods") && outcome(&testbed, &namespace)? == (false, false),
                ("pods", "watch") => agent.readyz()?.contains("[-]pods not ready: the watch has failed"),
                ("pods/status", "patch") => outcome(&testbed, &namespace)? == (false, true),
                ("events", "create") => outcome(&testbed, &namespace)? == (true, false),
                right => anyhow::bail!("say here what is missing without {right:?}"),
            };
            Ok(missed.then_some(()))
        })?;
    }
    Ok(())
}

/// A killed pod on a node without a kubelet, and an agent of that node without the right.
fn run<'t>(testbed: &'t Testbed, stem: &str, without: Option<&(String, String)>) -> Result<(Namespace<'t>, Agent<'t>)> {
    let namespace = testbed.namespace(stem)?;
    let name = &namespace.name;
    // Pods of a node that is not there are deleted after a while. The finalizer holds it.
    namespace.create(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: killed, finalizers: [podsight.test/held]}}, spec: {{nodeName: {name}, containers: [{{name: main, image: 'podsight.test/busybox:1', resources: {{limits: {{memory: 32Mi}}}}}}]}}}}"
    ))?;
    let uid = text(&namespace.get(&["pod", "killed"])?, "/metadata/uid").to_owned();
    let status = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "main", "image": "podsight.test/busybox:1", "imageID": "",
        "ready": true, "started": true, "restartCount": 0, "containerID": format!("containerd://{}", recorded::container_id(&uid)),
        "state": {"running": {}}}]}});
    let patched = namespace.kubectl(&["patch", "pod", "killed", "--subresource=status", "--type=merge", "-p", &status.to_string()])?;
    anyhow::ensure!(patched.status.success(), "{}", patched.stderr);
    let log = namespace.file("kernel.log", &recorded::kernel_log(&[uid])?)?;

    let mut objects = vec![json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": name}})];
    for mut object in manifest("role.yaml")? {
        object["metadata"]["name"] = json!(name);
        if object["kind"] == "ClusterRoleBinding" {
            object["roleRef"]["name"] = json!(name);
            object["subjects"] = json!([{"kind": "ServiceAccount", "name": name, "namespace": name}]);
        }
        for rule in object.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some((resource, verb)) = without
                && rule["resources"][0] == resource.as_str()
                && let Some(verbs) = rule["verbs"].as_array_mut()
            {
                verbs.retain(|given| given != verb.as_str());
            }
        }
        // A rule without verbs is refused; a role may have no rule at all.
        if let Some(rules) = object.get_mut("rules").and_then(Value::as_array_mut) {
            rules.retain(|rule| rule["verbs"].as_array().is_some_and(|verbs| !verbs.is_empty()));
        }
        objects.push(object);
    }
    let list = namespace.file("rights.json", &json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
    testbed.kubectl.run(&["create", "-f", &list])?;
    let token = testbed.kubectl.run(&["create", "token", name, "-n", name])?;
    let administrator = std::fs::read_to_string(&testbed.description.kubeconfig).context("read the kubeconfig")?;
    let mut kubeconfig: Value = serde_json::from_str(&administrator).context("understand the kubeconfig")?;
    *kubeconfig.pointer_mut("/users/0/user").context("the kubeconfig has a user")? = json!({"token": token.trim()});
    let kubeconfig = namespace.file("kubeconfig", &kubeconfig.to_string())?;
    let folder = PathBuf::from(&kubeconfig);
    let folder = folder.parent().context("the namespace has a folder")?;
    let [admin] = podsight_testbed::ports::free()?;
    let child = Command::new(program("podsight-agent", "podsight-agent")?)
        .env("KUBECONFIG", &kubeconfig)
        .args([format!("--node-name={name}"), format!("--admin-listen=127.0.0.1:{admin}"), format!("--kernel-log={log}")])
        .arg(format!("--state-dir={}", folder.display()))
        .stderr(Stdio::null())
        .spawn()
        .context("start the agent")?;
    let agent = Agent { child, admin: SocketAddr::from(([127, 0, 0, 1], admin)), testbed, name: name.clone() };
    wait::until("the agent answers", LIMIT, || Ok(agent.readyz().ok().map(drop)))?;
    Ok((namespace, agent))
}

fn manifest(file: &str) -> Result<Vec<Value>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy/base/agent").join(file);
    let yaml = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_multiple(&yaml).with_context(|| format!("understand {}", path.display()))
}
