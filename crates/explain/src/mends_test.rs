//! Answers that were once wrong or weak: words of runtimes and registries that two causes share, and events of another time.

use crate::{Confidence, Event, Explained, Input, explain};
use podsight_cause::{Cause, Lang};
use serde_json::{Value, json};

fn best_with(pod: &Value, events: &[Value]) -> Explained {
    let events: Vec<Event> = events.iter().map(|event| Event::from_value(event, String::new())).collect();
    let events: Vec<&Event> = events.iter().collect();
    explain(&Input { events: &events, ..Input::new(pod) }).causes.remove(0)
}

fn best(pod: &Value) -> Explained {
    best_with(pod, &[])
}

fn event(reason: &str, message: &str, at: &str) -> Value {
    json!({"reason": reason, "message": message, "firstTimestamp": at, "lastTimestamp": at})
}

fn pod(container: Value, status: Value) -> Value {
    let mut container = container;
    container["name"] = json!("main");
    container["image"] = json!("reg.example/acme/main:1");
    let mut status = status;
    status["name"] = json!("main");
    json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"nodeName": "worker", "containers": [container]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}], "containerStatuses": [status]}})
}

fn waiting(reason: &str, message: &str) -> Value {
    pod(json!({}), json!({"state": {"waiting": {"reason": reason, "message": message}}}))
}

