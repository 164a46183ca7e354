//! Nothing twice and nothing lost: restarts, an API server that is away, answers of all kinds.

use crate::agent::api_server::ApiServer;
use crate::agent::kernel_log::{KernelLog, container_cgroup, pod_cgroup};
use crate::agent::{boot, evidence, kills, long_running, pod, settle, start, until};
use std::fs;
use std::time::Duration;

const A: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
const B: &str = "7b2d8e10-1c3f-4a5b-9d6e-00112233aabb";

#[tokio::test]
async fn a_restart_with_its_checkpoint_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([long_running(pod(A, "a", &["main"], "32Mi"))]);
    let mut log = KernelLog::new();
    for pid in 0..20 {
        log.report(100 + pid, &pod_cgroup(A), &container_cgroup(A, 0));
    }
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    let agent = start(&api, &path, folder.path());
    until("the verdict", || evidence(&api, "a").is_some_and(|evidence| evidence["containers"]["main"]["verdict"] == "oom-child-process"))
        .await;
    settle().await;
    agent.kill().await;
    let (patches, events) = (api.patches(), api.events());

    let agent = start(&api, &path, folder.path());
    settle().await;
    agent.kill().await;
    assert_eq!((api.patches(), api.events()), (patches, events));
}

#[tokio::test]
async fn a_restart_without_its_checkpoint_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([long_running(pod(A, "a", &["main"], "32Mi"))]);
    let mut log = KernelLog::new();
    for pid in 0..20 {
        log.report(100 + pid, &pod_cgroup(A), &container_cgroup(A, 0));
    }
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    let agent = start(&api, &path, folder.path());
    until("the verdict", || evidence(&api, "a").is_some_and(|evidence| evidence["containers"]["main"]["verdict"] == "oom-child-process"))
        .await;
    settle().await;
    agent.kill().await;
    let (patches, events) = (api.patches(), api.events());

    let elsewhere = tempfile::tempdir().unwrap();
    let agent = start(&api, &path, elsewhere.path());
    settle().await;
    agent.kill().await;
    assert_eq!((api.patches(), api.events()), (patches, events));
}

/// kill -9 after every few milliseconds, the log growing all the while: each kill is on its pod once.
#[tokio::test]
async fn killed_again_and_again_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi"), pod(B, "b", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    let path = folder.path().join("log");
    for round in 0..12 {
        for pid in 0..5 {
            log.report(1000 + round * 10 + pid, &pod_cgroup(A), &container_cgroup(A, 0));
            log.report(5000 + round * 10 + pid, &pod_cgroup(B), &container_cgroup(B, 0));
        }
        fs::write(&path, log.text()).unwrap();
        let agent = start(&api, &path, folder.path());
        tokio::time::sleep(Duration::from_millis(u64::from(round) * 7)).await;
        agent.kill().await;
    }
    let agent = start(&api, &path, folder.path());
    until("all kills", || kills(&api, "a", "main") >= 60 && kills(&api, "b", "main") >= 60).await;
    settle().await;
    agent.kill().await;
    for name in ["a", "b"] {
        let main = evidence(&api, name).unwrap()["containers"]["main"].clone();
        assert_eq!((main["kills"].as_u64(), main["incidents"].as_u64()), (Some(60), Some(60)));
    }
    assert_eq!(api.events().len(), 2);
}

#[tokio::test]
async fn the_api_server_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    for pid in 0..3 {
        log.report(100 + pid, &pod_cgroup(A), &container_cgroup(A, 0));
    }
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    api.set_away(true);
    let agent = start(&api, &path, folder.path());
    settle().await;
    assert_eq!(evidence(&api, "a"), None);
    api.set_away(false);
    until("the evidence", || kills(&api, "a", "main") == 3).await;
    agent.kill().await;
    assert_eq!(api.events().len(), 1);
}

