//! What a token of the agent can write, judged by the real API server.
//!
//! The pods are bound to nodes that do not exist, so that no kubelet takes part: their specs and statuses stay as they are.

use anyhow::{Context as _, Result};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Event, Namespace, Pod, ServiceAccount};
use kube::api::{DeleteParams, EvictParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, Error, ResourceExt as _};
use podsight_tests::clients;
use podsight_tests::testbed::{SYSTEM, Testbed};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

/// What the API server said: nothing, if it did what it was asked.
fn said<T>(result: std::result::Result<T, Error>) -> Result<String> {
    match result {
        Ok(_) => Ok(String::new()),
        Err(Error::Api(status)) => Ok(format!("{} {}", status.code, status.message)),
        Err(error) => Err(error).context("the API server did not answer"),
    }
}

fn object<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).context("an object of this test is not what the API takes")
}

fn pod(namespace: &str, name: &str, node: Option<&str>, account: &str) -> Result<Pod> {
    object(json!({
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "a"}, "annotations": {"team": "blue"}},
        "spec": {
            "nodeName": node,
            "serviceAccountName": account,
            "automountServiceAccountToken": false,
            "containers": [{"name": "main", "image": "a:1"}],
            // The pods are no one's: the API server takes them away at once when the test is over.
            "terminationGracePeriodSeconds": 0,
        },
    }))
}

/// The pods of the test, and clients with the tokens that are tried on them.
struct Scene {
    /// The namespace of the pods, and the name of the agent's pod.
    name: &'static str,
    admin: Client,
    bound: Client,
    unbound: Client,
}

impl Scene {
    async fn set(testbed: &Testbed, name: &'static str) -> Result<Self> {
        let admin = clients::administrator(testbed).await?;
        Self::clear(&admin, name).await?;
        let namespace: Namespace = object(json!({"metadata": {"name": name}}))?;
        Api::all(admin.clone()).create(&PostParams::default(), &namespace).await.context("create the namespace")?;
        wait_for(&Api::<ServiceAccount>::namespaced(admin.clone(), name), "default").await?;
        for (pod_name, node) in [("mine", Some("here")), ("theirs", Some("there")), ("unscheduled", None)] {
            let pod = pod(name, pod_name, node, "default")?;
            Api::namespaced(admin.clone(), name).create(&PostParams::default(), &pod).await.context("create a pod")?;
        }
        let agent = pod(SYSTEM, name, Some("here"), "podsight-agent")?;
        let agent =
            Api::namespaced(admin.clone(), SYSTEM).create(&PostParams::default(), &agent).await.context("create the agent's pod")?;
        let bound = token(&admin, Some(&agent)).await?;
        let unbound = token(&admin, None).await?;
        Ok(Self { name, bound: clients::with_token(testbed, &bound).await?, unbound: clients::with_token(testbed, &unbound).await?, admin })
    }

    /// Takes away what a run before left.
    async fn clear(admin: &Client, name: &str) -> Result<()> {
        let now = DeleteParams::default().grace_period(0);
        said(Api::<Pod>::namespaced(admin.clone(), SYSTEM).delete(name, &now).await)?;
        let pods: Api<Pod> = Api::namespaced(admin.clone(), name);
        for pod in ["mine", "theirs", "unscheduled"] {
            said(pods.delete(pod, &now).await)?;
        }
        let namespaces: Api<Namespace> = Api::all(admin.clone());
        said(namespaces.delete(name, &now).await)?;
        for _ in 0..300 {
            if namespaces.get_opt(name).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("the namespace {name} of a run before does not go away")
    }

    async fn patch(&self, client: &Client, pod: &str, patch: Value) -> Result<String> {
        let parameters = PatchParams { field_manager: Some("podsight-agent".to_owned()), ..PatchParams::default() };
        let pods: Api<Pod> = Api::namespaced(client.clone(), self.name);
        said(pods.patch_status(pod, &parameters, &Patch::Merge(patch)).await)
    }

    async fn mine(&self) -> Result<Pod> {
        Api::namespaced(self.admin.clone(), self.name).get("mine").await.context("read the pod")
    }
}

/// A token of the agent's `ServiceAccount`.
async fn token(admin: &Client, bound_to: Option<&Pod>) -> Result<String> {
    let bound_object_ref = bound_to.map(|pod| BoundObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
    });
    let spec = Some(TokenRequestSpec { bound_object_ref, ..TokenRequestSpec::default() });
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), SYSTEM);
    let response = accounts.create_token_request("podsight-agent", &PostParams::default(), &request).await.context("request a token")?;
    response.status.and_then(|status| status.token).context("no token in the answer")
}

