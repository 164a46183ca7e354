//! The real API server looks at every object that can be installed.

use anyhow::{Context as _, Result, ensure};
use podsight_testbed::command;
use podsight_tests::checkers;
use podsight_tests::testbed::Testbed;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Kinds that the API server has only where others have installed them; tests/repo holds them against kustomize's and Helm's.
const FOREIGN: [&str; 3] = ["cert-manager.io/", "monitoring.coreos.com/", "security.openshift.io/"];

/// Fails if the API server would refuse an object of any overlay or any set of values. Nothing of podsight may be in the cluster
/// but its namespace: an object that is there would be merged with what is tried.
pub(crate) fn takes_everything(testbed: &Testbed, helm: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let deploy = podsight_testbed::folders::repository()?.join("deploy");
    for overlay in ["base", "overlays/cert-manager", "overlays/kmsg", "overlays/local", "overlays/openshift", "observability"] {
        let text = testbed.kubectl.run(&["kustomize", &deploy.join(overlay).display().to_string()])?;
        dry_run(testbed, folder.path(), overlay, &text)?;
    }
    let chart = checkers::chart()?;
    for entry in fs::read_dir(chart.join("ci")).context("read ci/")? {
        let values = entry?.path();
        let mut helm = checkers::helm(helm, folder.path());
        helm.args(["template", "podsight", "--namespace", "podsight-system", "--values"]).arg(&values).arg(&chart);
        dry_run(testbed, folder.path(), &values.display().to_string(), &command::run(&mut helm)?)?;
    }
    Ok(())
}

/// Applies what the API server knows, and stores nothing. Unknown and doubled fields are errors.
fn dry_run(testbed: &Testbed, folder: &Path, what: &str, text: &str) -> Result<()> {
    let known: Vec<&str> = text
        .split("\n---\n")
        .filter(|document| !document.lines().any(|line| FOREIGN.iter().any(|group| line.starts_with(&format!("apiVersion: {group}")))))
        .filter(|document| document.lines().any(|line| line.starts_with("kind: ")))
        .collect();
    ensure!(!known.is_empty(), "{what} gives nothing");
    let file = folder.join("objects.yaml");
    fs::write(&file, known.join("\n---\n")).context("write the objects")?;
    let file = file.display().to_string();
    let arguments = ["apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict", "-f", &file];
    let said = testbed.kubectl.output(&arguments)?;
    ensure!(said.status.success(), "{what}: the API server refuses an object:\n{}", said.stderr);
    // One line an object, and no warning: the API server has something to say about what is deprecated or doubtful.
    ensure!(said.stdout.lines().count() == known.len(), "{what}: {} objects, and the answer is\n{}", known.len(), said.stdout);
    ensure!(!said.stderr.contains("Warning:"), "{what}: {}", said.stderr);
    Ok(())
}

#[test]
fn podsight_finds_nothing_in_what_kustomize_gives() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let folder = tempfile::tempdir().context("make a folder")?;
    let deploy = podsight_testbed::folders::repository()?.join("deploy");
    for overlay in ["base", "overlays/cert-manager", "overlays/kmsg", "overlays/openshift"] {
        let file = folder.path().join("objects.yaml");
        fs::write(&file, testbed.kubectl.run(&["kustomize", &deploy.join(overlay).display().to_string()])?).context("write the objects")?;
        let mut podsight = Command::new(&testbed.description.podsight);
        let said = command::run(podsight.args(["check", "--profile", "hygiene", "--lang", "en"]).arg(&file))?;
        assert_eq!(said, "nothing found in 2 workloads of 1 file\n", "{overlay}");
    }
    Ok(())
}
