//! What the webhook knows of a cluster, and what it says while it does not know it.

use crate::cluster_objects::{ClusterObjects, kubeconfig};
use crate::webhook::{Program, allowed};
use anyhow::Result;
use podsight_tests::review::create;
use serde_json::{Value, json};

fn object(namespace: &str, name: &str, more: &Value) -> Value {
    let mut object = json!({"metadata": {"name": name, "namespace": namespace, "resourceVersion": "2"}});
    if let (Some(fields), Some(more)) = (object.as_object_mut(), more.as_object()) {
        fields.extend(more.clone());
    }
    object
}

/// A pod that takes a key of a Secret and one of a ConfigMap.
fn pod(secret: &str, config: &str) -> Value {
    let from = |kind: &str, name: &str| json!({"name": kind, "valueFrom": {kind: {"name": name, "key": "password"}}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"name": "main", "image": "example.com/app:1.0",
        "command": ["serve"], "env": [from("secretKeyRef", secret), from("configMapKeyRef", config)]}]}})
}

/// The warnings about a pod.
async fn said(program: &Program, pod: &Value) -> Result<Vec<String>> {
    let response = program.connect().await?.post("/validate", create("u-1", pod)).await?;
    let answer: Value = serde_json::from_str(&response.body)?;
    assert_eq!(answer["response"]["allowed"], true);
    Ok(answer["response"]["warnings"].as_array().into_iter().flatten().map(|warning| warning.as_str().unwrap().to_owned()).collect())
}

/// Waits until all objects of the kind are known, or none is known to be absent.
async fn until_complete(program: &Program, kind: &str, complete: bool) -> Result<()> {
    let sample = format!("podsight_webhook_watched_completely{{kind=\"{kind}\"}} {}\n", i32::from(complete));
    program.wait_for("/metrics", |response| response.body.contains(&sample)).await?;
    Ok(())
}

async fn start(objects: &ClusterObjects, folder: &tempfile::TempDir) -> Result<Program> {
    let path = folder.path().join("kubeconfig");
    kubeconfig(&path, objects.serve().await?)?;
    Program::start_as(None, |command| {
        command.env("KUBECONFIG", &path).arg("--watch-secrets");
    })
    .await
}

#[tokio::test]
async fn it_follows_what_changes_and_says_nothing_of_what_it_may_not_read() -> Result<()> {
    let (objects, folder) = (ClusterObjects::default(), tempfile::tempdir()?);
    // ConfigMaps may not be listed.
    objects.set("secrets", vec![object("shop", "db", &json!({"data": {"password": "aHVudGVyMg=="}}))]);
    let program = start(&objects, &folder).await?;
    until_complete(&program, "Secret", true).await?;
    until_complete(&program, "ConfigMap", false).await?;
    assert_eq!(said(&program, &pod("db", "settings")).await?, [""; 0]);
    let missing = "Pod/web[main]: CreateContainerConfigError: Secret dc is not there now [missing-config-ref]";
    assert_eq!(said(&program, &pod("dc", "settings")).await?, [missing]);

    objects.tell("secrets", "ADDED", &object("shop", "dc", &json!({"data": {"passwort": ""}})));
    let key = "Pod/web[main]: CreateContainerConfigError: Secret dc has no key password [missing-config-ref]";
    while said(&program, &pod("dc", "settings")).await? != [key] {}
    objects.tell("secrets", "MODIFIED", &object("shop", "dc", &json!({"data": {"password": ""}})));
    while !said(&program, &pod("dc", "settings")).await?.is_empty() {}
    objects.tell("secrets", "DELETED", &object("shop", "dc", &json!({})));
    while said(&program, &pod("dc", "settings")).await? != [missing] {}

    // With the API server away nothing is known to be absent, and afterwards it is again.
    objects.set_away(true);
    until_complete(&program, "Secret", false).await?;
    assert_eq!(said(&program, &pod("dc", "settings")).await?, [""; 0]);
    objects.set_away(false);
    until_complete(&program, "Secret", true).await?;
    assert_eq!(said(&program, &pod("dc", "settings")).await?, [missing]);

    let log = program.log();
    let about = |resource: &str| {
        log.iter().filter(|line| line.contains("nothing is said about them") && line.contains(&format!("\"{resource}\""))).count()
    };
    assert_eq!((about("configmaps"), about("secrets")), (1, 0), "{log:#?}");
    Ok(())
}

#[tokio::test]
async fn without_a_cluster_it_answers_from_the_review_alone() -> Result<()> {
    let program = Program::start().await?;
    assert_eq!(program.connect().await?.post("/validate", create("u-2", &pod("db", "settings"))).await?.body, allowed("u-2"));
    Ok(())
}

#[tokio::test]
async fn fifty_thousand_names_take_little_memory() -> Result<()> {
    let (objects, folder) = (ClusterObjects::default(), tempfile::tempdir()?);
    let many = |count: usize, stem: &str, more: &Value| -> Vec<Value> {
        (0..count).map(|number| object(&format!("team-{}", number % 200), &format!("{stem}-{number}-5f6d8c7b9d"), more)).collect()
    };
    let keys = json!({"data": {"application.yaml": "x".repeat(600), "logging.properties": "x".repeat(200), "url": "x", "password": "x"}});
    objects.set("configmaps", many(20_000, "configuration", &keys));
    objects.set("secrets", many(20_000, "credentials", &keys));
    objects.set("serviceaccounts", many(10_000, "service-account", &json!({})));
    let program = start(&objects, &folder).await?;
    for kind in ["ConfigMap", "Secret", "ServiceAccount"] {
        let sample = format!("podsight_webhook_watched_completely{{kind=\"{kind}\"}} 1\n");
        while !program.admin("/metrics").await?.body.contains(&sample) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let resident_mib = program.resident_kib()? / 1024;
    println!("resident with 50,000 names: {resident_mib} MiB");
    assert!(resident_mib <= 64, "{resident_mib} MiB");
    assert!(objects.most_at_once() <= 100, "{} objects in one page", objects.most_at_once());
    Ok(())
}
