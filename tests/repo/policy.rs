//! The CEL expressions under deploy/, evaluated without a cluster. The real API server judges the same cases in tests/cluster.

use crate::objects::{self, Object};
use anyhow::{Context as _, Result, anyhow};
use kube_cel::cel::{Context, Program, Value as Cel};
use serde_json::{Value, json};

/// One of the objects that the base installs.
fn installed(kind: &str, name: &str) -> Result<Object> {
    objects::kustomization("deploy/base")?
        .into_iter()
        .find(|object| object.kind() == kind && object.name() == name)
        .with_context(|| format!("the base has no {kind}/{name}"))
}

/// The variables of an admission: `request`, `object` and `oldObject`, null where a key is absent.
fn context(admission: &Value) -> Result<Context<'static>> {
    let mut context = Context::default();
    for name in ["request", "object", "oldObject"] {
        let value = admission.get(name).unwrap_or(&Value::Null);
        context.add_variable(name, value).map_err(|error| anyhow!("{name}: {error}"))?;
    }
    Ok(context)
}

/// RFC 7386, the patch that the agent sends too: null removes a key.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

fn evaluate(expression: &str, context: &Context<'_>) -> Result<Cel> {
    let program = Program::compile(expression).map_err(|error| anyhow!("{expression}: {error}"))?;
    program.execute(context).map_err(|error| anyhow!("{expression}: {error}"))
}

fn holds(expression: &str, context: &Context<'_>) -> Result<bool> {
    match evaluate(expression, context)? {
        Cel::Bool(holds) => Ok(holds),
        other => Err(anyhow!("{expression} gives {other:?}, not a boolean")),
    }
}

/// The expressions of a list and what they are called by, or what they say when they do not hold.
fn expressions<'a>(object: &'a Object, pointer: &str) -> Result<Vec<(&'a str, &'a str)>> {
    let list = object.at(pointer).as_array().with_context(|| format!("no list at {pointer}"))?;
    list.iter()
        .map(|entry| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let name = text("name").or_else(|| text("message")).context("no name and no message")?;
            Ok((name, text("expression").context("no expression")?))
        })
        .collect()
}

/// The message of the first validation that does not hold, as the API server reports it.
fn refusal(policy: &Object, admission: &Value) -> Result<Option<String>> {
    let mut context = context(admission)?;
    for (_, expression) in expressions(policy, "/spec/matchConditions")? {
        if !holds(expression, &context)? {
            return Ok(None);
        }
    }
    let mut variables = std::collections::HashMap::new();
    let named = if policy.at("/spec/variables").is_null() { Vec::new() } else { expressions(policy, "/spec/variables")? };
    for (name, expression) in named {
        variables.insert(name.to_owned(), evaluate(expression, &context)?);
    }
    context.add_variable_from_value("variables", variables);
    for (message, expression) in expressions(policy, "/spec/validations")? {
        if !holds(expression, &context)? {
            return Ok(Some(message.to_owned()));
        }
    }
    Ok(None)
}

/// A patch of `pods/status` by the agent of the pod's own node, that changes nothing yet.
fn admission() -> Value {
    let pod = json!({
        "metadata": {
            "name": "a", "namespace": "default", "labels": {"app": "a"}, "annotations": {"team": "blue"},
            "finalizers": ["example.com/keep"],
        },
        "spec": {"nodeName": "here", "containers": [{"name": "main", "image": "a:1"}]},
        "status": {"phase": "Running"},
    });
    json!({
        "request": {
            "operation": "UPDATE",
            "subResource": "status",
            "userInfo": {
                "username": "system:serviceaccount:podsight-system:podsight-agent",
                "extra": {NODE_CLAIM: ["here"]},
            },
        },
        "object": pod,
        "oldObject": pod,
    })
}

const NODE_CLAIM: &str = "authentication.kubernetes.io/node-name";

const NOT_STATUS: &str = "the agent may only patch pods/status";
const NOT_BOUND: &str = "the agent's token must be bound to a pod on a node (Kubernetes 1.30 or later)";
const NOT_ITS_NODE: &str = "the agent may only write to pods of its own node";
const NOT_ITS_ANNOTATION: &str = "the agent may only write the annotations podsight.dev/oom and podsight.dev/oom-killed";
const TOO_LONG: &str = "evidence holds at most 4096 bytes, and its sentence at most 1024";
const NOT_ITS_LABEL: &str = "the agent may only set the label podsight.dev/oom-killed, to \"true\"";
const NOT_EVIDENCE: &str = "the agent may change nothing but its evidence";

