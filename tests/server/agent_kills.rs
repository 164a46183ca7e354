//! Kills on a node: what ends up on the pods, whole.

use crate::agent::api_server::{ApiServer, Patch};
use crate::agent::kernel_log::{KernelLog, container_cgroup, pod_cgroup};
use crate::agent::{boot, evidence, kills, long_running, pod, settle, start, until};
use serde_json::{Value, json};
use std::fs;

const A: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
const B: &str = "7b2d8e10-1c3f-4a5b-9d6e-00112233aabb";

/// The patch with the times taken out: they depend on when this machine was started.
fn without_times(patch: &Patch) -> (Patch, Value) {
    let mut patch = patch.clone();
    let annotations = &mut patch.body["metadata"]["annotations"];
    let mut evidence: Value = serde_json::from_str(annotations["podsight.dev/oom"].as_str().unwrap()).unwrap();
    annotations["podsight.dev/oom"] = json!("…");
    for container in evidence["containers"].as_object_mut().unwrap().values_mut() {
        let last = container["last"].as_str().unwrap().to_owned();
        if let Some(sentence) = annotations["podsight.dev/oom-killed"].as_str() {
            annotations["podsight.dev/oom-killed"] = json!(sentence.replace(&last, "<time>"));
        }
        for key in ["first", "last"] {
            container[key] = json!("<time>");
        }
        for kill in container["recent"].as_array_mut().unwrap() {
            kill["at"] = json!("<time>");
        }
    }
    (patch, evidence)
}

#[tokio::test]
async fn a_kill_at_the_only_containers_limit() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi"), pod(B, "b", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    // The kernel names the pod's cgroup, because both limits are equal.
    let seq = log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    until("the evidence", || evidence(&api, "a").is_some()).await;
    agent.kill().await;

    let (patch, evidence) = without_times(&api.patches()[0]);
    assert_eq!(
        patch,
        Patch {
            path: "/api/v1/namespaces/default/pods/a/status".to_owned(),
            content_type: "application/merge-patch+json".to_owned(),
            field_manager: "podsight-agent".to_owned(),
            body: json!({"metadata": {
                "uid": A,
                "annotations": {
                    "podsight.dev/oom": "…",
                    "podsight.dev/oom-killed": "The kernel killed for memory: container main once at its own limit of 32Mi, last at <time>."
                },
                "labels": {"podsight.dev/oom-killed": "true"}
            }}),
            answer: 200,
        }
    );
    assert_eq!(
        evidence,
        json!({
            "v": 1,
            "containers": {"main": {
                "kills": 1, "incidents": 1, "first": "<time>", "last": "<time>", "scope": "container", "limit": "32Mi", "peak": "32Mi",
                "visible": false, "verdict": "oom-container-limit",
                "recent": [{"id": format!("{}:{seq}", boot()), "at": "<time>", "pid": 158, "comm": "work", "anon": "31Mi", "attribution": "kernel-line"}]
            }},
            "unattributed": 0, "lost": 0, "through": evidence["through"]
        })
    );
    let stored = api.pod("default", "a");
    assert_eq!(stored["metadata"]["annotations"]["example.com/other"], "kept");
    assert_eq!(stored["metadata"]["labels"], json!({"app": "a", "podsight.dev/oom-killed": "true"}));
    assert_eq!(api.pod("default", "b")["metadata"]["labels"], json!({"app": "b"}));

    let mut events = api.events();
    assert_eq!(events.len(), 1);
    let event = events[0].as_object_mut().unwrap();
    assert_eq!(event["firstTimestamp"], event["lastTimestamp"]);
    event.retain(|key, _| !key.ends_with("Timestamp"));
    assert_eq!(
        events[0],
        json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"namespace": "default", "name": format!("a.{}-{seq}", boot())},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "a", "uid": A, "fieldPath": "spec.containers{main}"},
            "type": "Warning", "reason": "OOMKillConfirmed", "action": "Killing", "count": 1,
            "message": "The kernel killed process work (pid 158) in container main: the container reached its memory limit of 32Mi [oom-container-limit]",
            "source": {"component": "podsight-agent", "host": "node-1"}, "reportingComponent": "podsight-agent", "reportingInstance": "node-1"
        })
    );
}

