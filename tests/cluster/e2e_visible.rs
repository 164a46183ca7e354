//! What is seen where no warning is: Events on what was applied, and reports about what is there.

use crate::following::{Following, kubeconfig};
use crate::webhook::TINY;
use anyhow::{Context as _, Result, ensure};
use podsight_tests::testbed::{SYSTEM, Testbed, items, text, until};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// What is found in [`TINY`].
const FOUND: &str = "Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]";

#[test]
fn a_finding_becomes_an_event_on_what_was_applied() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let following = Following::start_with(&testbed, &["--events"])?;
    let namespace = testbed.labelled_namespace("e2e-events", &following.labels())?;
    let file = namespace.file("tiny.yaml", TINY)?;
    let dry = namespace.file("dry.yaml", &TINY.replace("name: tiny", "name: dry"))?;
    // The API server learns of the configuration a moment later.
    until("the webhook is asked", || {
        let said = namespace.kubectl(&["create", "--dry-run=server", "-f", &dry])?;
        Ok(said.stderr.contains("[memory-tiny]").then_some(()))
    })?;
    let said = namespace.kubectl(&["create", "-f", &file])?;
    ensure!(said.stderr.contains(FOUND), "{}", said.stderr);
    let event = until("the Event is there", || {
        let events = namespace.get(&["events", "--field-selector", "reason=PodsightFinding"])?;
        Ok(items(&events).first().cloned())
    })?;
    let pod = namespace.get(&["pod", "tiny"])?;
    let object = &event["involvedObject"];
    assert_eq!((&object["kind"], &object["name"], &object["uid"]), (&json!("Pod"), &json!("tiny"), &pod["metadata"]["uid"]));
    assert_eq!((text(&event, "/type"), text(&event, "/message")), ("Warning", FOUND));
    let described = namespace.kubectl(&["describe", "pod", "tiny"])?;
    ensure!(described.stdout.contains(FOUND), "{}", described.stdout);
    let events = namespace.get(&["events", "--field-selector", "reason=PodsightFinding"])?;
    assert_eq!(items(&events).len(), 1, "none of the dry run: {events:#}");
    Ok(())
}

/// The kind and the identity, which go with their last owner.
struct Installed<'t> {
    testbed: &'t Testbed,
    role: String,
}

const DEFINITION: &str = "reports.openreports.io";

impl<'t> Installed<'t> {
    fn create(testbed: &'t Testbed) -> Result<Self> {
        let role = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/components/reports/role.yaml").display().to_string();
        let installed = Self { testbed, role };
        let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": DEFINITION},
            "spec": {"group": "openreports.io", "scope": "Namespaced",
                "names": {"kind": "Report", "listKind": "ReportList", "plural": "reports", "singular": "report", "shortNames": ["reps"]},
                "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("definition.json");
        std::fs::write(&file, definition.to_string())?;
        testbed.kubectl.run(&["create", "-f", &file.display().to_string()])?;
        testbed.kubectl.run(&["create", "-f", &installed.role])?;
        testbed.kubectl.run(&["wait", "--for=condition=Established", &format!("crd/{DEFINITION}"), "--timeout=60s"])?;
        Ok(installed)
    }

    /// One run, with the rights of the manifest.
    fn run(&self, folder: &Path) -> Result<()> {
        let file = folder.join("kubeconfig");
        let mut config = kubeconfig(self.testbed, "podsight-reports")?;
        // As in a pod: there is what was killed before.
        config["contexts"][0]["context"]["namespace"] = json!(SYSTEM);
        std::fs::write(&file, config.to_string())?;
        let program = self.testbed.description.podsight.with_file_name("podsight-webhook");
        let output =
            Command::new(&program).args(["--reports", "--log-format=json"]).env("KUBECONFIG", file).output().context("run the scan")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}");
        // A right that is missing is said, and nothing else is.
        let complaints = ["May not list", "have no owner", "Nothing is known of what was killed"];
        ensure!(!complaints.iter().any(|complaint| said.contains(complaint)), "{said}");
        Ok(())
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        drop(self.testbed.kubectl.output(&["delete", "crd", DEFINITION, "--ignore-not-found"]));
        drop(self.testbed.kubectl.output(&["delete", "-f", &self.role, "--ignore-not-found"]));
    }
}

#[test]
fn what_is_there_is_reported_until_it_is_mended() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let namespace = testbed.namespace("e2e-reports")?;
    namespace.create(TINY)?;
    let installed = Installed::create(&testbed)?;
    let folder = tempfile::tempdir()?;
    until("the kind is served", || {
        let known = testbed.kubectl.output(&["get", "--raw", "/apis/openreports.io/v1alpha1"])?;
        Ok(known.stdout.contains("\"reports\"").then_some(()))
    })?;
    installed.run(folder.path())?;
    let report = namespace.get(&[DEFINITION, "podsight"])?;
    let result = report.pointer("/results/0").cloned().unwrap_or_default();
    assert_eq!((text(&result, "/message"), text(&result, "/rule"), text(&result, "/result")), (FOUND, "memory-tiny", "fail"));
    let pod = namespace.get(&["pod", "tiny"])?;
    assert_eq!(result.pointer("/resources/0/uid"), pod.pointer("/metadata/uid"));
    let role = testbed.kubectl.get(&["clusterrole", "podsight-reports"])?;
    assert_eq!(report.pointer("/metadata/ownerReferences/0/uid"), role.pointer("/metadata/uid"));

    installed.run(folder.path())?;
    let again: Value = namespace.get(&[DEFINITION, "podsight"])?;
    assert_eq!(again["metadata"]["resourceVersion"], report["metadata"]["resourceVersion"], "nothing was written anew");

    namespace.kubectl(&["delete", "pod", "tiny", "--wait=true"])?;
    installed.run(folder.path())?;
    let gone = namespace.kubectl(&["get", DEFINITION, "podsight", "--ignore-not-found", "-o", "name"])?;
    assert_eq!((gone.status.success(), gone.stdout.as_str()), (true, ""));
    Ok(())
}