/// Changes to [`admission`], and what the guard says to them.
fn cases() -> Vec<Case> {
    let object = |patch: Value| json!({"object": patch});
    let metadata = |patch: Value| json!({"object": {"metadata": patch}});
    let annotation = |key: &str, value: Value| json!({"object": {"metadata": {"annotations": {key: value}}}});
    let label = |key: &str, value: Value| json!({"object": {"metadata": {"labels": {key: value}}}});
    let request = |patch: Value| json!({"request": patch});
    let evidence = json!({
        "annotations": {"podsight.dev/oom": "{}", "podsight.dev/oom-killed": "main: killed"},
        "labels": {"podsight.dev/oom-killed": "true"},
    });
    let bare = json!({"annotations": null, "labels": null, "finalizers": null});
    let first = json!({
        "annotations": {"team": null, "podsight.dev/oom": "{}"},
        "labels": {"app": null, "podsight.dev/oom-killed": "true"},
        "finalizers": null,
    });
    vec![
        ("nothing", json!({}), None),
        ("its evidence", metadata(evidence), None),
        ("the first annotation of a pod", json!({"object": {"metadata": first}, "oldObject": {"metadata": bare}}), None),
        (
            "newer evidence",
            json!({
                "object": {"metadata": {"annotations": {"podsight.dev/oom": "2"}}},
                "oldObject": {"metadata": {"annotations": {"podsight.dev/oom": "1"}}},
            }),
            None,
        ),
        ("evidence as long as it may be", annotation("podsight.dev/oom", json!("x".repeat(4096))), None),
        ("evidence that is longer", annotation("podsight.dev/oom", json!("x".repeat(4097))), Some(TOO_LONG)),
        ("a sentence as long as it may be", annotation("podsight.dev/oom-killed", json!("x".repeat(1024))), None),
        ("a sentence that is longer", annotation("podsight.dev/oom-killed", json!("x".repeat(1025))), Some(TOO_LONG)),
        ("a new annotation", annotation("evil", json!("1")), Some(NOT_ITS_ANNOTATION)),
        ("another annotation of ours", annotation("podsight.dev/ignore", json!("all")), Some(NOT_ITS_ANNOTATION)),
        ("a changed annotation", annotation("team", json!("red")), Some(NOT_ITS_ANNOTATION)),
        ("a removed annotation", annotation("team", Value::Null), Some(NOT_ITS_ANNOTATION)),
        ("no annotations any more", metadata(json!({"annotations": null})), Some(NOT_ITS_ANNOTATION)),
        ("a new label", label("evil", json!("1")), Some(NOT_ITS_LABEL)),
        ("a changed label", label("app", json!("b")), Some(NOT_ITS_LABEL)),
        ("a removed label", label("app", Value::Null), Some(NOT_ITS_LABEL)),
        ("its label with another value", label("podsight.dev/oom-killed", json!("no")), Some(NOT_ITS_LABEL)),
        ("the status", object(json!({"status": {"phase": "Failed"}})), Some(NOT_EVIDENCE)),
        ("the spec", object(json!({"spec": {"containers": []}})), Some(NOT_EVIDENCE)),
        ("the finalizers", metadata(json!({"finalizers": null})), Some(NOT_EVIDENCE)),
        ("the owners", metadata(json!({"ownerReferences": [{"kind": "Node"}]})), Some(NOT_EVIDENCE)),
        ("the generated name", metadata(json!({"generateName": "a-"})), Some(NOT_EVIDENCE)),
        (
            "a pod of another node",
            json!({"object": {"spec": {"nodeName": "there"}}, "oldObject": {"spec": {"nodeName": "there"}}}),
            Some(NOT_ITS_NODE),
        ),
        ("a pod without a node", json!({"oldObject": {"spec": {"nodeName": null}}}), Some(NOT_ITS_NODE)),
        ("a token of two nodes", request(json!({"userInfo": {"extra": {NODE_CLAIM: ["here", "there"]}}})), Some(NOT_ITS_NODE)),
        ("a token of no node", request(json!({"userInfo": {"extra": {NODE_CLAIM: null}}})), Some(NOT_BOUND)),
        ("a token without claims", request(json!({"userInfo": {"extra": null}})), Some(NOT_BOUND)),
        ("the pod itself", request(json!({"subResource": null})), Some(NOT_STATUS)),
        ("ephemeral containers", request(json!({"subResource": "ephemeralcontainers"})), Some(NOT_STATUS)),
        ("an eviction", json!({"request": {"operation": "CREATE", "subResource": "eviction"}, "oldObject": null}), Some(NOT_STATUS)),
        ("a creation", json!({"request": {"operation": "CREATE", "subResource": null}, "oldObject": null}), Some(NOT_STATUS)),
        ("a deletion", json!({"request": {"operation": "DELETE", "subResource": null}, "object": null}), Some(NOT_STATUS)),
        (
            "a deletion by somebody else",
            json!({
                "request": {
                    "operation": "DELETE",
                    "subResource": null,
                    "userInfo": {"username": "system:serviceaccount:default:podsight-agent"},
                },
                "object": null,
            }),
            None,
        ),
    ]
}

/// What the guard says to a change, and what was expected of it.
type Case = (&'static str, Value, Option<&'static str>);

/// Tries every case, and that each validation is the first to refuse one of them.
fn try_all(policy: &Object, admission: &Value, cases: &[Case]) -> Result<()> {
    for (name, change, expected) in cases {
        let mut changed = admission.clone();
        merge(&mut changed, change);
        assert_eq!(refusal(policy, &changed)?.as_deref(), *expected, "{name}");
    }
    for (message, _) in expressions(policy, "/spec/validations")? {
        assert!(cases.iter().any(|(_, _, expected)| *expected == Some(message)), "no case for: {message}");
    }
    Ok(())
}