#[tokio::test]
async fn the_pods_limit_and_the_right_container_of_two() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main", "side"], "32Mi")]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 1));
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    until("the evidence", || kills(&api, "a", "side") == 1).await;
    agent.kill().await;
    let evidence = evidence(&api, "a").unwrap();
    let side = &evidence["containers"]["side"];
    assert_eq!((&side["scope"], &side["limit"], &side["verdict"]), (&json!("pod"), &json!("64Mi"), &json!("oom-pod-limit")));
    assert_eq!(evidence["containers"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_forged_record_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi"), pod(B, "b", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    log.line(
        8 + 6,
        &format!(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={},task_memcg={},task=work,pid=7,uid=0",
            pod_cgroup(B),
            container_cgroup(B, 0)
        ),
    );
    log.forged(7, "work");
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    until("the evidence", || kills(&api, "a", "main") == 1).await;
    settle().await;
    agent.kill().await;
    assert_eq!(evidence(&api, "b"), None);
}

#[tokio::test]
async fn a_cgroup_that_imitates_another_pods_is_put_down_to_its_maker() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi"), pod(B, "b", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &format!("{}{}", container_cgroup(A, 0), container_cgroup(B, 0)));
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    until("the evidence", || kills(&api, "a", "main") == 1).await;
    settle().await;
    agent.kill().await;
    assert_eq!(evidence(&api, "b"), None);
}

#[tokio::test]
async fn a_pod_that_comes_after_its_kill() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    api.set_pod(pod(A, "a", &["main"], "32Mi"));
    until("the evidence", || kills(&api, "a", "main") == 1).await;
    agent.kill().await;
}

#[tokio::test]
async fn a_child_of_a_container_that_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([long_running(pod(A, "a", &["main"], "32Mi"))]);
    let mut log = KernelLog::new();
    for pid in [158, 160, 162] {
        log.report(pid, &pod_cgroup(A), &container_cgroup(A, 0));
    }
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    until("the verdict", || evidence(&api, "a").is_some_and(|evidence| evidence["containers"]["main"]["verdict"] == "oom-child-process"))
        .await;
    agent.kill().await;
    let (patch, evidence) = without_times(api.patches().last().unwrap());
    assert_eq!(evidence["containers"]["main"]["visible"], false);
    assert_eq!(
        patch.body["metadata"]["annotations"]["podsight.dev/oom-killed"],
        "The kernel killed for memory: a process in container main 3 times at its own limit of 32Mi, last at <time>, while the container went on."
    );
    assert_eq!(api.events().len(), 1, "one incident a second is no reason for more Events");
}

#[tokio::test]
async fn an_end_that_the_api_shows_is_the_kill() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    fs::write(folder.path().join("log"), log.text()).unwrap();
    let agent = start(&api, &folder.path().join("log"), folder.path());
    until("the evidence", || kills(&api, "a", "main") == 1).await;
    assert_eq!(evidence(&api, "a").unwrap()["containers"]["main"]["visible"], false);
    // The kubelet shows it one or two seconds later.
    let mut shown = api.pod("default", "a");
    let at = evidence(&api, "a").unwrap()["containers"]["main"]["last"].clone();
    let id = shown["status"]["containerStatuses"][0]["containerID"].clone();
    shown["status"]["containerStatuses"][0]["lastState"] =
        json!({"terminated": {"containerID": id, "exitCode": 137, "reason": "OOMKilled", "finishedAt": at}});
    api.set_pod(shown);
    until("that it is visible", || evidence(&api, "a").unwrap()["containers"]["main"]["visible"] == true).await;
    agent.kill().await;
    assert_eq!(evidence(&api, "a").unwrap()["containers"]["main"]["verdict"], "oom-container-limit");
}
