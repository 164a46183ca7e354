//! Every rule that speaks by itself is right: what it flags really fails, and as it says.

use crate::each::{self, Place};
use crate::predicted::{Case, Seen, cases};
use anyhow::{Context as _, Result, bail, ensure};
use podsight_rules::{Certainty, RULES};
use podsight_spec::{read, workloads};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{Namespace, Testbed, items, text, until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Rules without a case, each with the reason.
const UNTRIED: [(&str, &str); 6] = [
    ("database-without-password", "the nodes have no registry to pull a database from"),
    ("image-not-found", "the nodes have no registry; crates/cli/tests/registry.rs asks a real one"),
    ("image-wrong-platform", "the nodes have no registry; crates/cli/tests/registry.rs asks a real one"),
    ("limit-known-too-small", "node_history.rs tries it: it takes a kill and a second apply"),
    ("missing-pull-secret", "node_explained.rs tries it: image-access-denied is a private image with a pull secret that does not exist"),
    ("taint-not-tolerated", "all nodes would have to be tainted, and other tests use them at the same time"),
];

#[test]
fn every_rule_has_a_case() -> Result<()> {
    let cases = cases()?;
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.rule.as_str()).collect();
    for rule in RULES.iter().filter(|rule| rule.certainty() >= Certainty::Likely) {
        let untried = UNTRIED.iter().any(|(id, _)| *id == rule.id());
        assert!(tried.contains(rule.id()) != untried, "{} has a case or a reason for having none", rule.id());
    }
    for case in &cases {
        let rule = podsight_rules::rule(&case.rule).with_context(|| format!("{} is named after no rule", case.name))?;
        let predicts: Vec<&str> = rule.predicts().iter().map(|cause| cause.id()).collect();
        assert!(case.cause.as_deref().is_none_or(|cause| predicts.contains(&cause)), "{}: the rule predicts {predicts:?}", case.name);
    }
    for (id, reason) in UNTRIED {
        assert!(podsight_rules::rule(id).is_some() && !reason.is_empty(), "{id} is no rule");
    }
    Ok(())
}

/// A case under way.
struct Trial<'t> {
    case: &'t Case,
    namespace: Namespace<'t>,
    deleted: bool,
    /// What `podsight explain` said last.
    explained: Vec<String>,
}

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-predicted", |place| {
        let all = cases()?;
        // Beside a storm the kernel tells of a kill without its limit.
        let mut agent = Some(place.agent_needed()?);
        let mut trials = Vec::new();
        let mut failed = BTreeMap::new();
        for case in &all {
            if let Some(program) = case.needs.iter().find(|program| !program.exists()) {
                skipped(&format!("{} needs {}", case.name, program.display()));
                continue;
            }
            match begin(place, case) {
                Ok(trial) => trials.extend(trial),
                Err(error) => drop(failed.insert(case.name.as_str(), format!("{error:#}"))),
            }
        }
        // One look at the whole cluster serves all: as many as there are would keep the machine from the pods.
        let waited = until("all that was predicted comes true", || {
            let (pods, events) = (place.testbed.kubectl.get(&["pods", "-A"])?, place.testbed.kubectl.get(&["events", "-A"])?);
            let mut open = Vec::new();
            for mut trial in trials.drain(..) {
                if !look(place.testbed, &mut trial, &pods, &events)? {
                    open.push(trial);
                }
            }
            trials = open;
            if !trials.iter().any(|trial| trial.case.is_killed()) {
                drop(agent.take());
            }
            Ok(trials.is_empty().then_some(()))
        });
        if waited.is_err() {
            for trial in &trials {
                let said = trial.namespace.kubectl(&["get", "events,pods", "-o", "wide"])?;
                let explained = format!("{:?}, predicted {:?}", trial.explained, trial.case.cause);
                failed.insert(&trial.case.name, format!("wanted {:?}, explained as {explained}\n{}", trial.case.seen, said.stdout));
            }
        }
        for trial in &trials {
            trial.release()?;
        }
        let failed: Vec<String> = failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        Ok(())
    })
}

/// Checks the case's file and applies it. What is refused at once is done.
fn begin<'t>(place: &'t Place<'_>, case: &'t Case) -> Result<Option<Trial<'t>>> {
    if !case.needs_cluster {
        flagged(place.testbed, case, &[])?;
    }
    let stem = format!("e2e-{}", case.name.replace('.', "-"));
    let namespace = place.testbed.labelled_namespace(&stem, &json!(case.labels))?;
    let said = namespace.file("case.json", &on_node(case, &place.node.name)?)?;
    let said = namespace.kubectl(&["apply", "-f", &said])?;
    let refused: Vec<&String> =
        case.seen.iter().filter_map(|seen| if let Seen::Refused { text } = seen { Some(text) } else { None }).collect();
    if refused.is_empty() {
        ensure!(said.status.success(), "it is refused: {}", said.stderr);
        if case.needs_cluster {
            let kubeconfig = place.testbed.description.kubeconfig.display().to_string();
            flagged(place.testbed, case, &["--cluster", "--kubeconfig", &kubeconfig, "-n", &namespace.name])?;
        }
        return Ok(Some(Trial { case, namespace, deleted: false, explained: Vec::new() }));
    }
    ensure!(!said.status.success(), "it is not refused");
    for text in refused {
        ensure!(said.stderr.contains(text.as_str()), "it is refused otherwise: {}", said.stderr);
    }
    Ok(None)
}

