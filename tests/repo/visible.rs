//! The parts that tell of findings where no warning is seen: what each may do, and that neither is there unless it is asked for.

use crate::manifests::{base, find};
use crate::objects::{self, Object};
use anyhow::{Context as _, Result};
use podsight_cluster::Kind;
use podsight_rules::{Certainty, NoFacts, check_at_least};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The objects of a component.
fn component(name: &str) -> Result<Vec<Object>> {
    objects::kustomization(&format!("deploy/components/{name}"))
}

/// Who is bound to a role.
fn subject(objects: &[Object], kind: &str, name: &str) -> Result<Value> {
    let binding = find(objects, kind, name)?;
    assert_eq!(binding.text("/roleRef/name"), name);
    Ok(binding.at("/subjects").clone())
}

fn account(name: &str) -> Value {
    json!([{"kind": "ServiceAccount", "name": name, "namespace": "podsight-system"}])
}

#[test]
fn the_base_has_neither() -> Result<()> {
    for object in base()? {
        let text = object.value.to_string();
        let found: Vec<&str> = ["PODSIGHT_EVENTS", "NoneOnDryRun", "--reports", "\"events\"", "openreports.io"]
            .into_iter()
            // The agent's own Events.
            .filter(|word| text.contains(word) && object.text("/metadata/labels/app.kubernetes.io~1component") != "agent")
            .collect();
        assert!(found.is_empty(), "{}/{}: {found:?}", object.kind(), object.name());
    }
    Ok(())
}

#[test]
fn with_events_the_webhook_may_create_and_patch_them_and_says_that_it_does() -> Result<()> {
    let objects = component("events")?;
    let name = "podsight-webhook-events";
    assert_eq!(
        *find(&objects, "ClusterRole", name)?.at("/rules"),
        json!([{"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}])
    );
    assert_eq!(subject(&objects, "ClusterRoleBinding", name)?, account("podsight-webhook"));
    let patch = objects::documents("deploy/components/events/webhook.yaml")?;
    let env = patch.first().and_then(|patch| patch.pointer("/spec/template/spec/containers/0/env"));
    assert_eq!(env, Some(&json!([{"name": "PODSIGHT_EVENTS", "value": "true"}])));
    // A webhook that writes in a dry run too must not be asked about one (k8s.io/api/admissionregistration/v1, SideEffectClass).
    let kustomization = objects::documents("deploy/components/events/kustomization.yaml")?;
    let patches = kustomization.first().and_then(|kustomization| kustomization["patches"].as_array()).context("no patches")?;
    let patch = patches.iter().find(|patch| patch["target"]["kind"] == "ValidatingWebhookConfiguration").context("no patch")?;
    let operations = objects::parse(patch["patch"].as_str().context("no text")?)?;
    assert_eq!(operations, [json!([{"op": "replace", "path": "/webhooks/0/sideEffects", "value": "NoneOnDryRun"}])]);
    let configuration = base()?;
    let configuration = find(&configuration, "ValidatingWebhookConfiguration", "podsight-webhook")?;
    assert_eq!((configuration.text("/webhooks/0/sideEffects"), configuration.at("/webhooks/1")), ("None", &Value::Null));
    Ok(())
}

#[test]
fn the_reports_may_list_what_they_look_at_and_write_reports() -> Result<()> {
    let objects = component("reports")?;
    let name = "podsight-reports";
    let workloads = [("", "pods"), ("", "replicationcontrollers"), ("batch", "cronjobs"), ("batch", "jobs")]
        .into_iter()
        .chain(["daemonsets", "deployments", "replicasets", "statefulsets"].map(|resource| ("apps", resource)));
    let known = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Secret).map(|kind| (kind.group(), kind.plural()));
    let list = |(group, resource): (&str, &str)| (group.to_owned(), resource.to_owned(), json!(["list"]), Value::Null);
    let mut wanted: BTreeSet<(String, String, String, String)> = BTreeSet::new();
    let text = |(group, resource, verbs, names): (String, String, Value, Value)| (group, resource, verbs.to_string(), names.to_string());
    wanted.extend(workloads.chain(known).map(list).map(text));
    for (group, resource) in [("openreports.io", "reports"), ("wgpolicyk8s.io", "policyreports")] {
        wanted.insert(text((group.to_owned(), resource.to_owned(), json!(["list", "create", "update", "delete"]), Value::Null)));
    }
    wanted.insert(text(("rbac.authorization.k8s.io".to_owned(), "clusterroles".to_owned(), json!(["get"]), json!([name]))));
    let mut given = BTreeSet::new();
    for rule in find(&objects, "ClusterRole", name)?.at("/rules").as_array().context("no rules")? {
        for resource in rule["resources"].as_array().context("no resources")? {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            given.insert(text((word(&rule["apiGroups"][0]), word(resource), rule["verbs"].clone(), rule["resourceNames"].clone())));
        }
    }
    assert_eq!(given, wanted);
    assert_eq!(
        *find(&objects, "Role", name)?.at("/rules"),
        json!([{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["podsight-history"], "verbs": ["get"]}])
    );
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        assert_eq!(subject(&objects, kind, name)?, account(name));
    }
    Ok(())
}

#[test]
fn the_reports_run_beside_the_webhook_and_as_narrowly() -> Result<()> {
    let (objects, base) = (component("reports")?, base()?);
    let job = find(&objects, "CronJob", "podsight-reports")?;
    assert_eq!(job.text("/spec/concurrencyPolicy"), "Forbid");
    let template = job.at("/spec/jobTemplate/spec/template");
    let webhook = find(&base, "Deployment", "podsight-webhook")?;
    let webhook_template = webhook.at("/spec/template");
    for pointer in [
        "/spec/securityContext/runAsNonRoot",
        "/spec/securityContext/seccompProfile",
        "/spec/containers/0/securityContext",
        "/spec/containers/0/image",
        "/spec/volumes",
    ] {
        assert_eq!(template.pointer(pointer), webhook_template.pointer(pointer), "{pointer}");
        assert!(template.pointer(pointer).is_some(), "{pointer}");
    }
    // It answers nobody: the Service, the budget and the spread must not take it for a replica.
    let component = template.pointer("/metadata/labels/app.kubernetes.io~1component");
    for (kind, pointer) in [("Service", "/spec/selector"), ("PodDisruptionBudget", "/spec/selector/matchLabels")] {
        let selector = find(&base, kind, "podsight-webhook")?.at(pointer);
        assert_ne!(selector.get("app.kubernetes.io/component"), component, "{kind}");
    }
    assert_eq!(component, Some(&json!("reports")));
    let workloads = podsight_spec::workloads(&job.value);
    assert_eq!(workloads.len(), 1);
    let found: Vec<String> = workloads
        .iter()
        .flat_map(|workload| check_at_least(workload, &NoFacts, Certainty::Hint))
        .map(|finding| finding.message_en)
        .collect();
    assert_eq!(found, [""; 0], "podsight's own rules");
    Ok(())
}
