//! What messages of the kubelet, the runtimes, the registries and the scheduler come to.

use crate::{Confidence, Explained, Input, explain};
use podsight_cause::Cause;
use serde_json::{Value, json};

fn best(pod: &Value) -> Explained {
    explain(&Input::new(pod)).causes.remove(0)
}

/// A pod whose only container waits like this.
fn waiting(reason: &str, message: &str) -> Value {
    json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"nodeName": "worker", "containers": [{"name": "main", "image": "acme/main:1"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}]}})
}

/// A pod whose only container ended like this again and again.
fn ended(code: i64, message: &str) -> Value {
    json!({"metadata": {"name": "a", "namespace": "n"}, "spec": {"containers": [{"name": "main", "image": "acme/main:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "Error", "exitCode": code, "message": message}}}]}})
}

/// What a container that waits like this comes to.
fn all_are(reason: &str, cause: Cause, messages: &[&str]) {
    for message in messages {
        assert_eq!(best(&waiting(reason, message)).cause, cause, "{message}");
    }
}

#[test]
fn only_a_file_that_was_to_be_run_is_a_command_that_is_missing() {
    all_are(
        "RunContainerError",
        Cause::CommandNotFound,
        &[
            r#"runc create failed: unable to start container process: exec: "/srv/x": stat /srv/x: no such file or directory: unknown"#,
            r#"starting container process caused "exec: \"x\": stat x: no such file or directory": unknown"#,
            "runc create failed: unable to start container process: error during container init: exec /srv/x: no such file or directory",
            "crun: executable file `x` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found",
            "hcs::System::CreateProcess main: The system cannot find the file specified.: unknown",
        ],
    );
    all_are(
        "RunContainerError",
        Cause::ContainerCreateRejected,
        &[
            "error running prestart hook #0: exit status 1, stderr: nvidia-container-cli: load library failed: libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown",
        ],
    );
    all_are(
        "RunContainerError",
        Cause::RuntimeFailing,
        &[
            "unable to retrieve OCI runtime error (open /run/containerd/x/log.json: no such file or directory): runc did not terminate successfully: exit status 127: unknown",
            r#"OCI runtime create failed: exec: "/usr/bin/crun": executable file not found in $PATH: unknown"#,
            "unable to apply cgroup configuration: failed to write 1: openat2 /sys/fs/cgroup/unified/x/cgroup.procs: no such file or directory: unknown",
        ],
    );
}

#[test]
fn a_service_that_is_missing_is_told_by_whole_words() {
    let module = ended(1, "Traceback (most recent call last):\nModuleNotFoundError: No module named 'x'");
    assert_ne!(best(&module).cause, Cause::DependencyUnavailable);
    let words = best(&ended(1, "connection timed out, please look at the release notes"));
    assert_eq!((words.cause, words.confidence), (Cause::DependencyUnavailable, Confidence::Medium));
    let refused = best(&ended(1, "Error: connect ECONNREFUSED 10.0.0.1:5432"));
    assert_eq!((refused.cause, refused.confidence), (Cause::DependencyUnavailable, Confidence::High));
}

#[test]
fn the_sum_of_the_limits_for_storage_is_the_pods_own() {
    let mut pod = ended(137, "");
    pod["status"]["phase"] = json!("Failed");
    pod["status"]["reason"] = json!("Evicted");
    pod["status"]["message"] = json!("Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ");
    assert_eq!(best(&pod).cause, Cause::EvictedOwnStorageLimit);
}

#[test]
fn pulls_fail_in_the_words_of_many_registries() {
    all_are(
        "ErrImagePull",
        Cause::ImageNotFound,
        &[
            "Error response from daemon: repository acme/x not found: does not exist or no pull access",
            "Error response from daemon: unknown: artifact acme/x:1 not found",
            "rpc error: code = 2 desc = Error: image acme/x:1 not found",
        ],
    );
    all_are(
        "ErrImagePull",
        Cause::ImageRegistryUnreachable,
        &[r#"failed to do request: Head "https://reg.example/v2/x/manifests/1": EOF"#],
    );
    let store = "failed to prepare extraction snapshot \"x\": mkdir /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/new-1: read-only file system";
    all_are("ErrImagePull", Cause::RuntimeFailing, &[store]);
    all_are("RunContainerError", Cause::SecretMissing, &[r#"GenerateRunContainerOptions: secrets "db" not found"#]);
    all_are("PostStartHookError: command 'x' exited with 126: ", Cause::PostStartHookFailed, &[""]);
    all_are(
        "RunContainerError",
        Cause::ImageWrongPlatform,
        &["The container operating system does not match the host operating system.: unknown"],
    );
}

#[test]
fn a_value_of_a_cgroup_that_is_refused_is_no_want_of_memory() {
    let message =
        "error setting cgroup config for procHooks process: failed to write \"1\": write /sys/fs/cgroup/x/cpu.max: invalid argument";
    all_are("RunContainerError", Cause::ContainerCreateRejected, &[message]);
}

#[test]
fn old_schedulers_name_their_predicates() {
    for (message, cause) in [
        (
            "No nodes are available that match all of the predicates: Insufficient cpu (2), PodToleratesNodeTaints (1).",
            Cause::UnschedulableResources,
        ),
        ("pod (a) failed to fit in any node\nfit failure summary on nodes : Insufficient memory (3)", Cause::UnschedulableResources),
        ("0/3 nodes are available: 3 MatchNodeSelector.", Cause::UnschedulableNodeSelector),
        ("0/3 nodes are available: 3 PodToleratesNodeTaints.", Cause::UnschedulableTaint),
        ("0/3 nodes are available: 3 PodFitsHostPorts.", Cause::UnschedulablePlacementRule),
        ("pod has unbound PersistentVolumeClaims (repeated 3 times)", Cause::PvcUnbound),
        ("waiting for dynamic resource controller to create the resourceclaim \"gpu\"", Cause::ClaimMissing),
    ] {
        let conditions = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]);
        let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "main"}]}, "status": {"phase": "Pending", "conditions": conditions}});
        assert_eq!(best(&pod).cause, cause, "{message}");
    }
}

#[test]
fn a_code_of_windows_and_words_of_a_program_are_told_apart() {
    assert_eq!(best(&ended(-1_073_741_515, "")).cause, Cause::CommandNotFound);
    assert_eq!(best(&ended(4_294_967_295, "")).cause, Cause::AppError);
    assert_eq!(best(&ended(1, "record not found\nexiting\n")).cause, Cause::AppError);
    assert_eq!(best(&ended(127, "sh: 1: x: not found\n")).cause, Cause::CommandNotFound);
}

#[test]
fn commands_choose_the_list_that_the_container_stands_in() {
    let mut pod = waiting("PodInitializing", "");
    pod["spec"]["initContainers"] = json!([{"name": "setup", "image": "acme/setup:1"}]);
    pod["status"]["initContainerStatuses"] = json!([{"name": "setup", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]);
    let commands = best(&pod).next.into_iter().map(|step| step.command).collect::<Vec<_>>();
    assert!(commands.iter().any(|command| command.contains(".status.initContainerStatuses[*]")), "{commands:?}");
}
