//! A pod that is gone before anything can be written on it: Events on its owner and on the node tell of it.

use crate::each::{self, Place};
use crate::hand;
use anyhow::{Context as _, Result, ensure};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{items, text, until};
use serde_json::{Value, json};

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-gone", |place| deleted(place).and_then(|()| never_seen(place)))
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-gone", |place| deleted(place).and_then(|()| never_seen(place)))
}

/// Is at its limit as soon as it is told to go, without another program: with `--force` the API server has forgotten the pod by then, and the kubelet
/// waits a second. In that a busy emulated node writes a mebibyte or two.
const SPITEFUL: &str = "trap 'printf %8000000s >/dev/shm/more' TERM
head -c 28m /dev/zero >/dev/shm/held
usage=/sys/fs/cgroup/memory.current
[ -f $usage ] || usage=/sys/fs/cgroup/memory/memory.usage_in_bytes
while [ $(cat $usage) -lt 32200000 ]; do head -c 64k /dev/zero >>/dev/shm/held; done
touch /dev/shm/ready
sleep 3600 & wait; wait";

fn deleted(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    place.namespace.create(
        &json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "owner"},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "owner"}}, "template": {
                "metadata": {"labels": {"app": "owner"}},
                "spec": {
                    "nodeSelector": {"kubernetes.io/hostname": place.node.name},
                    "containers": [{
                        "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never",
                        "command": ["sh", "-c", SPITEFUL], "resources": {"limits": {"memory": "32Mi"}},
                    }],
                },
            }},
        })
        .to_string(),
    )?;
    let pod = until("the owner's pod runs", || {
        let pods = place.namespace.get(&["pods", "-l", "app=owner"])?;
        Ok(items(&pods).first().filter(|pod| text(pod, "/status/phase") == "Running").cloned())
    })?;
    let (name, uid) = (text(&pod, "/metadata/name"), text(&pod, "/metadata/uid"));
    hand::run(place, "ready", &format!("until (cd /proc/$(processes {uid} sh)/root && ls dev/shm/ready); do sleep 0.2; done"))?;
    // No node takes its like, which comes at once. With no replicas the pod would be told to go while it is still there.
    let patch = r#"{"spec":{"template":{"spec":{"nodeSelector":{"podsight.test/nowhere":"true"}}}}}"#;
    let patched = place.namespace.kubectl(&["patch", "replicaset", "owner", "-p", patch])?;
    ensure!(patched.status.success(), "{}", patched.stderr);
    let deleted = place.namespace.kubectl(&["delete", "pod", name, "--grace-period=0", "--force", "--ignore-not-found"])?;
    ensure!(deleted.status.success(), "{}", deleted.stderr);

    let about = format!("(pod {}/{name}, which is gone)", place.namespace.name);
    let of_owner = until_told(place, &place.namespace.name, "ReplicaSet", "owner", &about)?;
    let uid = text(&place.namespace.get(&["replicaset", "owner"])?, "/metadata/uid").to_owned();
    assert_eq!(text(&of_owner, "/involvedObject/uid"), uid);
    let of_node = until_told(place, "default", "Node", &place.node.name, &about)?;
    assert_eq!(text(&of_node, "/message"), text(&of_owner, "/message"));
    assert!(text(&of_node, "/message").contains("in container main: the container reached its memory limit of 32Mi [oom-container-limit]"));
    Ok(())
}

/// A pod's cgroup, as the kubelet would make it, for a pod that the API server does not know.
const STRANGER: &str = r#"
base=/proc/1/root/sys/fs/cgroup
limit=memory.max
if [ -d $base/memory ]; then base=$base/memory limit=memory.limit_in_bytes; fi
down=$base/NAME
mkdir $down
for inner in kubepods podUID CONTAINER; do
  if [ $limit = memory.max ]; then echo +memory >$down/cgroup.subtree_control; fi
  down=$down/$inner
  mkdir $down
done
echo 16777216 >$down/$limit
export down
if sh -c 'echo 0 >$down/cgroup.procs; eaten=$(head -c 64m /dev/zero | tr "\0" x)'; then
  echo "it was not killed"
  exit 1
fi
until rmdir $down 2>/dev/null; do sleep 0.1; done
rmdir $base/NAME/kubepods/podUID $base/NAME/kubepods $base/NAME
"#;

fn never_seen(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    let uid = format!("{:08x}-0000-4000-8000-000000000000", std::process::id());
    let script = STRANGER.replace("UID", &uid).replace("CONTAINER", &"5".repeat(64)).replace("NAME", &place.namespace.name);
    hand::run(place, "stranger", &script)?;
    let event = until_told(place, "default", "Node", &place.node.name, &uid)?;
    let message = text(&event, "/message");
    assert!(message.starts_with("The kernel killed process sh (pid "), "{message}");
    assert!(message.ends_with(&format!("(pod with the UID {uid}, which the API server does not show)")), "{message}");
    Ok(())
}

/// The one Event about an object that says this.
fn until_told(place: &Place<'_>, namespace: &str, kind: &str, name: &str, what: &str) -> Result<Value> {
    let selector = format!("involvedObject.kind={kind},involvedObject.name={name},reason=OOMKillConfirmed");
    let told = until(&format!("an Event on {kind}/{name} says {what}"), || {
        let events = place.testbed.kubectl.get(&["events", "-n", namespace, "--field-selector", &selector])?;
        let told: Vec<Value> = items(&events).iter().filter(|event| text(event, "/message").contains(what)).cloned().collect();
        Ok((!told.is_empty()).then_some(told))
    })?;
    ensure!(told.len() == 1, "told {} times: {told:#?}", told.len());
    told.into_iter().next().context("it is told")
}