async fn wait_for<T>(api: &Api<T>, name: &str) -> Result<()>
where
    T: Clone + DeserializeOwned + std::fmt::Debug,
{
    for _ in 0..300 {
        if api.get_opt(name).await?.is_some() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("{name} does not appear")
}

fn refused(pod: &str, message: &str) -> String {
    format!(
        "403 pods \"{pod}\" is forbidden: ValidatingAdmissionPolicy 'podsight-agent' with binding 'podsight-agent' denied request: {message}"
    )
}

#[tokio::test]
async fn a_token_of_the_agent_writes_its_evidence_and_nothing_else() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let scene = Scene::set(&testbed, "podsight-e2e-evidence").await?;
    let before = scene.mine().await?;

    let evidence = json!({"metadata": {
        "uid": before.metadata.uid,
        "annotations": {"podsight.dev/oom": "{}", "podsight.dev/oom-killed": "container main once"},
        "labels": {"podsight.dev/oom-killed": "true"},
    }});
    assert_eq!(scene.patch(&scene.bound, "mine", evidence).await?, "");
    let after = scene.mine().await?;
    let mut labels = before.labels().clone();
    labels.insert("podsight.dev/oom-killed".to_owned(), "true".to_owned());
    let mut annotations = before.annotations().clone();
    annotations.insert("podsight.dev/oom".to_owned(), "{}".to_owned());
    annotations.insert("podsight.dev/oom-killed".to_owned(), "container main once".to_owned());
    assert_eq!((after.labels(), after.annotations()), (&labels, &annotations));

    let annotation = "the agent may only write the annotations podsight.dev/oom and podsight.dev/oom-killed";
    let label = "the agent may only set the label podsight.dev/oom-killed, to \"true\"";
    let long = "evidence holds at most 4096 bytes, and its sentence at most 1024";
    let other = "the agent may change nothing but its evidence";
    for (patch, message) in [
        (json!({"metadata": {"annotations": {"evil": "1"}}}), annotation),
        (json!({"metadata": {"annotations": {"podsight.dev/ignore": "all"}}}), annotation),
        (json!({"metadata": {"annotations": {"team": "red"}}}), annotation),
        (json!({"metadata": {"annotations": {"team": null}}}), annotation),
        (json!({"metadata": {"annotations": null}}), annotation),
        (json!({"metadata": {"annotations": {"podsight.dev/oom": "x".repeat(4097)}}}), long),
        (json!({"metadata": {"labels": {"evil": "1"}}}), label),
        (json!({"metadata": {"labels": {"app": "b"}}}), label),
        (json!({"metadata": {"labels": {"app": null}}}), label),
        (json!({"metadata": {"labels": {"podsight.dev/oom-killed": "no"}}}), label),
        (json!({"status": {"phase": "Failed"}}), other),
        (json!({"metadata": {"annotations": {"podsight.dev/oom": "{}"}}, "status": {"phase": "Failed"}}), other),
        (json!({"metadata": {"finalizers": ["example.com/stay"]}}), other),
    ] {
        assert_eq!(scene.patch(&scene.bound, "mine", patch.clone()).await?, refused("mine", message), "{patch}");
    }
    // The API server itself leaves the spec and the owners as they were.
    for patch in [
        json!({"spec": {"containers": [{"name": "main", "image": "evil:1"}]}}),
        json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "a"}]}}),
    ] {
        assert_eq!(scene.patch(&scene.bound, "mine", patch.clone()).await?, "", "{patch}");
    }
    let last = scene.mine().await?;
    assert_eq!((&last.spec, &last.status), (&before.spec, &before.status));
    assert_eq!((last.labels(), last.annotations()), (&labels, &annotations));
    assert_eq!((last.owner_references(), last.finalizers()), (before.owner_references(), before.finalizers()));

    Scene::clear(&scene.admin, scene.name).await
}

