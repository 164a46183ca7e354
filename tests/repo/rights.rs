//! What each identity may do, rule by rule: nothing is granted that is not written down here.

use crate::manifests::{base, find};
use anyhow::Result;
use serde_json::json;

#[test]
fn the_webhooks_rights_for_its_certificate_are_bound_to_names() -> Result<()> {
    let objects = base()?;
    let configurations = |resource: &str| json!({"apiGroups": ["admissionregistration.k8s.io"], "resources": [resource], "resourceNames": ["podsight-webhook"], "verbs": ["get", "patch"]});
    let name = "podsight-webhook-certificates";
    assert_eq!(
        *find(&objects, "Role", name)?.at("/rules"),
        json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["get", "create", "patch"]}])
    );
    assert_eq!(
        *find(&objects, "ClusterRole", name)?.at("/rules"),
        json!([configurations("validatingwebhookconfigurations"), configurations("mutatingwebhookconfigurations")])
    );
    for (kind, role) in [("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")] {
        let binding = find(&objects, kind, name)?;
        assert_eq!(
            *binding.at("/subjects"),
            json!([{"kind": "ServiceAccount", "name": "podsight-webhook", "namespace": "podsight-system"}])
        );
        assert_eq!(*binding.at("/roleRef"), json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name}));
    }
    // Pods of other Deployments under this name have to ask.
    assert_eq!(*find(&objects, "ServiceAccount", "podsight-webhook")?.at("/automountServiceAccountToken"), false);
    let deployment = find(&objects, "Deployment", "podsight-webhook")?;
    assert_eq!(*deployment.at("/spec/template/spec/automountServiceAccountToken"), true);
    Ok(())
}

#[test]
fn the_webhook_reads_killed_pods_and_keeps_one_object() -> Result<()> {
    let objects = base()?;
    assert_eq!(*find(&objects, "ServiceAccount", "podsight-webhook")?.at("/automountServiceAccountToken"), false);
    assert_eq!(
        *find(&objects, "ClusterRole", "podsight-webhook-history")?.at("/rules"),
        json!([
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
            {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get"]},
            {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["replicationcontrollers"], "verbs": ["get"]},
        ])
    );
    assert_eq!(
        *find(&objects, "Role", "podsight-webhook-history")?.at("/rules"),
        json!([{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["podsight-history"], "verbs": ["get", "update"]}])
    );
    for (kind, role) in [("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")] {
        let binding = find(&objects, kind, "podsight-webhook-history")?;
        let subjects = json!([{"kind": "ServiceAccount", "name": "podsight-webhook", "namespace": "podsight-system"}]);
        assert_eq!(*binding.at("/subjects"), subjects);
        assert_eq!(
            *binding.at("/roleRef"),
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": "podsight-webhook-history"})
        );
    }
    // The object is there from the installation on, and what the webhook writes is not taken back by the next `kubectl apply`.
    assert!(find(&objects, "ConfigMap", "podsight-history")?.at("/data").is_null());
    assert_eq!(podsight_history::CONFIG_MAP, "podsight-history");
    Ok(())
}

#[test]
fn the_agent_has_three_rights() -> Result<()> {
    let objects = base()?;
    assert_eq!(
        *find(&objects, "ClusterRole", "podsight-agent")?.at("/rules"),
        json!([
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
            {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["patch"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
        ])
    );
    let binding = find(&objects, "ClusterRoleBinding", "podsight-agent")?;
    assert_eq!(*binding.at("/subjects"), json!([{"kind": "ServiceAccount", "name": "podsight-agent", "namespace": "podsight-system"}]));
    assert_eq!(*binding.at("/roleRef"), json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "podsight-agent"}));
    Ok(())
}
