//! Failing manifests of other people whose failure only the cluster shows.

use crate::e2e_cluster::{check, until_event};
use anyhow::{Context as _, Result, ensure};
use podsight_tests::skipped;
use podsight_tests::testbed::Testbed;
use serde_json::Value;
use std::path::Path;

/// Manifest, what it is to be predicted as, and the Event in which it shows on this node.
///
/// `gke_issue.yaml` is not among them: it asks for one CPU, which this node has and the node that it was written for has not. Neither is
/// `04-node-affinity-required.yaml`: it has no containers, so the API server refuses it ("spec.template.spec.containers: Required value").
const CASES: [(&str, &str, &str); 5] = [
    ("failing-robusta-demos/pending_pods/pending_pod_node_selector.yaml", "unschedulable-node-selector", "node affinity/selector"),
    ("failing-robusta-demos/pending_pods/pending_pod_resources.yaml", "unschedulable-device", "Insufficient nvidia.com/gpu"),
    ("failing-robusta-demos/pvc-misconfiguration/redis-deployment.yaml", "pvc-unbound", "unbound immediate PersistentVolumeClaims"),
    ("failing-zero-to-hero/03-pods-not-schedulable/02-node-selector.yaml", "unschedulable-node-selector", "node affinity/selector"),
    ("k8s-examples-containersolutions/broken-Pod/broken-pods/too-much-mem.yaml", "unschedulable-resources", "Insufficient memory"),
];

#[test]
fn they_are_found_and_fail_as_predicted() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/manifests");
    if !corpus.is_dir() {
        skipped("there is no corpus beside the checkout");
        return Ok(());
    }
    for (number, (manifest, cause, message)) in CASES.iter().enumerate() {
        let namespace = testbed.namespace(&format!("e2e-corpus-{number}"))?;
        let path = corpus.join(manifest);
        let file = path.display().to_string();
        let found = check(&testbed, &namespace, &file)?;
        let predicted = |finding: &Value| {
            let causes = finding.get("predicts").and_then(Value::as_array);
            causes.is_some_and(|causes| causes.iter().any(|one| one == cause))
        };
        ensure!(found.iter().any(predicted), "{manifest}: {found:#?}");
        let applied = namespace.kubectl(&["apply", "-f", &file])?;
        ensure!(applied.status.success(), "{manifest}: {}", applied.stderr);
        until_event(&namespace, "FailedScheduling", message).with_context(|| manifest.to_string())?;
    }
    Ok(())
}
