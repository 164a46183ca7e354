use super::*;
use serde_json::json;
use std::path::PathBuf;

fn status(pod: &Value, minor: u32) -> String {
    columns(pod, ServerVersion(minor)).status
}

fn ended(reason: &str, code: i64) -> Value {
    json!({"state": {"terminated": {"reason": reason, "exitCode": code}}})
}

#[test]
fn a_failure_beside_a_success_is_shown_since_1_35() {
    let pod = json!({"spec": {"containers": [{}, {}]}, "status": {"phase": "Failed", "containerStatuses": [ended("Completed", 0), ended("Error", 1)]}});
    assert_eq!([status(&pod, 30), status(&pod, 34), status(&pod, 35)], ["Completed", "Completed", "Error"]);
}

#[test]
fn a_deleted_pod_that_is_over_keeps_its_reason_since_1_31() {
    let pod = json!({"metadata": {"deletionTimestamp": "2026-11-22T10:00:00Z"}, "status": {"phase": "Failed", "containerStatuses": [ended("Error", 1)]}});
    assert_eq!([status(&pod, 30), status(&pod, 31)], ["Terminating", "Error"]);
}

#[test]
fn a_lost_node_is_shown_as_unknown_only_while_deleting() {
    let mut pod = json!({"metadata": {}, "status": {"phase": "Running", "reason": "NodeLost"}});
    assert_eq!(status(&pod, 36), "NodeLost");
    pod["metadata"]["deletionTimestamp"] = json!("2026-11-22T10:00:00Z");
    assert_eq!(status(&pod, 36), "Unknown");
}

#[test]
fn a_crashing_sidecar_hides_behind_nothing_but_a_main_container_with_a_reason() {
    let sidecar = json!({"name": "s", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}});
    let mut pod = json!({"spec": {"initContainers": [{"name": "s", "restartPolicy": "Always"}], "containers": [{"name": "m"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}], "initContainerStatuses": [sidecar],
            "containerStatuses": [{"name": "m", "ready": true, "state": {"running": {}}}]}});
    assert_eq!(status(&pod, 36), "Init:CrashLoopBackOff");
    pod["status"]["containerStatuses"][0] = json!({"name": "m", "state": {"waiting": {"reason": "ImagePullBackOff"}}});
    assert_eq!(status(&pod, 36), "ImagePullBackOff");
}

#[test]
fn a_container_that_is_made_but_not_started_is_not_shown() {
    let pod = json!({"spec": {"containers": [{}]}, "status": {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {}}}]}});
    assert_eq!(status(&pod, 36), "Pending");
}

#[test]
fn an_end_without_a_reason_shows_its_code_or_signal() {
    let pod = |terminated: Value| json!({"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": terminated}}]}});
    assert_eq!(status(&pod(json!({"exitCode": 3})), 36), "ExitCode:3");
    assert_eq!(status(&pod(json!({"signal": 9, "exitCode": 0})), 36), "Signal:9");
    assert_eq!(status(&pod(json!({})), 36), "ExitCode:0");
}

#[test]
fn ages_are_kubectls() {
    let ages: Vec<String> = [0, 119, 120, 125, 600, 7200, 10_800, 11_000, 28_800, 172_800, 180_000, 864_000, 63_072_000]
        .into_iter()
        .map(human_duration)
        .collect();
    assert_eq!(ages, ["0s", "119s", "2m", "2m5s", "10m", "120m", "3h", "3h3m", "8h", "2d", "2d2h", "10d", "2y"]);
}

#[test]
fn versions_are_read_as_people_write_them() {
    for text in ["1.34", "v1.34.9", "1.34+", "34", "v1.34.1-gke.5"] {
        assert_eq!(text.parse::<ServerVersion>().unwrap(), ServerVersion(34), "{text}");
    }
    assert!("new".parse::<ServerVersion>().is_err());
}

/// Kubernetes' own test cases, where this machine has them.
#[test]
fn agrees_with_the_test_cases_of_kubernetes() {
    let folder = std::env::var_os("PODSIGHT_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")), PathBuf::from);
    let Ok(file) = std::fs::read_to_string(folder.join("pods/status-column-vectors.json")) else {
        println!("skipped: no corpus on this machine");
        return;
    };
    let file: Value = serde_json::from_str(&file).unwrap();
    let vectors = file.list("vectors");
    assert!(!vectors.is_empty());
    for vector in vectors {
        let now = vector.time("now").unwrap();
        let Columns { status, ready, restarts, last_restart } = columns(vector.get_or_null("pod"), ServerVersion::NEWEST);
        let restarts = match last_restart.filter(|_| restarts != 0) {
            Some(last) => format!("{restarts} ({} ago)", human_duration(now.as_second() - last.as_second())),
            None => restarts.to_string(),
        };
        let expect = vector.get_or_null("expect");
        assert_eq!(json!({"READY": ready, "STATUS": status, "RESTARTS": restarts}), *expect, "{}", vector.text("source"));
    }
}
