//! What one fixture a cause cannot show: several containers, contradictions, kernel logs, and input of any kind.

use crate::{Confidence, Event, Explained, Input, KernelKills, explain, render};
use podsight_cause::{Cause, Lang};
use proptest::prelude::*;
use serde_json::{Value, json};

fn best(pod: &Value) -> Explained {
    explain(&Input::new(pod)).causes.remove(0)
}

fn best_with(pod: &Value, events: &[Value]) -> Explained {
    let events: Vec<Event> = events.iter().map(|event| Event::from_value(event, String::new())).collect();
    let events: Vec<&Event> = events.iter().collect();
    explain(&Input { events: &events, ..Input::new(pod) }).causes.remove(0)
}

fn end(reason: &str, code: i64, started: &str, finished: &str) -> Value {
    json!({"terminated": {"reason": reason, "exitCode": code, "startedAt": started, "finishedAt": finished}})
}

/// A pod of one container that crashed last with this end and this spec.
fn crashing(spec: &Value, last: &Value) -> Value {
    let mut container = json!({"name": "main", "image": "acme/main:1"});
    for (key, value) in spec.as_object().unwrap() {
        container[key] = value.clone();
    }
    json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "n", "uid": "11111111-2222-4333-8444-555555555555"}, "spec": {"containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 3, "lastState": last,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}}}]}})
}

const START: &str = "2026-11-22T10:00:00Z";

#[test]
fn a_life_that_fits_the_liveness_probe_is_its_work() {
    let probe =
        json!({"livenessProbe": {"exec": {"command": ["false"]}, "initialDelaySeconds": 5, "periodSeconds": 5, "failureThreshold": 2}});
    let fits = best(&crashing(&probe, &end("Error", 137, START, "2026-11-22T10:00:42Z")));
    assert_eq!((fits.cause, fits.confidence, fits.killer), (Cause::ProbeKill, Confidence::Medium, Some(Cause::ProbeKill)));
    let far = best(&crashing(&probe, &end("Error", 137, START, "2026-11-22T14:00:00Z")));
    assert_eq!((far.cause, far.killer), (Cause::KillerUnknown, Some(Cause::KillerUnknown)));
}

#[test]
fn a_stop_in_place_with_a_liveness_probe_is_probably_its_work() {
    let probe = json!({"livenessProbe": {"tcpSocket": {"port": 80}}});
    let stopped = best(&crashing(&probe, &end("Error", 143, START, "2026-11-22T14:00:00Z")));
    assert_eq!((stopped.cause, stopped.confidence), (Cause::ProbeKill, Confidence::Medium));
}

#[test]
fn a_memory_kill_outweighs_the_probe_that_failed_beside_it() {
    let spec = json!({"resources": {"limits": {"memory": "64Mi"}}, "livenessProbe": {"tcpSocket": {"port": 80}}});
    let pod = crashing(&spec, &end("OOMKilled", 137, START, "2026-11-22T10:00:31Z"));
    let unhealthy = json!({"type": "Warning", "reason": "Unhealthy", "message": "Liveness probe failed: timeout", "count": 3, "involvedObject": {"kind": "Pod", "name": "a"}});
    assert_eq!(best_with(&pod, &[unhealthy]).cause, Cause::OomContainerLimit);
}

#[test]
fn a_limit_of_the_container_is_not_blamed_where_it_has_none() {
    let none = best(&crashing(&json!({"resources": {}}), &end("OOMKilled", 137, START, START)));
    assert_eq!((none.cause, none.confidence), (Cause::OomNode, Confidence::Medium));
    let fragment = best(&crashing(&json!({}), &end("OOMKilled", 137, START, START)));
    assert_eq!(fragment.cause, Cause::OomUnattributed);
}

