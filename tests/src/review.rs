//! `AdmissionReviews` as an API server writes them.

use serde_json::{Value, json};

/// A review of an object that is created.
pub fn create(uid: &str, object: &Value) -> String {
    review(uid, "CREATE", object, &Value::Null)
}

/// A review of an object that is changed.
pub fn update(uid: &str, object: &Value, old: &Value) -> String {
    review(uid, "UPDATE", object, old)
}

/// A review. The order of the fields is Go's: that of `k8s.io/api/admission/v1/types.go`.
fn review(uid: &str, operation: &str, object: &Value, old: &Value) -> String {
    let (group, version) = object["apiVersion"].as_str().unwrap_or("v1").rsplit_once('/').unwrap_or(("", "v1"));
    let kind = object["kind"].as_str().unwrap_or_default();
    let kind_value = json!({"group": group, "version": version, "kind": kind});
    let resource = json!({"group": group, "version": version, "resource": format!("{}s", kind.to_lowercase())});
    let name = object.pointer("/metadata/name").unwrap_or(&Value::Null);
    let options = if operation == "CREATE" { "CreateOptions" } else { "UpdateOptions" };
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{uid}","kind":{kind_value},"resource":{resource},"requestKind":{kind_value},"requestResource":{resource},"name":{name},"namespace":"default","operation":"{operation}","userInfo":{{"username":"kubernetes-admin","groups":["kubeadm:cluster-admins","system:authenticated"]}},"object":{object},"oldObject":{old},"dryRun":false,"options":{{"kind":"{options}","apiVersion":"meta.k8s.io/v1","fieldManager":"kubectl-client-side-apply","fieldValidation":"Strict"}}}}}}"#
    )
}

/// A pod with one container that has this memory limit.
pub fn pod(name: &str, memory_limit: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": pod_spec(memory_limit)})
}

/// A Deployment whose container has this memory limit.
pub fn deployment(name: &str, memory_limit: &str) -> Value {
    let labels = json!({"app": name});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(memory_limit)}}})
}

fn pod_spec(memory_limit: &str) -> Value {
    json!({"containers": [{"name": "main", "image": "registry.example.com/team/app:1.2.3",
        "resources": {"limits": {"memory": memory_limit}, "requests": {"memory": memory_limit, "cpu": "100m"}}}]})
}

/// A pod as large as they are in practice, with all that the API server adds: some 10 KB with 3 containers.
pub fn grown_pod(name: &str, containers: usize) -> Value {
    let containers: Vec<Value> = (0..containers).map(grown_container).collect();
    let last_applied = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": "0b5f6c7e-8f57-4d3c-9a52-1f8e1a2b3c4d",
            "creationTimestamp": "2026-11-20T08:00:00Z", "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last_applied.to_string()},
            "managedFields": [{"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1",
                "time": "2026-11-20T08:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": managed(&json!({"spec": {"containers": containers}}))}]},
        "spec": {"containers": containers, "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "serviceAccountName": "shop",
            "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler", "enableServiceLinks": true,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "volumes": [{"name": "config", "configMap": {"name": "shop", "defaultMode": 420}}]},
        "status": {"phase": "Pending", "qosClass": "Burstable"}})
}

fn grown_container(number: usize) -> Value {
    let environment: Vec<Value> = (0..8)
        .map(|index| json!({"name": format!("SETTING_{index}"), "value": format!("https://service-{index}.shop.svc:8443/v1")}))
        .collect();
    json!({"name": format!("part-{number}"), "image": format!("registry.example.com/shop/part-{number}:2026.11.{number}"),
        "command": ["/usr/bin/java"], "args": ["-Xms256m", "-Xmx384m", "-jar", "/app/part.jar"], "env": environment,
        "ports": [{"name": "https", "containerPort": 8443, "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "1", "memory": "768Mi"}, "requests": {"cpu": "100m", "memory": "512Mi"}},
        "livenessProbe": {"httpGet": {"path": "/livez", "port": "https", "scheme": "HTTPS"}, "periodSeconds": 10, "timeoutSeconds": 1,
            "successThreshold": 1, "failureThreshold": 3, "initialDelaySeconds": 30},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "https", "scheme": "HTTPS"}, "periodSeconds": 5, "timeoutSeconds": 1,
            "successThreshold": 1, "failureThreshold": 3},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/shop", "readOnly": true}],
        "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent"})
}

/// The shape of `fieldsV1` for a value.
fn managed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (format!("f:{key}"), managed(value))).collect(),
        Value::Array(items) => items.iter().map(|item| (format!("k:{{\"name\":{}}}", item["name"]), managed(item))).collect(),
        _ => json!({}),
    }
}
