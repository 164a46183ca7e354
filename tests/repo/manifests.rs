//! What the manifests must hold, each test one promise to the administrator of a cluster.

use crate::objects::{self, Object};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::admissionregistration::v1 as admission;
use k8s_openapi::api::{apps, batch, core, networking, policy, rbac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Files under deploy/ that are not for kustomize, each held by tests of its own: the chart, Prometheus' rules, krew's template.
const NO_OBJECTS: [&str; 3] = ["deploy/helm/", "deploy/observability/rules", "deploy/krew/"];

/// The objects of deploy/base.
pub(crate) fn base() -> Result<Vec<Object>> {
    objects::kustomization("deploy/base")
}

/// The one object of this kind and name.
pub(crate) fn find<'a>(objects: &'a [Object], kind: &str, name: &str) -> Result<&'a Object> {
    objects.iter().find(|object| object.kind() == kind && object.name() == name).with_context(|| format!("no {kind}/{name}"))
}

/// Every key of `given` that `kept` does not hold with the same value.
fn lost(given: &Value, kept: &Value, pointer: &str, into: &mut Vec<String>) {
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => {
            for (key, value) in given {
                let pointer = format!("{pointer}/{key}");
                match kept.get(key) {
                    Some(kept) => lost(value, kept, &pointer, into),
                    None => into.push(pointer),
                }
            }
        }
        (Value::Array(given), Value::Array(kept)) if given.len() == kept.len() => {
            for (index, (given, kept)) in given.iter().zip(kept).enumerate() {
                lost(given, kept, &format!("{pointer}/{index}"), into);
            }
        }
        (given, kept) if given == kept => {}
        _ => into.push(pointer.to_owned()),
    }
}

/// What the API's own type would drop from the object: misspelt keys, values of a wrong type.
fn dropped<T: DeserializeOwned + Serialize>(object: &Object) -> Result<Vec<String>> {
    let typed: T =
        serde_json::from_value(object.value.clone()).with_context(|| format!("{}: {}/{}", object.file, object.kind(), object.name()))?;
    let mut pointers = Vec::new();
    lost(&object.value, &serde_json::to_value(typed)?, "", &mut pointers);
    Ok(pointers)
}

#[test]
fn every_object_is_what_the_api_takes() -> Result<()> {
    for object in objects::all()? {
        let pointers = match (object.text("/apiVersion"), object.kind()) {
            ("v1", "ConfigMap") => dropped::<core::v1::ConfigMap>(&object)?,
            ("v1", "Namespace") => dropped::<core::v1::Namespace>(&object)?,
            ("v1", "Pod") => dropped::<core::v1::Pod>(&object)?,
            ("v1", "ResourceQuota") => dropped::<core::v1::ResourceQuota>(&object)?,
            ("v1", "Secret") => dropped::<core::v1::Secret>(&object)?,
            ("v1", "Service") => dropped::<core::v1::Service>(&object)?,
            ("v1", "ServiceAccount") => dropped::<core::v1::ServiceAccount>(&object)?,
            ("apps/v1", "DaemonSet") => dropped::<apps::v1::DaemonSet>(&object)?,
            ("apps/v1", "Deployment") => dropped::<apps::v1::Deployment>(&object)?,
            ("batch/v1", "CronJob") => dropped::<batch::v1::CronJob>(&object)?,
            ("batch/v1", "Job") => dropped::<batch::v1::Job>(&object)?,
            ("networking.k8s.io/v1", "NetworkPolicy") => dropped::<networking::v1::NetworkPolicy>(&object)?,
            ("policy/v1", "PodDisruptionBudget") => dropped::<policy::v1::PodDisruptionBudget>(&object)?,
            ("rbac.authorization.k8s.io/v1", "ClusterRole") => dropped::<rbac::v1::ClusterRole>(&object)?,
            ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => dropped::<rbac::v1::ClusterRoleBinding>(&object)?,
            ("rbac.authorization.k8s.io/v1", "Role") => dropped::<rbac::v1::Role>(&object)?,
            ("rbac.authorization.k8s.io/v1", "RoleBinding") => dropped::<rbac::v1::RoleBinding>(&object)?,
            ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration") => {
                dropped::<admission::MutatingWebhookConfiguration>(&object)?
            }
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration") => {
                dropped::<admission::ValidatingWebhookConfiguration>(&object)?
            }
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy") => dropped::<admission::ValidatingAdmissionPolicy>(&object)?,
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding") => {
                dropped::<admission::ValidatingAdmissionPolicyBinding>(&object)?
            }
            // Their types are not Kubernetes' own.
            ("cert-manager.io/v1" | "monitoring.coreos.com/v1" | "security.openshift.io/v1", _)
            | ("kustomize.config.k8s.io/v1alpha1", "Component") => continue,
            (version, kind) => anyhow::bail!("{}: add {version} {kind} to this list", object.file),
        };
        ensure!(pointers.is_empty(), "{}: {} has no {pointers:?}", object.file, object.kind());
    }
    Ok(())
}

