//! `podsight doctor` on a real cluster: what is broken is found, and nothing else is.

use anyhow::{Context as _, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_tests::authority::Authority;
use podsight_tests::testbed::{Testbed, text};
use podsight_tests::turns::{Part, Turn};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

const CONFIGURATION: &str = "validatingwebhookconfiguration";

/// What the doctor finds: its checks, and its exit status.
fn doctor(testbed: &Testbed) -> Result<(BTreeSet<String>, Option<i32>)> {
    let kubectl = testbed.description.kubectl.parent().context("kubectl is in a folder")?;
    let path = format!("{}:{}", kubectl.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new(&testbed.description.podsight)
        .env("PATH", path)
        .args(["doctor", "-o", "json", "--no-probe", "--kubeconfig"])
        .arg(&testbed.description.kubeconfig)
        .output()
        .context("run podsight doctor")?;
    let report: Value = serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    ensure!(report["unread"] == json!([]), "{report:#}");
    let findings = report["findings"].as_array().context("no findings")?;
    let checks = findings.iter().filter_map(|finding| finding["check"].as_str()).map(str::to_owned).collect();
    Ok((checks, output.status.code()))
}

#[test]
fn what_is_broken_is_found() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let _agents: Vec<Turn> = testbed.description.nodes.iter().map(|node| testbed.needed(Part::Agent(node))).collect::<Result<_>>()?;
    let _webhook = testbed.disturbed(Part::Webhook)?;
    let (before, status) = doctor(&testbed)?;
    assert_eq!(status, Some(i32::from(!before.is_empty())), "{before:?}");
    let configuration = testbed.kubectl.get(&[CONFIGURATION, "podsight-webhook"])?;
    let bundle = text(&configuration, "/webhooks/0/clientConfig/caBundle").to_owned();
    let wrong = BASE64_STANDARD.encode(Authority::new()?.certificate());
    let replace = |path: &str, value: &Value| json!([{"op": "add", "path": format!("/webhooks/0/{path}"), "value": value}]);
    let old = |path: &str| configuration["webhooks"][0].pointer(&format!("/{path}")).cloned().unwrap_or_default();
    let on_configuration = |patch: &Value| {
        testbed.kubectl.run(&["patch", CONFIGURATION, "podsight-webhook", "--type=json", "-p", &patch.to_string()]).map(drop)
    };
    let mut cases = vec![
        ("failure-policy-fail", "failurePolicy", json!("Fail")),
        ("timeout-long", "timeoutSeconds", json!(30)),
        ("own-namespace-included", "namespaceSelector", json!({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]})),
    ];
    // Nothing is served where nothing runs, and then nothing can be mistrusted.
    if !bundle.is_empty() {
        cases.push(("ca-bundle-mismatch", "clientConfig/caBundle", json!(wrong)));
    }
    for (check, path, value) in cases {
        on_configuration(&replace(path, &value))?;
        let found = doctor(&testbed);
        on_configuration(&replace(path, &old(path)))?;
        let (found, status) = found?;
        assert_eq!(status, Some(1));
        assert_eq!(found.difference(&before).collect::<Vec<_>>(), [check]);
    }

    let binding = testbed.kubectl.get(&["validatingadmissionpolicybinding", "podsight-agent-events"])?;
    testbed.kubectl.run(&["delete", "validatingadmissionpolicybinding", "podsight-agent-events"])?;
    let found = doctor(&testbed);
    let mut restored = binding;
    restored["metadata"] = json!({"name": "podsight-agent-events", "labels": restored["metadata"]["labels"]});
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("binding.json");
    std::fs::write(&file, restored.to_string())?;
    testbed.kubectl.run(&["create", "-f", &file.display().to_string()])?;
    assert_eq!(found?.0.difference(&before).collect::<Vec<_>>(), ["guard-missing"]);

    assert_eq!(doctor(&testbed)?.0, before, "all is as it was");
    Ok(())
}