#[test]
fn the_kernel_finds_the_kill_that_the_runtime_missed() {
    let id = "ab".repeat(32);
    let mut last = end("Error", 137, START, "2026-11-22T10:00:05Z");
    last["terminated"]["containerID"] = json!(format!("containerd://{id}"));
    let pod = crashing(&json!({"resources": {"limits": {"memory": "32Mi"}}}), &last);
    let cgroup = format!("/kubepods/burstable/pod11111111-2222-4333-8444-555555555555/{id}").into_bytes();
    let kill = podsight_oom::Kill {
        seq: Some(7),
        victim_cgroup: Some(cgroup.clone()),
        limit_cgroup: Some(cgroup),
        global: Some(false),
        pid: Some(42),
        ..podsight_oom::Kill::default()
    };
    let kills = KernelKills::new(vec![kill]);
    let found = explain(&Input { kills: Some(&kills), ..Input::new(&pod) }).causes.remove(0);
    assert_eq!((found.cause, found.confidence, found.killer), (Cause::OomContainerLimit, Confidence::High, Some(Cause::OomContainerLimit)));
    assert!(found.evidence.iter().any(|evidence| evidence.pointer == "seq 7"));
}

#[test]
fn a_child_killed_under_a_living_main_process_is_seen() {
    let written = json!({"v": 1, "containers": {"main": {"kills": 4, "incidents": 4, "first": START, "last": START, "scope": "container", "limit": "64Mi",
        "peak": "63Mi", "visible": false, "verdict": "oom-child-process", "recent": []}}});
    let pod = json!({"kind": "Pod", "metadata": {"name": "a", "annotations": {"podsight.dev/oom": written.to_string()}}, "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "ready": true, "state": {"running": {"startedAt": START}}}]}});
    let found = best(&pod);
    assert_eq!((found.cause, found.confidence, found.container.as_deref()), (Cause::OomChildProcess, Confidence::High, Some("main")));
}

#[test]
fn an_older_kill_does_not_explain_a_later_end() {
    let written = json!({"v": 1, "containers": {"main": {"kills": 1, "incidents": 1, "first": START, "last": START, "scope": "container", "visible": true, "verdict": "oom-child-process", "recent": []}}});
    let mut pod = crashing(&json!({"resources": {"limits": {"memory": "64Mi"}}}), &end("OOMKilled", 137, START, "2026-11-22T11:00:00Z"));
    pod["metadata"]["annotations"] = json!({"podsight.dev/oom": written.to_string()});
    assert_eq!(best(&pod).cause, Cause::OomFlagFalse);
}

#[test]
fn containers_that_end_in_the_same_second_point_to_the_node() {
    let running = |name: &str| json!({"name": name, "ready": true, "restartCount": 1, "state": {"running": {"startedAt": "2026-11-22T10:01:00Z"}}, "lastState": end("Error", 255, START, "2026-11-22T10:00:00Z")});
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "x"}, {"name": "y"}]}, "status": {"phase": "Running", "containerStatuses": [running("x"), running("y")]}});
    assert_eq!(best(&pod).cause, Cause::NodeShutdownOrRestart);
}

#[test]
fn the_init_container_that_fails_is_named_and_not_those_that_wait() {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"initContainers": [{"name": "setup"}], "containers": [{"name": "main"}]}, "status": {"phase": "Pending",
        "initContainerStatuses": [{"name": "setup", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": end("Error", 3, START, START)}],
        "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "PodInitializing"}}}]}});
    let found = best(&pod);
    assert_eq!((found.cause, found.container.as_deref()), (Cause::AppDefinedCode, Some("setup")));
}

#[test]
fn an_event_of_another_container_is_not_taken_for_this_one() {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "x", "image": "i:1"}, {"name": "y", "image": "j:1"}]}, "status": {"phase": "Pending", "containerStatuses": [
        {"name": "x", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"i:1\""}}},
        {"name": "y", "state": {"waiting": {"reason": "ErrImagePull", "message": "j"}}}]}});
    let event = json!({"reason": "Failed", "type": "Warning", "message": "Failed to pull image \"j:1\": toomanyrequests", "involvedObject": {"name": "a", "fieldPath": "spec.containers{y}"}});
    let events = [Event::from_value(&event, String::new())];
    let events: Vec<&Event> = events.iter().collect();
    let found: Vec<_> = explain(&Input { events: &events, ..Input::new(&pod) })
        .causes
        .into_iter()
        .map(|found| (found.cause, found.container.unwrap()))
        .collect();
    assert_eq!(found, [(Cause::ImagePullCauseUnseen, "x".to_owned()), (Cause::ImageRateLimited, "y".to_owned())]);
}