#[tokio::test]
async fn a_token_of_the_agent_reaches_no_other_pod_and_no_other_verb() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let scene = Scene::set(&testbed, "podsight-e2e-reach").await?;
    let evidence = json!({"metadata": {"annotations": {"podsight.dev/oom": "{}"}}});
    let node = "the agent may only write to pods of its own node";
    assert_eq!(scene.patch(&scene.bound, "theirs", evidence.clone()).await?, refused("theirs", node));
    assert_eq!(scene.patch(&scene.bound, "unscheduled", evidence.clone()).await?, refused("unscheduled", node));
    let unbound = "the agent's token must be bound to a pod on a node (Kubernetes 1.30 or later)";
    assert_eq!(scene.patch(&scene.unbound, "mine", evidence.clone()).await?, refused("mine", unbound));

    let pods: Api<Pod> = Api::namespaced(scene.bound.clone(), scene.name);
    let cannot = |what: &str| {
        format!(
            "User \"system:serviceaccount:podsight-system:podsight-agent\" cannot {what} in API group \"\" in the namespace \"{}\"",
            scene.name
        )
    };
    assert_eq!(
        said(pods.patch("mine", &PatchParams::default(), &Patch::Merge(evidence)).await)?,
        format!("403 pods \"mine\" is forbidden: {}", cannot("patch resource \"pods\""))
    );
    assert_eq!(
        said(pods.delete("mine", &DeleteParams::default()).await)?,
        format!("403 pods \"mine\" is forbidden: {}", cannot("delete resource \"pods\""))
    );
    assert_eq!(
        said(pods.create(&PostParams::default(), &pod(scene.name, "new", None, "default")?).await)?,
        format!("403 pods is forbidden: {}", cannot("create resource \"pods\""))
    );
    assert_eq!(
        said(pods.evict("mine", &EvictParams::default()).await)?,
        format!("403 pods \"mine\" is forbidden: {}", cannot("create resource \"pods/eviction\""))
    );
    Scene::clear(&scene.admin, scene.name).await
}

#[tokio::test]
async fn a_token_of_the_agent_makes_events_of_one_reason_and_signs_them() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let scene = Scene::set(&testbed, "podsight-e2e-events").await?;
    let events: Api<Event> = Api::namespaced(scene.bound.clone(), scene.name);
    let refused = |message: &str| {
        format!(
            "403 events \"mine.1\" is forbidden: ValidatingAdmissionPolicy 'podsight-agent-events' with binding 'podsight-agent-events' denied request: {message}"
        )
    };
    let node = refused("the agent may only create Events that name the node its token is bound to");
    let reason = refused("the agent may only create Warnings of the reason OOMKillConfirmed, as podsight-agent");
    for (key, value, expected) in [
        ("reason", json!("Killing"), &reason),
        ("type", json!("Normal"), &reason),
        ("reportingComponent", json!("kubelet"), &reason),
        ("source", json!({"component": "podsight-agent", "host": "there"}), &node),
        ("reportingInstance", json!("there"), &node),
        ("message", json!("The kernel killed process work."), &String::new()),
    ] {
        let mut event = json!({
            "metadata": {"name": "mine.1", "namespace": scene.name},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": scene.name, "name": "mine"},
            "type": "Warning", "reason": "OOMKillConfirmed", "action": "Killing",
            "source": {"component": "podsight-agent", "host": "here"},
            "reportingComponent": "podsight-agent", "reportingInstance": "here",
        });
        if let Some(event) = event.as_object_mut() {
            event.insert(key.to_owned(), value);
        }
        assert_eq!(said(events.create(&PostParams::default(), &object(event)?).await)?, *expected, "{key}");
    }
    Scene::clear(&scene.admin, scene.name).await
}
