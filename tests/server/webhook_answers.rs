//! What the webhook answers and measures, with the real rules.

use crate::webhook::{Program, allowed};
use anyhow::Result;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_tests::client::Response;
use podsight_tests::review::{create, deployment, pod, update};
use serde_json::{Value, json};

/// An answer with this warning, by this rule.
fn warned(uid: &str, warning: &str, rule: &str) -> String {
    let response = json!({"uid": uid, "allowed": true, "warnings": [warning], "auditAnnotations": {"rules": rule}});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).to_string()
}

/// The same JSON, whatever the order of its fields.
fn same(left: &str, right: &str) -> Result<()> {
    assert_eq!(serde_json::from_str::<Value>(left)?, serde_json::from_str::<Value>(right)?);
    Ok(())
}

#[tokio::test]
async fn pods_and_templates_are_judged() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    let tiny = "memory limit 1Mi is too small to start";
    let container = pod("x", "1Mi").pointer("/spec/containers/0").cloned();
    let job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "default"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}}}});
    for (object, who) in [(pod("a", "1Mi"), "Pod/a"), (deployment("web", "1Mi"), "Deployment/web"), (job, "CronJob/nightly")] {
        let Response { status, close, body } = client.post("/validate", create("u-1", &object)).await?;
        assert_eq!((status, close), (200, false));
        let said: Value = serde_json::from_str(&body)?;
        let warning = said.pointer("/response/warnings/0").and_then(Value::as_str).unwrap_or_default();
        assert!(warning.starts_with(&format!("{who}[main]: {tiny}")) && warning.ends_with(" [memory-tiny]"), "{warning}");
        same(&body, &warned("u-1", warning, "memory-tiny"))?;
    }
    for sound in [pod("a", "256Mi"), deployment("web", "256Mi")] {
        assert_eq!(client.post("/validate", create("u-2", &sound)).await?.body, allowed("u-2"));
    }
    // A change of something else is no news; a smaller limit is.
    let mut scaled = deployment("web", "1Mi");
    if let Some(replicas) = scaled.pointer_mut("/spec/replicas") {
        *replicas = json!(9);
    }
    assert_eq!(client.post("/validate", update("u-3", &scaled, &deployment("web", "1Mi"))).await?.body, allowed("u-3"));
    let lowered = client.post("/validate", update("u-4", &deployment("web", "1Mi"), &deployment("web", "256Mi"))).await?;
    assert!(lowered.body.contains("Deployment/web[main]: "), "{}", lowered.body);
    Ok(())
}

