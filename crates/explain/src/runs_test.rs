//! Which run of a container is meant: events and kernel records of others, a sandbox that is made again, and helpers beside the work.

use crate::{Confidence, Event, Explained, Explanation, Input, KernelKills, explain};
use podsight_cause::Cause;
use serde_json::{Value, json};

fn best_with(pod: &Value, events: &[Value]) -> Explained {
    explained(pod, events).causes.remove(0)
}

fn explained(pod: &Value, events: &[Value]) -> Explanation {
    let events: Vec<Event> = events.iter().map(|event| Event::from_value(event, String::new())).collect();
    let events: Vec<&Event> = events.iter().collect();
    explain(&Input { events: &events, ..Input::new(pod) })
}

fn event(reason: &str, message: &str, time: Option<&str>) -> Value {
    json!({"reason": reason, "message": message, "firstTimestamp": time, "lastTimestamp": time})
}

/// A status of a container with this end in this place.
fn status(name: &str, code: i64, finished: &str) -> Value {
    json!({"name": name, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "Error", "exitCode": code, "startedAt": "2026-11-22T10:00:00Z", "finishedAt": finished}}})
}

fn pod(statuses: &[Value]) -> Value {
    let containers: Vec<Value> = statuses.iter().map(|status| json!({"name": status["name"]})).collect();
    json!({"metadata": {"name": "a", "uid": "11111111-2222-4333-8444-555555555555"}, "spec": {"nodeName": "worker", "containers": containers},
        "status": {"phase": "Running", "containerStatuses": statuses}})
}

#[test]
fn an_event_of_another_run_ends_no_container() {
    for (reason, message, cause, code) in [
        ("Killing", "Container main failed liveness probe, will be restarted", Cause::ProbeKill, 143),
        ("FailedPostStartHook", "PostStartHook failed", Cause::PostStartHookFailed, 137),
        ("Rebooted", "Node worker has been rebooted, boot id: 1", Cause::NodeShutdownOrRestart, 143),
    ] {
        let pod = pod(&[status("main", code, "2026-11-22T10:05:00Z")]);
        for far in ["2026-11-22T09:59:00Z", "2026-11-22T11:00:00Z"] {
            assert_ne!(best_with(&pod, &[event(reason, message, Some(far))]).cause, cause, "{reason} {far}");
        }
        let near = best_with(&pod, &[event(reason, message, Some("2026-11-22T10:05:30Z"))]);
        assert_eq!(near.cause, cause);
        let timeless = best_with(&pod, &[event(reason, message, None)]);
        assert_eq!((timeless.cause, timeless.confidence), (cause, Confidence::Medium));
    }
}

#[test]
fn programs_that_fail_together_with_codes_of_their_own_are_no_restart_of_the_node() {
    let two = |code| pod(&[status("x", code, "2026-11-22T10:05:00Z"), status("y", 2, "2026-11-22T10:05:01Z")]);
    assert_ne!(best_with(&two(2), &[]).cause, Cause::NodeShutdownOrRestart);
    assert_eq!(best_with(&two(255), &[]).cause, Cause::NodeShutdownOrRestart);
}

