//! Somebody who applies a workload again and again, with the real kubectl.

use anyhow::{Context as _, Result, ensure};
use podsight_tests::testbed::{Namespace, Testbed};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// One apply after the other, in a thread of its own.
pub(crate) struct Applies {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<String>>>,
}

impl Applies {
    /// Starts applying a Deployment whose template is another one each time, so that each apply is one that the webhook is asked about.
    pub(crate) fn start(testbed: &Testbed, namespace: &Namespace<'_>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (kubectl, name, stopped) = (testbed.kubectl.clone(), namespace.name.clone(), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let folder = tempfile::tempdir().context("make a folder")?;
            let file = folder.path().join("deployment.json");
            let mut answers = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                std::fs::write(&file, deployment(answers.len()).to_string()).context("write the Deployment")?;
                let said = kubectl.output(&["apply", "-n", &name, "-f", &file.display().to_string()])?;
                ensure!(said.status.success(), "apply {} was refused:\n{}", answers.len() + 1, said.stderr);
                answers.push(said.stderr);
            }
            Ok(answers)
        });
        Self { stop, thread }
    }

    /// Stops and gives what each apply said on standard error. One that was refused is an error.
    pub(crate) fn finish(self) -> Result<Vec<String>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the thread that applies panicked"))?
    }
}

/// A Deployment without pods and with one warning. Each has another limit: of what was there before, nothing is said again.
fn deployment(number: usize) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "again"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "again"}}, "template": {
            "metadata": {"labels": {"app": "again"}},
            "spec": {"containers": [{
                "name": "main", "image": "podsight.test/busybox:1", "resources": {"limits": {"memory": (128 + number).to_string()}},
            }]},
        }},
    })
}
