//! A running testbed, as the end-to-end tests use it.

use std::env;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use podsight_testbed::command::{self, Output};
use podsight_testbed::description::{self, Description, Kind, Node};
use podsight_testbed::kubectl::Kubectl;
use podsight_testbed::wait;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take that has to happen: a busy machine and an emulated guest are slow.
pub const LIMIT: Duration = Duration::from_mins(10);

/// podsight's own namespace.
pub const SYSTEM: &str = "podsight-system";

/// A running testbed.
#[derive(Debug)]
pub struct Testbed {
    /// Where it is and what it has.
    pub description: Description,
    /// The administrator's kubectl.
    pub kubectl: Kubectl,
}

impl Testbed {
    /// The testbed that the environment names. Without one the test is skipped, and says so.
    pub fn find() -> Result<Option<Self>> {
        let Some(path) = env::var_os(description::VARIABLE) else {
            crate::skipped("cargo xtask test runs these");
            return Ok(None);
        };
        let description = Description::read(Path::new(&path))?;
        let kubectl = Kubectl::new(description.kubectl.clone(), description.kubeconfig.clone());
        Ok(Some(Self { description, kubectl }))
    }

    /// The node of this kind. A test that needs one where there is none is skipped, and says so.
    pub fn node(&self, kind: Kind) -> Option<&Node> {
        let node = self.description.nodes.iter().find(|node| node.kind == kind);
        if node.is_none() {
            crate::skipped(match kind {
                Kind::Machine => "this machine is no node of the testbed",
                Kind::Guest => "the testbed has no guest",
            });
        }
        node
    }

    /// A new namespace; `stem` says whose it is.
    pub fn namespace(&self, stem: &str) -> Result<Namespace<'_>> {
        self.labelled_namespace(stem, &json!({}))
    }

    /// A new namespace with labels.
    pub fn labelled_namespace(&self, stem: &str, labels: &Value) -> Result<Namespace<'_>> {
        // The testbed may be used by one run after the other.
        let name = format!("{stem}-{}", std::process::id());
        let folder = tempfile::tempdir().context("make a folder for manifests")?;
        let namespace = Namespace { testbed: self, name, folder };
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name, "labels": labels}});
        let file = namespace.file("namespace.json", &object.to_string())?;
        self.kubectl.run(&["create", "-f", &file])?;
        // Pods are refused until it is there.
        until("the namespace has its service account", || {
            Ok(namespace.kubectl(&["get", "serviceaccount", "default"])?.status.success().then_some(()))
        })?;
        Ok(namespace)
    }

    /// The agent's pod on a node.
    pub fn agent(&self, node: &str) -> Result<Value> {
        let place = format!("spec.nodeName={node}");
        let pods = self.kubectl.get(&["pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=agent", "--field-selector", &place])?;
        match items(&pods) {
            [pod] => Ok(pod.clone()),
            pods => bail!("{} agents on {node}, not one", pods.len()),
        }
    }

    /// The webhook's pods.
    pub fn webhooks(&self) -> Result<Vec<Value>> {
        let pods = self.kubectl.get(&["pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=webhook"])?;
        Ok(items(&pods).to_vec())
    }

    /// The command line, run to its end.
    pub fn podsight(&self, arguments: &[&str]) -> Result<Output> {
        command::output(std::process::Command::new(&self.description.podsight).args(arguments))
    }
}

/// A namespace of one test's own. It goes with its last owner.
#[derive(Debug)]
pub struct Namespace<'t> {
    testbed: &'t Testbed,
    /// Its name.
    pub name: String,
    folder: TempDir,
}

impl Namespace<'_> {
    /// kubectl in this namespace, run to its end.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<Output> {
        self.testbed.kubectl.output(&[&["-n", &self.name], arguments].concat())
    }

    /// An object or a list.
    pub fn get(&self, arguments: &[&str]) -> Result<Value> {
        self.testbed.kubectl.get(&[&["-n", &self.name], arguments].concat())
    }

    /// What a user sees who applies `manifest` here.
    pub fn apply(&self, manifest: &str) -> Result<String> {
        let file = self.file("manifest.yaml", manifest)?;
        Ok(shown(&self.kubectl(&["apply", "-f", &file])?))
    }

    /// Applies `manifest`, which must succeed.
    pub fn create(&self, manifest: &str) -> Result<()> {
        let file = self.file("manifest.yaml", manifest)?;
        let output = self.kubectl(&["create", "-f", &file])?;
        if !output.status.success() {
            bail!("kubectl create failed:\n{}{manifest}", output.stderr);
        }
        Ok(())
    }

    /// Waits until `pod` is as wanted, and gives it.
    pub fn until_pod(&self, pod: &str, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Result<Value> {
        let mut last = Value::Null;
        until(&format!("{pod} {what}"), || {
            last = self.get(&["pod", pod])?;
            Ok(wanted(&last).then(|| last.clone()))
        })
        .with_context(|| format!("the pod at last: {last:#}"))
    }

    /// The folder of the files for kubectl.
    pub fn folder_path(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Writes a file for kubectl and gives its path.
    pub fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        Ok(path.display().to_string())
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        // The testbed ends soon after; what is left over disturbs nobody.
        drop(self.testbed.kubectl.output(&["delete", "namespace", &self.name, "--wait=false"]));
    }
}

/// All that a program said, and how it ended.
pub fn shown(output: &Output) -> String {
    format!("{}\n--- standard error\n{}--- standard output\n{}", output.status, output.stderr, output.stdout)
}

/// Waits until `answer` has one, as long as anything may take.
pub fn until<T>(what: &str, answer: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    wait::until(what, LIMIT, answer)
}

/// The items of a list.
pub fn items(list: &Value) -> &[Value] {
    list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A text in an object, empty where there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