#[test]
fn what_is_in_the_way_now_comes_before_the_last_end() {
    let mut again = pod(&[status("main", 255, "2026-11-22T10:05:00Z")]);
    again["status"]["containerStatuses"][0]["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
    again["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] = json!("Unknown");
    let mount = |time| event("FailedMount", "MountVolume.SetUp failed for volume \"x\" : mount failed: exit status 32", Some(time));
    let causes: Vec<Cause> = explained(&again, &[mount("2026-11-22T10:09:00Z")]).causes.iter().map(|found| found.cause).collect();
    assert_eq!(causes, [Cause::VolumeMountFailed, Cause::NodeShutdownOrRestart]);
    assert_eq!(best_with(&again, &[mount("2026-11-22T09:00:00Z")]).cause, Cause::NodeShutdownOrRestart);
}

#[test]
fn a_kernel_record_of_a_run_that_the_status_no_longer_shows_ended_none_that_it_shows() {
    for (code, cause) in [(1, Cause::AppError), (137, Cause::KillerUnknown)] {
        let mut pod = pod(&[status("main", code, "2026-11-22T10:05:00Z")]);
        pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["containerID"] = json!(format!("containerd://{}", "b".repeat(64)));
        let cgroup = format!("/kubepods/pod11111111-2222-4333-8444-555555555555/{}", "a".repeat(64)).into_bytes();
        let kill = podsight_oom::Kill { victim_cgroup: Some(cgroup.clone()), limit_cgroup: Some(cgroup), ..podsight_oom::Kill::default() };
        let kills = KernelKills::new(vec![kill]);
        let causes = explain(&Input { kills: Some(&kills), ..Input::new(&pod) }).causes;
        assert_eq!(causes[0].cause, cause);
        assert!(causes.iter().all(|found| found.killer != Some(Cause::OomContainerLimit)), "{causes:?}");
    }
}

#[test]
fn a_debugger_that_ended_is_no_trouble() {
    let mut pod = pod(&[json!({"name": "main", "ready": true, "state": {"running": {}}})]);
    pod["status"]["ephemeralContainerStatuses"] =
        json!([{"name": "debugger", "state": {"terminated": {"reason": "Error", "exitCode": 130}}}]);
    assert_eq!(best_with(&pod, &[]).cause, Cause::Healthy);
}

#[test]
fn work_that_is_done_is_done_with_a_helper_stopped_or_running() {
    let done = json!({"name": "work", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}});
    let mut beside = pod(&[done.clone(), json!({"name": "proxy", "ready": true, "state": {"running": {}}})]);
    beside["spec"]["restartPolicy"] = json!("Never");
    assert_eq!(best_with(&beside, &[]).cause, Cause::Completed);
    let mut over = pod(&[done]);
    over["spec"]["restartPolicy"] = json!("Never");
    over["spec"]["initContainers"] = json!([{"name": "proxy", "restartPolicy": "Always"}]);
    over["status"]["phase"] = json!("Succeeded");
    over["status"]["initContainerStatuses"] = json!([{"name": "proxy", "state": {"terminated": {"reason": "Error", "exitCode": 143}}}]);
    assert_eq!(best_with(&over, &[]).cause, Cause::Completed);
}

#[test]
fn the_first_failure_of_a_failed_pod_is_its_cause() {
    let end = |name: &str, code: i64, finished: &str| json!({"name": name, "state": {"terminated": {"reason": "Error", "exitCode": code, "finishedAt": finished}}});
    let mut failed = pod(&[end("wait", 137, "2026-11-22T10:09:00Z"), end("work", 1, "2026-11-22T10:08:00Z")]);
    failed["spec"]["restartPolicy"] = json!("Never");
    failed["status"]["phase"] = json!("Failed");
    assert_eq!(best_with(&failed, &[]).container.as_deref(), Some("work"));
}

#[test]
fn an_agent_that_does_not_know_leaves_the_answer_to_the_events() {
    let mut killed = pod(&[status("main", 137, "2026-11-22T10:08:00Z")]);
    let evidence = json!({"v": 1, "containers": {"main": {"kills": 0, "incidents": 0, "first": "2026-11-22T10:08:00Z", "last": "2026-11-22T10:08:00Z",
        "scope": null, "limit": null, "peak": null, "visible": true, "verdict": "killer-unknown", "recent": []}}, "unattributed": 0, "lost": 0});
    killed["metadata"]["annotations"] = json!({"podsight.dev/oom": evidence.to_string()});
    assert_eq!(best_with(&killed, &[]).cause, Cause::KillerUnknown);
    let none = KernelKills::default();
    let with_log = explain(&Input { kills: Some(&none), ..Input::new(&killed) });
    assert_eq!(with_log.causes[0].cause, Cause::KilledExternally);
    let hook = event("FailedPostStartHook", "PostStartHook failed", Some("2026-11-22T10:07:59Z"));
    assert_eq!(best_with(&killed, &[hook]).cause, Cause::PostStartHookFailed);
}

#[test]
fn a_kill_whose_lines_are_lost_is_put_down_to_the_limit_that_there_is() {
    let killed = |resources: Value, code: i64| {
        let mut killed = pod(&[status("main", code, "2026-11-22T10:08:00Z")]);
        killed["spec"]["containers"][0]["resources"] = resources;
        let evidence = json!({"v": 1, "containers": {"main": {"kills": 1, "incidents": 1, "first": "2026-11-22T10:08:00Z", "last": "2026-11-22T10:08:00Z",
            "scope": null, "limit": null, "peak": null, "visible": true, "verdict": "oom-unattributed", "recent": []}}, "unattributed": 0, "lost": 1});
        killed["metadata"]["annotations"] = json!({"podsight.dev/oom": evidence.to_string()});
        let best = best_with(&killed, &[]);
        (best.cause, best.confidence)
    };
    assert_eq!(killed(json!({"limits": {"memory": "32Mi"}}), 137), (Cause::OomContainerLimit, Confidence::Medium));
    assert_eq!(killed(json!({}), 137), (Cause::OomNode, Confidence::Medium));
    assert_eq!(killed(Value::Null, 137), (Cause::OomUnattributed, Confidence::High));
    // The main process was not killed.
    assert_eq!(killed(json!({"limits": {"memory": "32Mi"}}), 1).0, Cause::OomUnattributed);
}