#[test]
fn every_manifest_is_part_of_a_kustomization() -> Result<()> {
    let named = objects::named_files()?;
    let idle: Vec<String> = crate::repository::files()?
        .into_iter()
        .filter(|file| file.starts_with("deploy/") && crate::repository::extension(file) == "yaml")
        .filter(|file| !file.ends_with("/kustomization.yaml") && !named.contains(file))
        .filter(|file| !NO_OBJECTS.iter().any(|prefix| file.starts_with(prefix)))
        .collect();
    assert!(idle.is_empty(), "nothing installs {idle:?}");
    Ok(())
}

#[test]
fn the_base_installs_these_objects_and_no_other() -> Result<()> {
    let names: Vec<String> = base()?.iter().map(|object| format!("{}/{}", object.kind(), object.name())).collect();
    assert_eq!(
        names,
        [
            "Namespace/podsight-system",
            "ResourceQuota/podsight-critical-pods",
            "ServiceAccount/podsight-webhook",
            "ClusterRole/podsight-webhook-watches",
            "ClusterRoleBinding/podsight-webhook-watches",
            "Role/podsight-webhook-certificates",
            "RoleBinding/podsight-webhook-certificates",
            "ClusterRole/podsight-webhook-certificates",
            "ClusterRoleBinding/podsight-webhook-certificates",
            "Deployment/podsight-webhook",
            "Service/podsight-webhook",
            "PodDisruptionBudget/podsight-webhook",
            "ValidatingWebhookConfiguration/podsight-webhook",
            "MutatingWebhookConfiguration/podsight-webhook",
            "ConfigMap/podsight-history",
            "Role/podsight-webhook-history",
            "RoleBinding/podsight-webhook-history",
            "ClusterRole/podsight-webhook-history",
            "ClusterRoleBinding/podsight-webhook-history",
            "ServiceAccount/podsight-agent",
            "ClusterRole/podsight-agent",
            "ClusterRoleBinding/podsight-agent",
            "DaemonSet/podsight-agent",
            "ValidatingAdmissionPolicy/podsight-agent",
            "ValidatingAdmissionPolicyBinding/podsight-agent",
            "ValidatingAdmissionPolicy/podsight-agent-events",
            "ValidatingAdmissionPolicyBinding/podsight-agent-events",
            "NetworkPolicy/podsight-agent",
        ]
    );
    Ok(())
}

#[test]
fn every_object_carries_the_common_labels_and_lives_in_our_namespace() -> Result<()> {
    for object in base()? {
        let name = format!("{}/{}", object.kind(), object.name());
        assert_eq!(object.at("/metadata/labels/app.kubernetes.io~1name"), "podsight", "{name}");
        let cluster_wide = ["Namespace", "Cluster", "Validating", "Mutating"].iter().any(|prefix| object.kind().starts_with(prefix));
        let namespace = if cluster_wide { "" } else { "podsight-system" };
        assert_eq!(object.text("/metadata/namespace"), namespace, "{name}");
    }
    Ok(())
}

