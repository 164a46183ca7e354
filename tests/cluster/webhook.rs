//! Whether warnings reach users.

use anyhow::Result;
use podsight_tests::testbed::{Namespace, until};

/// A pod with one warning.
pub(crate) const TINY: &str = "
apiVersion: v1
kind: Pod
metadata: {name: tiny}
spec:
  # Nothing here is to run.
  schedulingGates: [{name: podsight.test/held}]
  containers:
  - name: main
    image: podsight.test/busybox:1
    resources: {limits: {memory: 128}}
";

/// What kubectl shows of it.
pub(crate) const TINY_WARNING: &str =
    "Warning: Pod/tiny[main]: memory limit 128 = 128 bytes is too small to start: hangs in ContainerCreating [memory-tiny]";

/// Waits until warnings reach users again: the API server learns of changes a moment later.
pub(crate) fn wait_for_warnings(namespace: &Namespace<'_>) -> Result<()> {
    let file = namespace.file("tiny.yaml", TINY)?;
    until("the webhook's warnings reach users", || {
        let said = namespace.kubectl(&["create", "--dry-run=server", "-f", &file])?;
        Ok(said.stderr.lines().any(|line| line == TINY_WARNING).then_some(()))
    })
}
