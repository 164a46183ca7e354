//! What the kernel killed is known at the next apply, even if nothing is left of it.

use crate::beside::Beside;
use crate::each::{self, Place};
use anyhow::{Context as _, Result};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{SYSTEM, items, shown, text, until};
use serde_json::{Value, json};

/// Other changes and warnings than those by history are not of interest here.
const CONFIG: &str = "rules: {termination-message-policy: off, memory-request: off, pull-never: off}\n";

#[test]
fn on_the_machine() -> Result<()> {
    each::silenced_on(Kind::Machine, "e2e-history", history)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::silenced_on(Kind::Guest, "e2e-history", history)
}

fn history(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    let beside = Beside::new(place, CONFIG)?;
    let (first, second) = (beside.start()?, beside.start()?);
    beside.ask(&first)?;
    place.namespace.create(&deployment(place, "32Mi", "first"))?;
    let again = place.namespace.file("again.json", &deployment(place, "32Mi", "second"))?;
    let apply_dry = |file: &str| place.namespace.kubectl(&["apply", "--dry-run=server", "-f", file]);
    let warned = |what: &str| until(what, || Ok(warning(&apply_dry(&again)?.stderr, "Deployment/eater")));

    // The kernel kills it, the agent writes it down, the webhook reads it: then a change that keeps the limit warns with the figures.
    warned("an apply that keeps the limit warns")?;
    let said = place.namespace.apply(&deployment(place, "32Mi", "third"))?;
    assert!(warning(&said, "Deployment/eater").is_some(), "{said}");
    // The command line sees it on the pods.
    let checked = || check(place, &again);
    assert!(checked()?.contains("limit 32Mi was too small"), "{}", checked()?);
    let lowered = place.namespace.file("lowered.json", &deployment(place, "16Mi", "third"))?;
    let said = apply_dry(&lowered)?.stderr;
    assert!(said.contains("Deployment/eater[main]: limit 16Mi: even 32Mi was too small "), "{said}");
    // Silent: another scale, a raised limit, another image.
    assert_eq!(place.namespace.kubectl(&["scale", "deployment", "eater", "--replicas=1"])?.stderr, "");
    for (limit, image) in [("128Mi", "memory-eater:1"), ("32Mi", "busybox:1")] {
        let other = deployment(place, limit, "fourth").replace("memory-eater:1", image);
        let said = apply_dry(&place.namespace.file("other.json", &other)?)?;
        assert!(said.status.success() && !said.stderr.contains("Warning"), "{}", shown(&said));
    }
    // Raised only where the object asks for it.
    let asking = deployment(place, "32Mi", "fifth")
        .replace(r#""metadata":{"name""#, r#""metadata":{"annotations":{"podsight.dev/limit-from-history":"main"},"name""#);
    let said =
        place.namespace.kubectl(&["apply", "--dry-run=server", "-o", "json", "-f", &place.namespace.file("asking.json", &asking)?])?;
    let raised: Value = serde_json::from_str(&said.stdout).with_context(|| shown(&said))?;
    assert_eq!(text(&raised, "/spec/template/spec/containers/0/resources/limits/memory"), "48Mi", "{}", said.stderr);
    assert!(said.stderr.contains("Deployment/eater[main]: raised the memory limit to 48Mi: 32Mi was too small, last "), "{}", said.stderr);
    assert!(!said.stderr.contains("[limit-known-too-small]"), "a limit that was raised is enough: {}", said.stderr);

    // A pod with enough, and a resize to what was not.
    place.namespace.apply(&deployment(place, "128Mi", "sixth"))?;
    let pod = until("a pod with the raised limit runs", || {
        let pods = place.namespace.get(&["pods", "-l", "app=eater"])?;
        let runs =
            |pod: &&Value| text(pod, "/status/phase") == "Running" && text(pod, "/spec/containers/0/resources/limits/memory") == "128Mi";
        Ok(items(&pods).iter().find(runs).map(|pod| text(pod, "/metadata/name").to_owned()))
    })?;
    let resize = |limit: &str| {
        let patch =
            json!({"spec": {"containers": [{"name": "main", "resources": {"limits": {"memory": limit}, "requests": {"memory": "16Mi"}}}]}});
        place.namespace.kubectl(&["patch", "pod", &pod, "--subresource=resize", "--dry-run=server", "-p", &patch.to_string()])
    };
    let said = resize("32Mi")?;
    assert!(warning(&said.stderr, &format!("Pod/{pod}")).is_some(), "{}", shown(&said));
    let said = resize("96Mi")?;
    assert!(said.status.success() && !said.stderr.contains("Warning"), "{}", shown(&said));

    // Everything goes: the pods, the Deployment, both replicas. What is kept tells a third.
    place.namespace.kubectl(&["delete", "deployment", "eater", "--wait=true"])?;
    until("the pods are gone", || Ok(items(&place.namespace.get(&["pods", "-l", "app=eater"])?).is_empty().then_some(())))?;
    first.end()?;
    second.end()?;
    let kept = place.testbed.kubectl.get(&["configmap", "podsight-history", "-n", SYSTEM])?;
    let kept: Value = serde_json::from_str(text(&kept, "/data/history.json")).context("a history is kept")?;
    let key = format!("{}/apps/Deployment/eater", place.namespace.name);
    let records = kept.get("workloads").and_then(|all| all.get(&key)?.get("main")?.as_array()).with_context(|| format!("{kept:#}"))?;
    let is_so = |record: &Value| record.get("limit") == Some(&json!(32 << 20)) && text(record, "/level") == "container";
    assert!(!records.is_empty() && records.iter().all(is_so), "{records:#?}");
    // And in what is kept, when they are gone.
    assert!(checked()?.contains("limit 32Mi was too small"), "{}", checked()?);
    let third = beside.start()?;
    beside.ask(&third)?;
    warned("a webhook that was started later warns")?;
    third.end()
}

/// What `podsight check --cluster` says of a file.
fn check(place: &Place<'_>, file: &str) -> Result<String> {
    let kubeconfig = place.testbed.description.kubeconfig.display().to_string();
    let said = place.testbed.podsight(&["check", "--cluster", "--kubeconfig", &kubeconfig, "-n", &place.namespace.name, file])?;
    Ok(shown(&said))
}

/// The warning about a limit of 32Mi for this object, with its figures.
fn warning(said: &str, object: &str) -> Option<String> {
    let start = format!("Warning: {object}[main]: limit 32Mi was too small ");
    let line = said.lines().find(|line| line.starts_with(&start))?;
    let (times, rest) = line.strip_prefix(&start)?.split_once(" (last 20")?;
    let is_count = matches!(times, "once" | "twice") || times.strip_suffix(" times").is_some_and(|count| count.parse::<u64>().is_ok());
    let has_figures =
        ["29Mi", "30Mi", "31Mi", "32Mi"].iter().any(|peak| rest.ends_with(&format!(", peak {peak}); try 48Mi [limit-known-too-small]")));
    (is_count && has_figures).then(|| line.to_owned())
}

fn deployment(place: &Place<'_>, limit: &str, round: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "eater"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "eater"}},
            "template": {
                "metadata": {"labels": {"app": "eater"}},
                "spec": {
                    "nodeSelector": {"kubernetes.io/hostname": place.node.name}, "terminationGracePeriodSeconds": 1,
                    "containers": [{
                        "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never",
                        "command": ["sh", "-c", "/memory-eater 64 && sleep 3600"],
                        "env": [{"name": "ROUND", "value": round}],
                        "resources": {"limits": {"memory": limit}, "requests": {"memory": "16Mi"}},
                    }],
                },
            },
        },
    })
    .to_string()
}