#[test]
fn selectors_name_the_component_and_never_the_version() -> Result<()> {
    let objects = base()?;
    for (kind, component, pointer) in [
        ("Deployment", "webhook", "/spec/selector/matchLabels"),
        ("PodDisruptionBudget", "webhook", "/spec/selector/matchLabels"),
        ("Service", "webhook", "/spec/selector"),
        ("DaemonSet", "agent", "/spec/selector/matchLabels"),
    ] {
        let object = find(&objects, kind, &format!("podsight-{component}"))?;
        let labels = json!({
            "app.kubernetes.io/name": "podsight",
            "app.kubernetes.io/instance": "podsight",
            "app.kubernetes.io/component": component,
        });
        assert_eq!(*object.at(pointer), labels, "{kind}");
        if object.pod_spec().is_some() {
            assert_eq!(*object.at("/spec/template/metadata/labels"), labels, "{kind}");
        }
    }
    Ok(())
}

#[test]
fn the_webhook_configuration_cannot_stop_a_cluster() -> Result<()> {
    let objects = base()?;
    let configuration = find(&objects, "ValidatingWebhookConfiguration", "podsight-webhook")?;
    let webhooks = configuration.at("/webhooks").as_array().context("no webhooks")?;
    assert_eq!(webhooks.len(), 1);
    let webhook = webhooks.first().context("no webhook")?;
    for (key, value) in [
        ("name", json!("validate.podsight.dev")),
        ("admissionReviewVersions", json!(["v1"])),
        ("failurePolicy", json!("Ignore")),
        ("timeoutSeconds", json!(2)),
        ("sideEffects", json!("None")),
        ("matchPolicy", json!("Equivalent")),
        (
            "clientConfig",
            json!({"service": {"namespace": "podsight-system", "name": "podsight-webhook", "path": "/validate", "port": 443}}),
        ),
        (
            "namespaceSelector",
            json!({"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "podsight-system"]},
                {"key": "podsight.dev/admission", "operator": "NotIn", "values": ["disabled"]},
            ]}),
        ),
    ] {
        assert_eq!(webhook[key], value, "{key}");
    }
    Ok(())
}

#[test]
fn nothing_is_changed_unless_a_namespace_asks_for_it() -> Result<()> {
    let objects = base()?;
    let configuration = find(&objects, "MutatingWebhookConfiguration", "podsight-webhook")?;
    let webhooks = configuration.at("/webhooks").as_array().context("no webhooks")?;
    assert_eq!(webhooks.len(), 1);
    let webhook = webhooks.first().context("no webhook")?;
    for (key, value) in [
        ("name", json!("mutate.podsight.dev")),
        ("admissionReviewVersions", json!(["v1"])),
        ("failurePolicy", json!("Ignore")),
        ("timeoutSeconds", json!(2)),
        ("sideEffects", json!("None")),
        ("matchPolicy", json!("Equivalent")),
        ("reinvocationPolicy", json!("IfNeeded")),
        ("clientConfig", json!({"service": {"namespace": "podsight-system", "name": "podsight-webhook", "path": "/mutate", "port": 443}})),
        (
            "namespaceSelector",
            json!({"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "podsight-system"]},
                {"key": "podsight.dev/admission", "operator": "NotIn", "values": ["disabled"]},
                {"key": "podsight.dev/mutation", "operator": "In", "values": ["enabled"]},
            ]}),
        ),
    ] {
        assert_eq!(webhook[key], value, "{key}");
    }
    for rule in configuration.at("/webhooks/0/rules").as_array().context("no rules")? {
        // What is there cannot be changed, and a subresource is no workload.
        let is_fixed =
            rule["resources"].as_array().context("no resources")?.iter().any(|resource| resource == "pods" || resource == "jobs");
        assert_eq!(rule["operations"] == json!(["CREATE"]), is_fixed, "{rule}");
        assert!(!rule["resources"].to_string().contains('/'), "{rule}");
    }
    Ok(())
}

