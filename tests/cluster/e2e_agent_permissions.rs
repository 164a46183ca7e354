//! What the agent's token opens, in the eyes of the API server.

use anyhow::{Context as _, Result};
use insta::assert_snapshot;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::{Api, Error};
use podsight_testbed::description::{Kind, Node};
use podsight_testbed::kubectl::Kubectl;
use podsight_tests::clients;
use podsight_tests::testbed::{Namespace, SYSTEM, Testbed, text};
use serde_json::{Value, json};

#[test]
fn rbac_lets_it_read_pods_and_write_their_status_and_events() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(node) = testbed.node(Kind::Machine) else { return Ok(()) };
    let namespace = testbed.namespace("e2e-permissions")?;
    let agent = kubectl(&testbed, &namespace, &token(&testbed, node)?)?;
    let list = agent.run(&["auth", "can-i", "--list", "--no-headers", "-n", &namespace.name])?;
    // The rest is what everybody may ask: versions, health, themselves.
    let mut own: Vec<&str> = list.lines().filter(|line| !line.starts_with(' ')).collect();
    own.sort_unstable();
    assert_snapshot!(own.join("\n"), @r#"
    clustertrustbundles.certificates.k8s.io         []                                     []    [get list watch]
    events                                          []                                     []    [create]
    pods                                            []                                     []    [list watch]
    pods/status                                     []                                     []    [patch]
    selfsubjectaccessreviews.authorization.k8s.io   []                                     []    [create]
    selfsubjectreviews.authentication.k8s.io        []                                     []    [create]
    selfsubjectrulesreviews.authorization.k8s.io    []                                     []    [create]
    "#);
    Ok(())
}

#[test]
fn the_guests_token_writes_nothing_on_the_machine() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let Some(guest) = testbed.node(Kind::Guest) else { return Ok(()) };
    let namespace = testbed.namespace("e2e-other-node")?;
    namespace.create(
        "
apiVersion: v1
kind: Pod
metadata: {name: mine}
spec:
  nodeName: machine
  terminationGracePeriodSeconds: 1
  containers:
  - {name: main, image: 'podsight.test/busybox:1', imagePullPolicy: Never, command: [sleep, '3600']}
",
    )?;
    let token = token(&testbed, guest)?;
    let said = podsight_runtime::block_on(async {
        let pods: Api<Pod> = Api::namespaced(clients::with_token(&testbed, &token).await?, &namespace.name);
        let patch = json!({"metadata": {"annotations": {"podsight.dev/oom": "{}"}}});
        let answer = pods.patch_status("mine", &PatchParams::default(), &Patch::Merge(patch)).await;
        match answer {
            Ok(_) => Ok("stored".to_owned()),
            Err(Error::Api(status)) => Ok(format!("{} {}", status.code, status.message)),
            Err(error) => Err(error).context("the API server did not answer"),
        }
    })??;
    assert_snapshot!(said, @r#"
    403 pods "mine" is forbidden: ValidatingAdmissionPolicy 'podsight-agent' with binding 'podsight-agent' denied request: the agent may only write to pods of its own node
    "#);
    Ok(())
}

/// A token like the one that the agent on this node has.
fn token(testbed: &Testbed, node: &Node) -> Result<String> {
    let agent = testbed.agent(&node.name)?;
    let bound = ["--bound-object-kind=Pod", "--bound-object-name", text(&agent, "/metadata/name")];
    let token = testbed.kubectl.run(&[&["create", "token", "podsight-agent", "-n", SYSTEM], &bound[..]].concat())?;
    Ok(token.trim().to_owned())
}

/// kubectl with a token and nothing else.
fn kubectl(testbed: &Testbed, namespace: &Namespace<'_>, token: &str) -> Result<Kubectl> {
    let administrator = std::fs::read_to_string(&testbed.description.kubeconfig).context("read the kubeconfig")?;
    let mut kubeconfig: Value = serde_json::from_str(&administrator).context("understand the kubeconfig")?;
    // Not the administrator's certificate as well: it would come first.
    *kubeconfig.pointer_mut("/users/0/user").context("the kubeconfig has a user")? = json!({"token": token});
    let file = namespace.file("token.kubeconfig", &kubeconfig.to_string())?;
    Ok(Kubectl::new(testbed.description.kubectl.clone(), file.into()))
}