/// `podsight check` flags the file with the rule, with the cause, and with nothing else.
fn flagged(testbed: &Testbed, case: &Case, more: &[&str]) -> Result<()> {
    let file = case.file.display().to_string();
    let said = testbed.podsight(&[&["check", "-o", "json", &file], more].concat())?;
    let report: Value = serde_json::from_str(&said.stdout).with_context(|| format!("podsight check said {said:?}"))?;
    let findings = report.get("findings").and_then(Value::as_array).context("there are findings")?;
    ensure!(!findings.is_empty() && findings.iter().all(|finding| text(finding, "/rule") == case.rule), "it is flagged with {findings:?}");
    let predicts = |cause: &str| {
        let predicted = findings.iter().filter_map(|finding| finding.get("predicts").and_then(Value::as_array)).flatten();
        predicted.filter_map(Value::as_str).any(|predicted| predicted == cause)
    };
    ensure!(case.cause.as_deref().is_none_or(predicts), "its cause is not predicted: {findings:?}");
    Ok(())
}

/// The objects of the case, their pods bound to this node: the images and programs are there.
fn on_node(case: &Case, node: &str) -> Result<String> {
    let (documents, problems) = read(&std::fs::read(&case.file)?);
    ensure!(problems.is_empty(), "{problems:?}");
    let mut objects = Vec::new();
    for document in documents {
        let pods: Vec<String> = workloads(&document.value).iter().map(|workload| workload.pod_pointer.to_string()).collect();
        let mut object = document.value;
        for pod in pods {
            let pod = object.pointer_mut(&pod).and_then(Value::as_object_mut).context("the pod is an object")?;
            // What only the cluster tells never gets so far as a node.
            if !case.needs_cluster {
                pod.insert("nodeSelector".to_owned(), json!({"kubernetes.io/hostname": node}));
            }
        }
        objects.push(object.to_string());
    }
    // One after the other, as users write them: a List is validated by kubectl and not by the API server.
    Ok(objects.join("\n"))
}

/// Whether all has come that is to come; takes the next step where there is one.
fn look(testbed: &Testbed, trial: &mut Trial<'_>, pods: &Value, events: &Value) -> Result<bool> {
    let own = |list: &Value| -> Vec<Value> {
        items(list).iter().filter(|item| text(item, "/metadata/namespace") == trial.namespace.name).cloned().collect()
    };
    let (pods, events) = (own(pods), own(events));
    if trial.case.is_deleted && !trial.deleted {
        if let Some(pod) = pods.iter().find(|pod| text(pod, "/status/phase") == "Running") {
            trial.namespace.kubectl(&["delete", "pod", "--wait=false", text(pod, "/metadata/name")])?;
            trial.deleted = true;
        }
        return Ok(false);
    }
    if !trial.case.seen.iter().all(|seen| seen.is_in(&pods, &events)) {
        return Ok(false);
    }
    if let Some(cause) = &trial.case.cause {
        trial.explained = explained(testbed, &trial.namespace, &pods, &events)?;
        if trial.explained.first() != Some(cause) {
            return Ok(false);
        }
    }
    trial.release()?;
    Ok(true)
}

/// The causes that `podsight explain` finds in what the API shows, best first.
fn explained(testbed: &Testbed, namespace: &Namespace<'_>, pods: &[Value], events: &[Value]) -> Result<Vec<String>> {
    let list = |items: &[Value]| json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let (pods, events) = (namespace.file("pods.json", &list(pods))?, namespace.file("events.json", &list(events))?);
    let said = testbed.podsight(&["explain", "-f", &pods, "--events", &events, "-o", "json"])?;
    let answer: Value = serde_json::from_str(&said.stdout).with_context(|| format!("podsight explain said {said:?}"))?;
    let Some([pod]) = answer.get("pods").and_then(Value::as_array).map(Vec::as_slice) else { bail!("not one pod: {answer}") };
    let causes = pod.get("causes").and_then(Value::as_array).into_iter().flatten();
    Ok(causes.map(|cause| text(cause, "/cause").to_owned()).collect())
}

impl Trial<'_> {
    /// Lets a deleted pod go.
    fn release(&self) -> Result<()> {
        if self.case.is_deleted {
            for pod in items(&self.namespace.get(&["pods"])?) {
                let patch = r#"{"metadata":{"finalizers":null}}"#;
                self.namespace.kubectl(&["patch", "pod", text(pod, "/metadata/name"), "--type=merge", "-p", patch])?;
            }
        }
        Ok(())
    }
}

/// Says why a case is left out: at the beginning of a line, where `cargo xtask test` counts it.
#[expect(clippy::print_stdout, reason = "the harness keeps it with the test")]
fn skipped(why: &str) {
    println!("skipped: {why}");
}