#[test]
fn the_webhook_is_asked_about_workloads_only() -> Result<()> {
    let objects = base()?;
    let configuration = find(&objects, "ValidatingWebhookConfiguration", "podsight-webhook")?;
    let mut asked = Vec::new();
    for rule in configuration.at("/webhooks/0/rules").as_array().context("no rules")? {
        assert_eq!(rule["scope"], "Namespaced");
        assert_eq!(rule["apiVersions"], json!(["v1"]));
        for resource in rule["resources"].as_array().context("no resources")? {
            let group = rule["apiGroups"][0].as_str().context("no group")?;
            let operations = serde_json::to_string(&rule["operations"])?;
            asked.push(format!("{group}/{} {operations}", resource.as_str().context("no name")?));
        }
    }
    assert_eq!(
        asked,
        [
            r#"/pods ["CREATE","UPDATE"]"#,
            r#"/replicationcontrollers ["CREATE","UPDATE"]"#,
            r#"/pods/ephemeralcontainers ["UPDATE"]"#,
            r#"/pods/resize ["UPDATE"]"#,
            r#"apps/replicasets ["CREATE","UPDATE"]"#,
            r#"apps/deployments ["CREATE","UPDATE"]"#,
            r#"apps/statefulsets ["CREATE","UPDATE"]"#,
            r#"apps/daemonsets ["CREATE","UPDATE"]"#,
            r#"batch/jobs ["CREATE","UPDATE"]"#,
            r#"batch/cronjobs ["CREATE","UPDATE"]"#,
        ]
    );
    Ok(())
}

#[test]
fn the_webhook_never_goes_away_altogether() -> Result<()> {
    let objects = base()?;
    let deployment = find(&objects, "Deployment", "podsight-webhook")?;
    assert!(deployment.at("/spec/replicas").as_u64() >= Some(2));
    assert_eq!(*deployment.at("/spec/strategy"), json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}));
    let spread = deployment.at("/spec/template/spec/topologySpreadConstraints");
    for constraint in spread.as_array().context("no spread")? {
        assert_eq!(constraint["whenUnsatisfiable"], "ScheduleAnyway", "one node must be enough");
    }
    let budget = find(&objects, "PodDisruptionBudget", "podsight-webhook")?;
    assert_eq!(*budget.at("/spec/minAvailable"), json!(1));
    assert_eq!(*budget.at("/spec/unhealthyPodEvictionPolicy"), json!("AlwaysAllow"));
    Ok(())
}

