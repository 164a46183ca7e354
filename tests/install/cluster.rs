//! What is in the cluster of podsight.

use anyhow::{Context as _, Result};
use podsight_testbed::command;
use podsight_tests::testbed::{SYSTEM, Testbed, until};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Helm with the testbed's cluster.
pub(crate) struct Helm<'t> {
    testbed: &'t Testbed,
    /// Its file.
    pub(crate) program: PathBuf,
    folder: PathBuf,
}

impl<'t> Helm<'t> {
    pub(crate) fn new(testbed: &'t Testbed, program: PathBuf, folder: &Path) -> Self {
        Self { testbed, program, folder: folder.to_owned() }
    }

    /// Runs it to its end, in podsight's namespace.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut helm: Command = podsight_tests::checkers::helm(&self.program, &self.folder);
        helm.env("KUBECONFIG", &self.testbed.description.kubeconfig).args(["--namespace", SYSTEM]).args(arguments);
        command::run(&mut helm)
    }
}

/// Everything in the cluster that is podsight's by its label or by its name, whatever its kind.
pub(crate) fn of_podsight(testbed: &Testbed) -> Result<Vec<String>> {
    let kinds = testbed.kubectl.run(&["api-resources", "--verbs=list", "--output=name"])?;
    // Events are told of what is gone, for an hour.
    let kinds: Vec<&str> = kinds.lines().filter(|kind| !kind.starts_with("events")).collect();
    let kinds = kinds.join(",");
    let columns =
        "custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,LABEL:.metadata.labels.app\\.kubernetes\\.io/name";
    let all = testbed.kubectl.run(&["get", &kinds, "--all-namespaces", "--no-headers", "--ignore-not-found", "--output", columns])?;
    Ok(all
        .lines()
        .filter(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Kubernetes puts these into every namespace.
            if ["default", "kube-root-ca.crt"].iter().any(|name| words.get(2) == Some(name)) {
                return false;
            }
            // Other tests' own.
            if words.get(2).is_some_and(|name| name.starts_with("podsight-test-") || name.starts_with("e2e-")) {
                return false;
            }
            words.get(3) == Some(&"podsight") || words.get(2).is_some_and(|name| name.contains("podsight")) || words.get(1) == Some(&SYSTEM)
        })
        .map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
        .collect())
}

/// Waits until nothing but `rest` is there of podsight: what controllers own goes a moment later.
pub(crate) fn until_only(testbed: &Testbed, rest: &[&str]) -> Result<()> {
    let mut left = Vec::new();
    until("nothing is left of podsight", || {
        left = of_podsight(testbed)?;
        left.retain(|object| !rest.contains(&object.as_str()));
        Ok(left.is_empty().then_some(()))
    })
    .with_context(|| format!("left: {left:#?}"))
}
