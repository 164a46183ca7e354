//! Every right of the webhook is needed: without any one of them its certificate does not come to be.

use super::installation::{Installation, LONG, MINUTE};
use anyhow::{Context as _, Result};
use podsight_testbed::wait;
use podsight_tests::testbed::Testbed;
use serde_json::Value;

/// The rights as role, resource and verb.
fn rights() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut rights: Vec<_> = ["get", "create", "patch"].map(|verb| ("Role", "secrets", verb)).into();
    for resource in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        rights.extend(["get", "patch"].map(|verb| ("ClusterRole", resource, verb)));
    }
    rights
}

#[test]
fn without_any_one_right_there_is_no_trusted_certificate() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let given = std::cell::RefCell::new(Vec::new());
    drop(Installation::create(&testbed, "e2e-all-rights", LONG, |object| given.borrow_mut().extend(listed(object)))?);
    let expected: Vec<_> = rights().into_iter().map(|(role, resource, verb)| format!("{role} {resource} {verb}")).collect();
    assert_eq!(given.into_inner(), expected, "the rights of deploy/base, each of which is tried here");
    for (number, (role, resource, verb)) in rights().into_iter().enumerate() {
        let mut installation = Installation::create(&testbed, &format!("e2e-right-{number}"), LONG, |object| {
            if object["kind"] == role {
                remove(object, resource, verb);
            }
        })?;
        installation.start(1)?;
        let replica = installation.replicas.first().context("no replica")?;
        wait::until("the replica has tried three times", MINUTE, || {
            Ok((replica.metric("podsight_webhook_certificate_errors_total")? >= 3.0).then_some(()))
        })?;
        assert!(!installation.is_trusted()?, "nobody misses {role} {resource} {verb}");
    }
    Ok(())
}

fn rules(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    object.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten()
}

fn listed(object: &mut Value) -> Vec<String> {
    let role = object["kind"].as_str().unwrap_or_default().to_owned();
    let mut listed = Vec::new();
    for rule in rules(object) {
        assert_eq!(rule["resourceNames"].as_array().map(Vec::len), Some(1), "a right is bound to a name: {rule}");
        for resource in rule["resources"].as_array().into_iter().flatten() {
            for verb in rule["verbs"].as_array().into_iter().flatten() {
                listed.push(format!("{role} {} {}", resource.as_str().unwrap_or_default(), verb.as_str().unwrap_or_default()));
            }
        }
    }
    listed
}

fn remove(object: &mut Value, resource: &str, verb: &str) {
    for rule in rules(object) {
        if rule["resources"][0] == resource
            && let Some(verbs) = rule["verbs"].as_array_mut()
        {
            verbs.retain(|given| given != verb);
        }
    }
}