#[test]
fn no_container_gets_more_than_it_needs() -> Result<()> {
    let objects = base()?;
    for (kind, name, pod_security, add) in [
        (
            "Deployment",
            "podsight-webhook",
            json!({
                "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            }),
            None,
        ),
        (
            "DaemonSet",
            "podsight-agent",
            json!({"runAsUser": 0, "runAsGroup": 0, "seccompProfile": {"type": "RuntimeDefault"}}),
            Some(json!(["SYSLOG"])),
        ),
    ] {
        let spec = find(&objects, kind, name)?.pod_spec().context("no pod spec")?;
        assert_eq!(spec["securityContext"], pod_security, "{name}");
        for forbidden in ["hostPID", "hostIPC", "hostNetwork", "hostUsers", "shareProcessNamespace"] {
            assert_eq!(spec[forbidden], Value::Null, "{name}: {forbidden}");
        }
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            // The one folder of the node that anything sees, see `the_agent_reads_counters_and_cannot_write_them`.
            let is_counters = name == "podsight-agent" && volume["name"] == "cgroup";
            assert_eq!(volume["hostPath"].is_null(), !is_counters, "{name}: {volume}");
        }
        let containers = spec["containers"].as_array().context("no containers")?;
        assert_eq!(containers.len(), 1, "{name}");
        for container in containers {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
            assert_ne!(security["privileged"], true, "{name}");
            assert_eq!(security["capabilities"]["drop"], json!(["ALL"]), "{name}");
            assert_eq!(security["capabilities"].get("add"), add.as_ref(), "{name}");
        }
    }
    Ok(())
}

#[test]
fn the_agent_reads_counters_and_cannot_write_them() -> Result<()> {
    let objects = base()?;
    let spec = find(&objects, "DaemonSet", "podsight-agent")?.pod_spec().context("no pod spec")?;
    assert_eq!(
        spec["volumes"],
        json!([
            {"name": "state", "emptyDir": {"sizeLimit": "4Mi"}},
            {"name": "cgroup", "hostPath": {"path": "/sys/fs/cgroup", "type": "Directory"}},
        ])
    );
    let container = &spec["containers"][0];
    assert_eq!(
        container["volumeMounts"],
        json!([
            {"name": "state", "mountPath": "/var/lib/podsight"},
            {"name": "cgroup", "mountPath": "/host/cgroup", "readOnly": true, "recursiveReadOnly": "IfPossible"},
        ])
    );
    assert!(container["args"].as_array().context("no arguments")?.contains(&json!("--cgroup-root=/host/cgroup")));
    Ok(())
}

#[test]
fn memory_is_bounded_and_the_processor_is_not_throttled() -> Result<()> {
    let objects = base()?;
    for (kind, name, memory) in [("Deployment", "podsight-webhook", "128Mi"), ("DaemonSet", "podsight-agent", "32Mi")] {
        let resources = find(&objects, kind, name)?.at("/spec/template/spec/containers/0/resources");
        assert_eq!(*resources, json!({"requests": {"cpu": "10m", "memory": memory}, "limits": {"memory": memory}}), "{name}");
    }
    Ok(())
}

#[test]
fn images_bear_the_version_of_the_workspace() -> Result<()> {
    let objects = base()?;
    for (kind, name, image) in [("Deployment", "podsight-webhook", "webhook"), ("DaemonSet", "podsight-agent", "agent")] {
        let container = find(&objects, kind, name)?.at("/spec/template/spec/containers/0");
        assert_eq!(container["image"], format!("podsight/{image}:{}", env!("CARGO_PKG_VERSION")));
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    }
    Ok(())
}

#[test]
fn the_agent_runs_on_every_linux_node() -> Result<()> {
    let objects = base()?;
    let spec = find(&objects, "DaemonSet", "podsight-agent")?.pod_spec().context("no pod spec")?;
    assert_eq!(spec["tolerations"], json!([{"operator": "Exists"}]));
    assert_eq!(spec["nodeSelector"], json!({"kubernetes.io/os": "linux"}));
    assert_eq!(spec["priorityClassName"], "system-node-critical");
    assert_eq!(spec["containers"][0]["env"], json!([{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]));
    Ok(())
}

#[test]
fn the_guards_meet_the_agent_and_nobody_else() -> Result<()> {
    let objects = base()?;
    for name in ["podsight-agent", "podsight-agent-events"] {
        let guard = find(&objects, "ValidatingAdmissionPolicy", name)?;
        assert_eq!(*guard.at("/spec/failurePolicy"), "Fail", "{name}");
        assert_eq!(
            *guard.at("/spec/matchConditions"),
            json!([{
                "name": "is-the-agent",
                "expression": "request.userInfo.username == 'system:serviceaccount:podsight-system:podsight-agent'",
            }]),
            "{name}"
        );
        for validation in guard.at("/spec/validations").as_array().context("no validations")? {
            assert!(validation["message"].is_string(), "{validation}");
            assert_eq!(validation["reason"], "Forbidden", "{validation}");
        }
        let binding = find(&objects, "ValidatingAdmissionPolicyBinding", name)?;
        assert_eq!(*binding.at("/spec"), json!({"policyName": name, "validationActions": ["Deny"]}));
    }
    Ok(())
}

#[test]
fn podsight_finds_nothing_in_its_own_manifests() -> Result<()> {
    let output = std::process::Command::new(podsight_tests::program::program("podsight-cli", "podsight")?)
        .current_dir(crate::repository::root())
        .args(["check", "--profile", "hygiene", "--lang", "en"])
        // Not the chart: its templates are no YAML, and chart.rs shows that what it gives is sound.
        .args(["deploy/base", "deploy/components", "deploy/overlays", "deploy/policy"])
        .output()
        .context("failed to run podsight")?;
    let said = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // Whatever is there was read: one workload a program, in the base and in each patch of it.
    assert!(said.starts_with("nothing found in ") && !said.contains(" 0 workloads"), "{said}");
    Ok(())
}