#[test]
fn unmounted_volumes_are_put_down_to_what_they_hold() {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"nodeName": "w", "volumes": [{"name": "settings", "configMap": {"name": "web"}}], "containers": [{"name": "x"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "x", "state": {"waiting": {"reason": "ContainerCreating"}}}]}});
    let event = json!({"reason": "FailedMount", "type": "Warning", "message": "Unable to attach or mount volumes: unmounted volumes=[settings], unattached volumes=[kube-api-access-1 settings]: timed out waiting for the condition"});
    let found = best_with(&pod, &[event]);
    assert_eq!((found.cause, found.confidence), (Cause::ConfigmapMissing, Confidence::Medium));
    assert_eq!(best(&pod).cause, Cause::Starting);
}

#[test]
fn any_kind_of_object_gets_an_answer() {
    for value in [
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!({"kind": "Deployment", "spec": {"selector": {"matchLabels": {"a": "b"}}}}),
        json!({"status": 5, "spec": []}),
    ] {
        assert!(!best(&value).summary.is_empty(), "{value}");
    }
}

/// JSON of the shape of a pod, with any type in any place.
fn odd_pod() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "",
        "main",
        "OOMKilled",
        "Error",
        "Completed",
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "CreateContainerConfigError",
        "StartError",
        "ContainerCreating",
        "Pending",
        "Running",
        "Failed",
        "True",
        "False",
        "Always",
        "Unschedulable",
        "PodScheduled",
        "DisruptionTarget",
        "Evicted",
        "2026-11-22T10:00:00Z",
        "configmap \"x\" not found",
        "0/3 nodes are available: 1 Insufficient cpu, ",
        "exec: \"",
        "unmounted volumes=[",
        "İstanbul exec: \"ı\": not found",
        "64Mi",
        "sh",
        "-c",
        "a'b",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-300_i64..300).prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,20}".prop_map(Value::from)
    ];
    let key = prop::sample::select(vec![
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "containers",
        "initContainers",
        "containerStatuses",
        "initContainerStatuses",
        "state",
        "lastState",
        "terminated",
        "waiting",
        "running",
        "reason",
        "message",
        "exitCode",
        "signal",
        "startedAt",
        "finishedAt",
        "conditions",
        "type",
        "phase",
        "ready",
        "restartCount",
        "livenessProbe",
        "initialDelaySeconds",
        "periodSeconds",
        "failureThreshold",
        "terminationGracePeriodSeconds",
        "resources",
        "limits",
        "memory",
        "command",
        "args",
        "volumes",
        "configMap",
        "annotations",
        "deletionTimestamp",
        "restartPolicy",
        "items",
        "env",
        "ownerReferences",
        "kind",
        "nodeName",
        "image",
        "envFrom",
        "configMapRef",
        "started",
    ]);
    leaf.prop_recursive(8, 200, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..9)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_input_gets_an_answer_in_every_form(spec in odd_pod(), status in odd_pod(), meta in odd_pod(), container in odd_pod(), event in odd_pod()) {
        let mut pod = json!({"metadata": meta, "spec": spec, "status": status});
        if let Some(spec) = pod["spec"].as_object_mut() {
            spec.insert("containers".to_owned(), json!([&container]));
        }
        if let Some(status) = pod["status"].as_object_mut() {
            status.insert("containerStatuses".to_owned(), json!([container]));
        }
        let event = Event::from_value(&event, String::new());
        for lang in [Lang::En, Lang::Zh] {
            let explanation = explain(&Input { lang, events: &[&event], ..Input::new(&pod) });
            prop_assert!(!explanation.causes.is_empty());
            for found in &explanation.causes {
                prop_assert!(!found.summary.is_empty());
            }
            let text = render::text(&explanation, lang);
            let escapes_undone = text.replace("\u{1b}[", "");
            prop_assert!(!escapes_undone.chars().any(|c| c != '\n' && render::hostile(c)), "{:?}", text);
            prop_assert!(serde_json::from_str::<Value>(&render::json(&explanation).unwrap()).is_ok());
            let page = render::html(std::slice::from_ref(&explanation), lang);
            prop_assert!(!page.contains("<script"));
            prop_assert!(!render::markdown(&explanation, lang).is_empty());
        }
    }
}