fn never_ran(message: &str) -> Value {
    let end = json!({"terminated": {"reason": "StartError", "exitCode": 128, "message": format!("runc create failed: unable to start container process: {message}: unknown")}});
    pod(json!({}), json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": end}))
}

fn ended(code: i64, message: &str) -> Value {
    let end = json!({"terminated": {"reason": "Error", "exitCode": code, "message": message, "startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T10:00:30Z"}});
    pod(json!({}), json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": end}))
}

#[test]
fn the_program_that_is_missing_is_named_by_every_runtime() {
    for (reason, message) in [
        ("CreateContainerError", "container create failed: executable file `wge` not found in $PATH: No such file or directory"),
        (
            "CreateContainerError",
            "runc create failed: unable to start container process: exec: \\\"wge\\\": executable file not found in $PATH",
        ),
        ("RunContainerError", "exec: \"wge\": executable file not found in $PATH: unknown"),
    ] {
        let found = best(&waiting(reason, message));
        assert_eq!(found.cause, Cause::CommandNotFound, "{message}");
        assert!(found.summary.starts_with("There is no program `wge`"), "{}", found.summary);
    }
    assert!(best(&never_ran("exec: \"/run.sh\": no such file or directory")).summary.contains("#!"));
    assert!(!best(&never_ran("exec: \"/run.sh\": stat /run.sh: no such file or directory")).summary.contains("#!"));
    assert!(best(&never_ran("exec: \"/app\": is a directory")).summary.contains("is a folder"));
    assert!(best(&ended(127, "sh: 1: gunicorn: not found\n")).summary.contains("gunicorn"));
}

#[test]
fn what_was_refused_is_named() {
    let folder = best(&never_ran("chdir to cwd (\"/srv/app\") set in config.json failed: permission denied"));
    assert_eq!(folder.cause, Cause::PermissionDenied);
    assert!(folder.summary.contains("working directory /srv/app"), "{}", folder.summary);
    let mount = best(&waiting("CreateContainerError", "container create failed: mount `/x` to `/y`: Permission denied"));
    assert!(mount.summary.contains("`/y`"), "{}", mount.summary);
    let user = best(&never_ran("unable to find user appuser: no matching entries in passwd file"));
    assert_eq!((user.cause, user.confidence), (Cause::ContainerCreateRejected, Confidence::High));
    assert!(user.summary.contains("not in the image"), "{}", user.summary);
}

#[test]
fn a_proxy_and_a_registry_without_any_password_are_told_apart_from_a_missing_repository() {
    let proxy = best(&waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"x\": failed to do request: Head \"https://reg.example/v2/\": Proxy Authentication Required",
    ));
    assert_eq!(proxy.cause, Cause::ImageRegistryUnreachable);
    let bare = best(&waiting(
        "ErrImagePull",
        "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
    ));
    assert_eq!(bare.cause, Cause::ImageAccessDenied);
    let secret = event(
        "FailedToRetrieveImagePullSecret",
        "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
        "2026-11-22T10:00:00Z",
    );
    let unread = best_with(&waiting("ImagePullBackOff", "Back-off pulling image \"x\""), &[secret]);
    assert_eq!((unread.cause, unread.confidence), (Cause::ImageAccessDenied, Confidence::Medium));
    assert!(unread.summary.contains("regcred"), "{}", unread.summary);
    let strange = best(&waiting("ErrImagePull", "unexpected status: 412 Precondition Failed"));
    assert!(strange.cause == Cause::ImagePullCauseUnseen && strange.summary.contains("412 Precondition Failed"), "{}", strange.summary);
}

#[test]
fn a_message_that_podsight_does_not_know_is_shown_and_not_called_missing() {
    let found = best(&waiting("CreateContainerConfigError", "field label not supported: spec.foo"));
    assert_eq!(found.cause, Cause::ContainerConfigCauseUnseen);
    assert!(found.summary.contains("field label not supported"), "{}", found.summary);
}

#[test]
fn an_event_of_the_node_is_of_the_same_time_as_the_kill() {
    let system = |at: &str| event("SystemOOM", "System OOM encountered, victim process: java, pid: 4242", at);
    let mut killed = ended(137, "");
    killed["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "512Mi"}});
    killed["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] = json!("OOMKilled");
    assert_eq!(best_with(&killed, &[system("2026-11-22T10:00:30Z")]).cause, Cause::OomNode);
    assert_eq!(best_with(&killed, &[system("2026-11-22T03:00:00Z")]).cause, Cause::OomContainerLimit);
}

#[test]
fn a_restart_for_a_new_image_is_no_failure() {
    let end = json!({"terminated": {"reason": "Completed", "exitCode": 0, "startedAt": "2026-11-22T10:00:00Z", "finishedAt": "2026-11-22T10:01:00Z"}});
    let mut changed = pod(
        json!({}),
        json!({"ready": true, "restartCount": 1, "state": {"running": {"startedAt": "2026-11-22T10:01:01Z"}}, "lastState": end}),
    );
    changed["status"]["phase"] = json!("Running");
    let killing = |at: &str| event("Killing", "Container main definition changed, will be restarted", at);
    let found = best_with(&changed, &[killing("2026-11-22T10:00:59Z")]);
    assert_eq!(found.cause, Cause::Healthy);
    assert!(found.summary.contains("its definition in the spec was changed"), "{}", found.summary);
    assert_eq!(best_with(&changed, &[killing("2026-11-22T09:00:00Z")]).cause, Cause::CompletedButRestarted);
}

#[test]
fn a_pod_that_is_not_ready_with_ready_containers_has_a_silent_node() {
    let mut silent = pod(json!({}), json!({"ready": true, "state": {"running": {}}}));
    silent["status"]["phase"] = json!("Running");
    silent["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]);
    let found = best(&silent);
    assert_eq!((found.cause, found.confidence), (Cause::NodeUnreachable, Confidence::Medium));
    silent["spec"]["readinessGates"] = json!([{"conditionType": "x/y"}]);
    assert_eq!(best(&silent).cause, Cause::ReadinessFailing);
}

#[test]
fn words_of_storage_network_and_devices_are_handed_on() {
    let creating = || pod(json!({}), json!({"state": {"waiting": {"reason": "ContainerCreating"}}}));
    let at = "2026-11-22T10:00:00Z";
    for (reason, message, cause, words) in [
        (
            "FailedMount",
            "MountVolume.SetUp failed for volume \"nfs\" : mount failed: exit status 32\nMounting arguments: -t nfs\nOutput: mount.nfs: Connection timed out",
            Cause::VolumeMountFailed,
            "mount.nfs: Connection timed out",
        ),
        (
            "FailedMount",
            "MountVolume.MountDevice failed for volume \"pvc-8\" : kubernetes.io/csi: driver name ebs.csi.aws.com not found in the list of registered CSI drivers",
            Cause::VolumeMountFailed,
            "storage driver ebs.csi.aws.com",
        ),
        (
            "FailedMount",
            "MountVolume.SetUp failed for volume \"kube-api-access-x\" : object \"n\"/\"kube-root-ca.crt\" not registered",
            Cause::VolumeMountFailed,
            "passes by itself",
        ),
        (
            "FailedCreatePodSandBox",
            "Failed to create pod sandbox: failed to setup network for sandbox \"4a\": plugin type=\"calico\" failed (add): error getting ClusterInformation: connection is unauthorized",
            Cause::SandboxFailed,
            "calico fails: error getting ClusterInformation",
        ),
        (
            "FailedCreatePodSandBox",
            "Failed to create pod sandbox: failed to get sandbox image \"registry.k8s.io/pause:3.10\": failed to pull image: dial tcp 1.2.3.4:443: i/o timeout",
            Cause::SandboxFailed,
            "registry.k8s.io/pause:3.10",
        ),
        (
            "FailedPrepareDynamicResources",
            "Failed to prepare dynamic resources: NodePrepareResources failed for claim n/g: DRA driver gpu.nvidia.com is not registered",
            Cause::RuntimeFailing,
            "gpu.nvidia.com",
        ),
    ] {
        let found = best_with(&creating(), &[event(reason, message, at)]);
        assert_eq!(found.cause, cause, "{message}");
        assert!(found.summary.contains(words), "{}", found.summary);
    }
    let raw = best(&waiting("failed to get sandbox runtime: no runtime for \"runsc\" is configured", ""));
    assert_eq!(raw.cause, Cause::SandboxFailed);
}

#[test]
fn refusals_of_one_reason_each_have_advice_of_their_own() {
    let mut seen = std::collections::HashSet::new();
    for (reason, message) in [
        ("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed"),
        ("NodePorts", "Pod was rejected: Predicate NodePorts failed"),
        ("TaintToleration", "Pod was rejected: Predicate TaintToleration failed"),
        ("Evicted", "Pod was rejected: The node had condition: [DiskPressure]. "),
        ("Evicted", "The node was low on resource: inodes. "),
        ("Evicted", "The node was low on resource: pids. "),
        ("Evicted", "The node was low on resource: memory. "),
    ] {
        let pod = json!({"metadata": {"name": "a"}, "spec": {"nodeName": "w"}, "status": {"phase": "Failed", "reason": reason, "message": message}});
        let found = best(&pod);
        assert!(seen.insert(format!("{} {:?}", found.summary, found.next)), "{}", found.summary);
    }
    let resize = json!({"metadata": {"name": "a"}, "spec": {"nodeName": "w", "containers": [{"name": "m"}]}, "status": {"phase": "Running",
        "containerStatuses": [{"name": "m", "ready": true, "state": {"running": {}}}],
        "conditions": [{"type": "PodResizeInProgress", "status": "True", "reason": "Error", "message": "attempting to set pod memory limit below current usage"}]}});
    let found = best(&resize);
    assert_eq!((found.cause, found.confidence), (Cause::AdmissionNodeFull, Confidence::Medium));
}

#[test]
fn the_scheduler_that_has_no_nodes_or_ill_ones_is_told_apart_from_full_ones() {
    let pending = |message: &str| {
        json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "m"}]},
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}})
    };
    let none = best(&pending("no nodes available to schedule pods"));
    assert!(none.confidence == Confidence::Medium && none.summary.contains("no node that the scheduler could look at"), "{}", none.summary);
    let ill = best(&pending("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }."));
    assert!(ill.cause == Cause::UnschedulableTaint && ill.summary.contains("are not well (not-ready)"), "{}", ill.summary);
}

