//! The rights by which the webhook knows the cluster: exactly those of the kinds that it follows.

use crate::objects::{self, Object};
use anyhow::{Context as _, Result};
use podsight_cluster::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn find<'a>(objects: &'a [Object], kind: &str, name: &str) -> Result<&'a Object> {
    objects.iter().find(|object| object.kind() == kind && object.name() == name).with_context(|| format!("no {kind}/{name}"))
}

/// Group and resource of each right, which must be to list and watch and nothing else.
fn rights(role: &Object) -> Result<BTreeSet<(String, String)>> {
    let mut rights = BTreeSet::new();
    for rule in role.at("/rules").as_array().context("no rules")? {
        assert_eq!(rule.get("verbs"), Some(&json!(["list", "watch"])), "{rule}");
        let group = rule.pointer("/apiGroups/0").and_then(Value::as_str).context("no group")?;
        for resource in rule.get("resources").and_then(Value::as_array).context("no resources")? {
            rights.insert((group.to_owned(), resource.as_str().context("no name")?.to_owned()));
        }
    }
    Ok(rights)
}

fn wanted(of: impl Fn(Kind) -> bool) -> BTreeSet<(String, String)> {
    Kind::ALL.into_iter().filter(|kind| of(*kind)).map(|kind| (kind.group().to_owned(), kind.plural().to_owned())).collect()
}

#[test]
fn the_base_lets_the_webhook_see_all_kinds_but_secrets() -> Result<()> {
    let objects = objects::kustomization("deploy/base")?;
    assert_eq!(rights(find(&objects, "ClusterRole", "podsight-webhook-watches")?)?, wanted(|kind| kind != Kind::Secret));
    let binding = find(&objects, "ClusterRoleBinding", "podsight-webhook-watches")?;
    assert_eq!(*binding.at("/subjects"), json!([{"kind": "ServiceAccount", "name": "podsight-webhook", "namespace": "podsight-system"}]));
    assert_eq!(binding.text("/roleRef/name"), "podsight-webhook-watches");
    let deployment = find(&objects, "Deployment", "podsight-webhook")?;
    assert_eq!(*deployment.at("/spec/template/spec/automountServiceAccountToken"), true);
    assert!(!deployment.value.to_string().contains("PODSIGHT_WATCH_SECRETS"));
    Ok(())
}

#[test]
fn secrets_are_seen_by_a_component_of_their_own() -> Result<()> {
    let file = "deploy/components/watch-secrets/role.yaml";
    let objects: Vec<Object> = objects::documents(file)?.into_iter().map(|value| Object { file: file.to_owned(), value }).collect();
    assert_eq!(rights(find(&objects, "ClusterRole", "podsight-webhook-secrets")?)?, wanted(|kind| kind == Kind::Secret));
    let binding = find(&objects, "ClusterRoleBinding", "podsight-webhook-secrets")?;
    assert_eq!(*binding.at("/subjects"), json!([{"kind": "ServiceAccount", "name": "podsight-webhook", "namespace": "podsight-system"}]));
    let patch = objects::documents("deploy/components/watch-secrets/webhook.yaml")?;
    let env = patch.first().and_then(|patch| patch.pointer("/spec/template/spec/containers/0/env"));
    assert_eq!(env, Some(&Value::Array(vec![json!({"name": "PODSIGHT_WATCH_SECRETS", "value": "true"})])));
    Ok(())
}