#[test]
fn the_guard_lets_the_evidence_through_and_nothing_else() -> Result<()> {
    try_all(&installed("ValidatingAdmissionPolicy", "podsight-agent")?, &admission(), &cases())
}

#[test]
fn the_guard_lets_events_of_one_reason_through_and_nothing_else() -> Result<()> {
    const NOT_NEW: &str = "the agent may only create Events";
    const NOT_SIGNED: &str = "the agent may only create Events that name the node its token is bound to";
    const NOT_A_KILL: &str = "the agent may only create Warnings of the reason OOMKillConfirmed, as podsight-agent";
    let mut admission = admission();
    merge(
        &mut admission,
        &json!({
            "request": {"operation": "CREATE", "subResource": null},
            "oldObject": null,
            "object": {
                "spec": null, "status": null,
                "metadata": {"labels": null, "annotations": null, "finalizers": null},
                "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "a"},
                "reason": "OOMKillConfirmed", "type": "Warning", "message": "…",
                "source": {"component": "podsight-agent", "host": "here"},
                "reportingComponent": "podsight-agent", "reportingInstance": "here",
            },
        }),
    );
    let object = |patch: Value| json!({"object": patch});
    let request = |patch: Value| json!({"request": patch});
    let cases = [
        ("its Event", json!({}), None),
        ("another reason", object(json!({"reason": "Killing"})), Some(NOT_A_KILL)),
        ("no reason", object(json!({"reason": null})), Some(NOT_A_KILL)),
        ("no warning", object(json!({"type": "Normal"})), Some(NOT_A_KILL)),
        ("in another's name", object(json!({"reportingComponent": "kubelet"})), Some(NOT_A_KILL)),
        ("another node", object(json!({"source": {"host": "there"}, "reportingInstance": "there"})), Some(NOT_SIGNED)),
        ("two nodes", object(json!({"reportingInstance": "there"})), Some(NOT_SIGNED)),
        ("no node", object(json!({"source": null})), Some(NOT_SIGNED)),
        ("a token of no node", request(json!({"userInfo": {"extra": null}})), Some(NOT_SIGNED)),
        ("a change", request(json!({"operation": "UPDATE"})), Some(NOT_NEW)),
        ("a deletion", json!({"request": {"operation": "DELETE"}, "object": null}), Some(NOT_NEW)),
        ("another's Event", json!({"request": {"userInfo": {"username": "a"}}, "object": {"reason": "Killing"}}), None),
    ];
    try_all(&installed("ValidatingAdmissionPolicy", "podsight-agent-events")?, &admission, &cases)
}

/// Whether the webhook is asked about an admission.
fn is_asked(request: &Value, object: &Value, old: &Value) -> Result<bool> {
    let configuration = installed("ValidatingWebhookConfiguration", "podsight-webhook")?;
    let context = context(&json!({"request": request, "object": object, "oldObject": old}))?;
    for (_, expression) in expressions(&configuration, "/webhooks/0/matchConditions")? {
        if !holds(expression, &context)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn owned_by(api_version: &str, kind: &str, controller: bool) -> Value {
    let owner = json!({"apiVersion": api_version, "kind": kind, "name": "a", "uid": "u", "controller": controller});
    json!({"metadata": {"ownerReferences": [owner]}, "spec": {}})
}

#[test]
fn the_webhook_is_asked_where_somebody_may_read_the_answer() -> Result<()> {
    let create = json!({"operation": "CREATE"});
    let plain = json!({"metadata": {}, "spec": {"replicas": 1}});
    for (object, expected, name) in [
        (plain.clone(), true, "a new object"),
        (owned_by("apps/v1", "ReplicaSet", true), false, "a pod of a ReplicaSet"),
        (owned_by("batch/v1", "CronJob", true), false, "a Job of a CronJob"),
        (owned_by("v1", "Node", true), false, "a mirror pod"),
        (owned_by("argoproj.io/v1alpha1", "Rollout", true), true, "an owner that is not judged itself"),
        (owned_by("v1", "ConfigMap", false), true, "an owner that is no controller"),
    ] {
        assert_eq!(is_asked(&create, &object, &Value::Null)?, expected, "{name}");
    }

    let update = json!({"operation": "UPDATE"});
    let labelled = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1}});
    let scaled = json!({"metadata": {}, "spec": {"replicas": 2}});
    assert!(!is_asked(&update, &labelled, &plain)?, "a new label");
    assert!(is_asked(&update, &scaled, &plain)?, "a new spec");

    let before = owned_by("apps/v1", "ReplicaSet", true);
    let mut debugged = before.clone();
    merge(&mut debugged, &json!({"spec": {"ephemeralContainers": [{"name": "debug"}]}}));
    let request = json!({"operation": "UPDATE", "subResource": "ephemeralcontainers"});
    assert!(is_asked(&request, &debugged, &before)?, "kubectl debug");
    Ok(())
}