#[test]
fn the_line_that_names_the_failure_is_quoted_and_not_the_trace_below_it() {
    for (code, message, words) in [
        (
            2,
            "panic: nil pointer dereference\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:17 +0x1d\n",
            "panic: nil pointer dereference",
        ),
        (
            101,
            "thread 'main' panicked at src/main.rs:3:5:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`\n",
            "index out of bounds",
        ),
        (1, "Exception in thread \"main\" java.lang.IllegalStateException: no port\n\tat a.B.c(B.java:3)\n", "no port"),
        (1, "Traceback (most recent call last):\n  File \"a.py\"\nKeyError: 'x'\n", "KeyError: 'x'"),
    ] {
        let found = best(&ended(code, message));
        assert!(found.summary.contains(words), "{}", found.summary);
    }
}

#[test]
fn a_full_disk_that_the_program_tells_of_may_be_its_own() {
    assert_eq!(best(&ended(1, "write /data/wal: no space left on device\n")).confidence, Confidence::Medium);
    assert_eq!(
        best(&waiting("ErrImagePull", "failed to extract layer: write /var/lib/containerd/x: no space left on device")).confidence,
        Confidence::High
    );
}

#[test]
fn that_nothing_was_killed_is_no_moment() {
    let written = json!({"v": 1, "containers": {"main": {"kills": 0, "incidents": 0, "first": "2026-11-22T10:00:30Z", "last": "2026-11-22T10:00:30Z",
        "scope": null, "limit": null, "peak": null, "visible": true, "verdict": "oom-flag-false", "recent": []}}, "unattributed": 0, "lost": 0});
    let mut flagged = ended(137, "");
    flagged["metadata"]["annotations"] = json!({"podsight.dev/oom": written.to_string()});
    flagged["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] = json!("OOMKilled");
    for lang in [Lang::En, Lang::Zh] {
        let explanation = explain(&Input { lang, ..Input::new(&flagged) });
        assert_eq!(explanation.causes[0].cause, Cause::OomFlagFalse);
        let said: Vec<&str> = explanation.timeline.iter().map(|moment| moment.text.as_str()).collect();
        assert!(!said.iter().any(|text| text.contains("kernel") || text.contains("内核")), "{said:?}");
        assert!(
            explanation.causes[0]
                .evidence
                .iter()
                .any(|evidence| evidence.text.contains("killed nothing") || evidence.text.contains("没有杀死"))
        );
    }
}