#[tokio::test]
async fn changes_are_answered_as_a_patch() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    let object = deployment("web", "256Mi");
    let answer: Value = serde_json::from_str(&client.post("/mutate", create("u-1", &object)).await?.body)?;
    let patch = answer.pointer("/response/patch").and_then(Value::as_str).unwrap_or_default();
    let patch: json_patch::Patch = serde_json::from_slice(&BASE64_STANDARD.decode(patch)?)?;
    let mut changed = object.clone();
    json_patch::patch(&mut changed, &patch)?;
    let policy = "/spec/template/spec/containers/0/terminationMessagePolicy";
    assert_eq!(changed.pointer(policy), Some(&json!("FallbackToLogsOnError")));
    let record = json!([{"path": policy, "from": null, "to": "FallbackToLogsOnError", "rule": "termination-message-policy"}]);
    let recorded = changed.pointer("/metadata/annotations/podsight.dev~1mutated").and_then(Value::as_str).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Value>(recorded)?, record);
    let response = json!({
        "uid": "u-1", "allowed": true, "patchType": "JSONPatch", "patch": answer.pointer("/response/patch"),
        "warnings": ["Deployment/web[main]: set terminationMessagePolicy to FallbackToLogsOnError [termination-message-policy]"],
        "auditAnnotations": {"rules": "termination-message-policy"},
    });
    assert_eq!(answer.get("response"), Some(&response));
    // Once is enough; and an update that leaves the pods as they are replaces none.
    assert_eq!(client.post("/mutate", create("u-2", &changed)).await?.body, allowed("u-2"));
    let mut scaled = object.clone();
    if let Some(replicas) = scaled.pointer_mut("/spec/replicas") {
        *replicas = json!(9);
    }
    assert_eq!(client.post("/mutate", update("u-3", &scaled, &object)).await?.body, allowed("u-3"));
    for odd in [json!({"kind": "Odd"}), json!({"kind": "Pod", "metadata": 7, "spec": {"containers": [7]}}), Value::Null] {
        assert_eq!(client.post("/mutate", create("u-4", &odd)).await?.body, allowed("u-4"), "{odd}");
    }
    assert_eq!(client.post("/mutate", "{}").await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn the_configuration_is_followed() -> Result<()> {
    let program = Program::start_with(Some("rules: {memory-tiny: deny}\n")).await?;
    let applied = "podsight_webhook_config_problems 0\n";
    program.wait_for("/metrics", |response| response.body.contains(applied)).await?;
    let mut client = program.connect().await?;
    let body = create("u-1", &pod("a", "1Mi"));
    let denied: Value = loop {
        // The file is read beside the certificate, and nothing says when.
        let answer: Value = serde_json::from_str(&client.post("/validate", &body).await?.body)?;
        if answer.pointer("/response/allowed") == Some(&json!(false)) {
            break answer;
        }
    };
    let warning = denied.pointer("/response/warnings/0").and_then(Value::as_str).unwrap_or_default();
    let status = json!({"code": 403, "reason": "Forbidden", "message": warning});
    let response =
        json!({"uid": "u-1", "allowed": false, "status": status, "warnings": [warning], "auditAnnotations": {"rules": "memory-tiny"}});
    assert_eq!(denied, json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}));

    // A mistake is reported, and what is sound applies; the server stays.
    program.configure("rules:\n  memory-tiny: off\n  memory-tinny: off\n")?;
    program.wait_for("/metrics", |response| response.body.contains("podsight_webhook_config_problems 1\n")).await?;
    assert_eq!(client.post("/validate", &body).await?.body, allowed("u-1"));
    program.configure("rules: {memory-tiny: off\n")?;
    let mut log = Vec::new();
    for _ in 0..500 {
        log.extend(program.log());
        if log.iter().any(|line| line.contains("Kept the configuration in use: the file cannot be understood.")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let problems: Vec<String> =
        log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()?.get("problem")?.as_str().map(ToOwned::to_owned)).collect();
    let [misspelt, broken] = problems.as_slice() else { anyhow::bail!("{problems:#?}") };
    assert_eq!(misspelt, "line 3: unknown rule `memory-tinny`; the nearest valid name is `memory-tiny`");
    assert!(broken.starts_with("line "), "{broken}");
    // Nothing of the broken file applies: what was applied last holds.
    assert_eq!(client.post("/validate", &body).await?.body, allowed("u-1"));
    // A namespace of its own, by its name; its labels are not known without a cluster.
    let levels = "namespaces:\n- selector: {matchLabels: {kubernetes.io/metadata.name: default}}\n  rules: {memory-tiny: deny}\n";
    for (levels, denied) in [
        (levels.to_owned(), true),
        (levels.replace("default}", "other}"), false),
        (levels.replace("kubernetes.io/metadata.name: default", "env: prod"), false),
    ] {
        program.configure(&levels)?;
        loop {
            let answer: Value = serde_json::from_str(&client.post("/validate", &body).await?.body)?;
            let has_warning = answer.pointer("/response/warnings").is_some();
            if has_warning && answer.pointer("/response/allowed") == Some(&json!(!denied)) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_log_level_changes_while_it_runs() -> Result<()> {
    let program = Program::start().await?;
    assert_eq!(program.admin("/log").await?.body, "kube_runtime=error,info\n");
    let put = |level: &str| format!("PUT /log HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{level}", level.len());
    let mut admin = podsight_tests::client::Client::plain(program.admin).await?;
    for (level, status, body) in [
        ("debug", 200, "debug\n"),
        (
            "loud",
            400,
            "a log filter is a level (error, warn, info, debug, trace, off) or levels by module, as in `info,podsight_webhook=debug`\n",
        ),
        ("info,podsight_webhook=trace", 200, "podsight_webhook=trace,info\n"),
    ] {
        admin.send(put(level).as_bytes()).await?;
        assert_eq!(admin.response().await?, Response { status, close: false, body: body.to_owned() });
    }
    Ok(())
}

#[tokio::test]
async fn metrics_are_whole() -> Result<()> {
    let program = Program::start().await?;
    let mut client = program.connect().await?;
    for object in [pod("a", "1Mi"), pod("b", "256Mi"), deployment("c", "1Mi"), json!({"kind": "Odd", "metadata": {"name": "d"}})] {
        client.post("/validate", create("u-1", &object)).await?;
    }
    client.post("/validate", "{}").await?;
    let text = program.admin("/metrics").await?.body;
    let mut stable = Vec::new();
    for line in text.lines() {
        let (name, value) = line.rsplit_once(' ').unwrap_or((line, ""));
        let measured = ["process_", "podsight_webhook_review_duration_seconds", "podsight_webhook_certificate_expires_in_seconds"];
        if measured.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with("_count") {
            assert!(value.parse::<f64>().is_ok(), "{line}");
            stable.push(format!("{name} …"));
        } else {
            stable.push(line.to_owned());
        }
    }
    // The samples of a family stand in no order.
    for family in stable.split_mut(|line| line.starts_with('#')) {
        if !family.iter().any(|line| line.contains("_bucket{")) {
            family.sort_unstable();
        }
    }
    insta::assert_snapshot!(stable.join("\n"));
    Ok(())
}
