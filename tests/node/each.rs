//! One test, every node.

use anyhow::Result;
use podsight_testbed::description::{Kind, Node};
use podsight_tests::testbed::{Namespace, Testbed};
use podsight_tests::turns::{Part, Turn};

/// Where a test runs.
pub(crate) struct Place<'t> {
    pub(crate) testbed: &'t Testbed,
    pub(crate) node: &'t Node,
    pub(crate) namespace: Namespace<'t>,
}

/// Runs `test` on the node of this kind.
pub(crate) fn on(kind: Kind, stem: &str, test: impl FnOnce(&Place<'_>) -> Result<()>) -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(node) = testbed.node(kind) else { return Ok(()) };
    let namespace = testbed.namespace(&format!("{stem}-{}", node.name))?;
    test(&Place { testbed: &testbed, node, namespace })
}

/// Runs `test` on the node of this kind, in a namespace that the installed webhook leaves alone.
pub(crate) fn silenced_on(kind: Kind, stem: &str, test: impl FnOnce(&Place<'_>) -> Result<()>) -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(node) = testbed.node(kind) else { return Ok(()) };
    let labels = serde_json::json!({"podsight.dev/admission": "disabled"});
    let namespace = testbed.labelled_namespace(&format!("{stem}-{}", node.name), &labels)?;
    test(&Place { testbed: &testbed, node, namespace })
}

impl Place<'_> {
    /// Held as long as a test needs the agent of this node.
    pub(crate) fn agent_needed(&self) -> Result<Turn> {
        self.testbed.needed(Part::Agent(self.node))
    }

    /// Held as long as a test disturbs it.
    pub(crate) fn agent_disturbed(&self) -> Result<Turn> {
        self.testbed.disturbed(Part::Agent(self.node))
    }

    /// Creates a pod on this node with one container that is limited to 32 MiB, runs once and has the memory eater.
    pub(crate) fn create(&self, name: &str, command: &[&str]) -> Result<()> {
        let pod = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": self.node.name},
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 1,
                "containers": [{
                    "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never", "command": command,
                    "resources": {"limits": {"memory": "32Mi"}},
                }],
            },
        });
        self.namespace.create(&pod.to_string())
    }
}