#[tokio::test]
async fn a_write_that_fails_is_tried_again_and_an_event_that_is_refused_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    api.answer_events(&[403]);
    api.answer_patches(&[500, 409, 422]);
    let agent = start(&api, &path, folder.path());
    until("the evidence", || kills(&api, "a", "main") == 1).await;
    settle().await;
    agent.kill().await;
    let answers: Vec<u16> = api.patches().iter().map(|patch| patch.answer).collect();
    assert_eq!(&answers[..4], [500, 409, 422, 200]);
    // The Event went out with the second try of the write.
    assert_eq!(api.events().len(), 1);
}

#[tokio::test]
async fn a_pod_that_is_gone_is_told_of_on_its_owner_and_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let mut a = pod(A, "a", &["main"], "32Mi");
    a["metadata"]["ownerReferences"] =
        serde_json::json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r-1", "controller": true}]);
    let api = ApiServer::new([a]);
    let mut log = KernelLog::new();
    let seq = log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    // The pod goes between the listing and the patch.
    api.answer_patches(&[404]);
    let agent = start(&api, &path, folder.path());
    until("the Events", || api.events().len() == 3).await;
    settle().await;
    agent.kill().await;
    let told: Vec<_> = api
        .events()
        .iter()
        .map(|event| (event["involvedObject"]["kind"].clone(), event["metadata"]["namespace"].clone(), event["metadata"]["name"].clone()))
        .collect();
    let boot = boot();
    assert_eq!(
        told,
        [
            ("Pod".into(), "default".into(), format!("a.{boot}-{seq}").into()),
            ("ReplicaSet".into(), "default".into(), format!("web.{boot}-{seq}").into()),
            ("Node".into(), "default".into(), format!("node-1.{boot}-{seq}").into()),
        ]
    );
    assert_eq!(api.patches().len(), 1);
}

#[tokio::test]
async fn another_pod_of_the_same_name_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi")]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    api.answer_patches(&[503]);
    let agent = start(&api, &path, folder.path());
    until("the first try", || api.patches().len() == 1).await;
    api.delete_pod("default", "a");
    api.set_pod(pod(B, "a", &["main"], "32Mi"));
    settle().await;
    agent.kill().await;
    assert_eq!(evidence(&api, "a"), None);
}

/// A tenant writes evidence of a kill that has not happened yet, so that none before it would be new.
#[tokio::test]
async fn a_mark_from_the_future_keeps_no_kill_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut a = pod(A, "a", &["main"], "32Mi");
    let forged =
        serde_json::json!({"v": 1, "containers": {"main": {"kills": 0}}, "through": format!("{}:999999999:999999999999999:1", boot())});
    a["metadata"]["annotations"]["podsight.dev/oom"] = forged.to_string().into();
    let api = ApiServer::new([a]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    let agent = start(&api, &path, folder.path());
    until("the evidence", || kills(&api, "a", "main") == 1).await;
    agent.kill().await;
}

/// It stays, and is there when the log comes.
#[tokio::test]
async fn a_log_that_cannot_be_opened_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let api = ApiServer::new([pod(A, "a", &["main"], "32Mi")]);
    let agent = start(&api, &folder.path().join("missing"), folder.path());
    settle().await;
    assert_eq!(evidence(&api, "a"), None);
    // It runs still: else there would be nothing to kill.
    agent.kill().await;
}

/// Nothing that stands in the annotation or in the checkpoint can stop the agent.
#[tokio::test]
async fn broken_state_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut a = pod(A, "a", &["main"], "32Mi");
    a["metadata"]["annotations"]["podsight.dev/oom"] = "{\"v\":1,\"containers\":[".into();
    let api = ApiServer::new([a]);
    let mut log = KernelLog::new();
    log.report(158, &pod_cgroup(A), &container_cgroup(A, 0));
    let path = folder.path().join("log");
    fs::write(&path, log.text()).unwrap();
    fs::write(folder.path().join("checkpoint.json"), [0xff; 100]).unwrap();
    let agent = start(&api, &path, folder.path());
    until("the write", || !api.patches().is_empty()).await;
    agent.kill().await;
    assert_eq!(kills(&api, "a", "main"), 1);
}
