//! Whole outputs of the verbs that explain, in both languages.

#![expect(clippy::unwrap_used, reason = "a test ends at its first error, and its helpers with it")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../explain/fixtures"))
}

fn podsight(words: &[&str], input: Option<&str>) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_podsight"))
        .args(words)
        .current_dir(fixtures())
        .env("LC_ALL", "C.UTF-8")
        .env_remove("PODSIGHT_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.unwrap_or_default().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Standard output and standard error of a run, and how it ended.
fn said(words: &[&str], input: Option<&str>) -> String {
    let Output { status, stdout, stderr } = podsight(words, input);
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    let mut said = format!("$ podsight {}\n{stdout}", words.join(" "));
    if !stderr.is_empty() {
        said.extend(["--- standard error\n", &stderr]);
    }
    if status.code() != Some(0) {
        said.extend(["--- exit status ", &status.code().unwrap().to_string(), "\n"]);
    }
    said
}

fn both(words: &[&str]) -> String {
    ["en", "zh"].map(|lang| said(&[words, &["--lang", lang]].concat(), None)).join("\n")
}

#[test]
fn explain_as_text() {
    insta::assert_snapshot!(both(&["explain", "-f", "probe_kill.yaml"]));
}

#[test]
fn explain_as_markdown() {
    insta::assert_snapshot!(both(&["explain", "-f", "oom_container_limit.yaml", "-o", "markdown"]));
}

#[test]
fn explain_as_json() {
    insta::assert_snapshot!(both(&["explain", "-f", "configmap_missing.yaml", "-o", "json"]));
}

#[test]
fn explain_as_html() {
    insta::assert_snapshot!(said(&["explain", "-f", "probe_kill.yaml", "-o", "html"], None));
}

#[test]
fn one_line_a_pod_worst_first() {
    let files = ["healthy", "probe_kill", "app_native_crash", "completed", "unschedulable_resources", "oom_flag_false"];
    let files: Vec<String> = files.iter().map(|name| format!("-f{name}.yaml")).collect();
    let words: Vec<&str> = ["explain", "--all"].into_iter().chain(files.iter().map(String::as_str)).collect();
    insta::assert_snapshot!(both(&words));
}

#[test]
fn what_was_asked_for_and_nothing_else() {
    insta::assert_snapshot!(
        [
            said(&["explain", "-f", "healthy.yaml", "-f", "completed.yaml", "-l", "app=nobody"], None),
            said(&["explain", "-f", "healthy.yaml", "no-such-pod"], None),
            said(&["explain", "-f", "no-such-file.yaml"], None),
            said(&["explain", "-f", "-"], Some("")),
        ]
        .join("\n")
    );
}

/// Whatever comes, there is a line of answer.
#[test]
fn any_input_gets_an_answer() {
    let whole = r#"{"kind": "Pod", "metadata": {"name": "a", "namespace": "b"}, "status": {"phase": "Failed", "reason": "Evic"#;
    let inputs = [
        whole,
        r#"{"kind": "Pod", "metadata": null, "spec": null, "status": null}"#,
        r#"{"kind": "Pod", "status": {"containerStatuses": [null, 5, {"name": "m", "state": {"waiting": {"reason": "Something new"}}}]}}"#,
        r#"{"kind": "Deployment", "metadata": {"name": "web", "namespace": "b"}, "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "pods \"web-x\" is forbidden: exceeded quota: small"}]}}"#,
        "metadata: {name: a}\nstatus: {phase: Running, containerStatuses: [{name: m, ready: tru",
        "[]",
        "a line of text",
    ];
    insta::assert_snapshot!(inputs.map(|input| format!("{input}\n{}", said(&["explain", "-f", "-"], Some(input)))).join("\n"));
}

/// What people paste: pieces of pods, and what kubectl prints for the eye.
#[test]
fn pieces_and_printed_texts_get_an_answer() {
    let describe = "Name:         web-0\nNamespace:    shop\nNode:         worker-1/10.0.0.1\nStatus:       Running\nContainers:\n  app:\n    Image:          acme/app:1\n    \
        State:          Waiting\n      Reason:       CrashLoopBackOff\n    Last State:     Terminated\n      Reason:       OOMKilled\n      Exit Code:    137\n      \
        Started:      Sun, 22 Nov 2026 10:00:00 +0000\n      Finished:     Sun, 22 Nov 2026 10:00:09 +0000\n    Ready:          False\n    Restart Count:  5\n    \
        Limits:\n      memory:  64Mi\nEvents:\n  Type     Reason   Age               From     Message\n  ----     ------   ----              ----     -------\n  \
        Warning  BackOff  1m (x9 over 3m)   kubelet  Back-off restarting failed container app in pod web-0\n";
    let inputs = [
        r#"{"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. "}"#,
        r#"{"name": "app", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 138, "reason": "Error"}}}"#,
        r#"[{"name": "app", "ready": true, "state": {"running": {}}}, {"name": "log", "state": {"terminated": {"exitCode": 127, "reason": "Error"}}}]"#,
        r#"{"terminated": {"exitCode": 139, "reason": "Error"}}"#,
        r#"{"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\": ErrImagePull: x: not found"}"#,
        describe,
        "NAME    READY   STATUS             RESTARTS      AGE\nweb-0   0/1     ImagePullBackOff   0             5m\nweb-1   1/1     Running            3 (2m ago)    5m\n",
        "LAST SEEN   TYPE      REASON             OBJECT      MESSAGE\n5m          Warning   FailedScheduling   pod/web-0   0/3 nodes are available: 3 Insufficient cpu.\n",
        "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/1     1            0           5m\n",
        r#"{"kind": "Node", "metadata": {"name": "worker-1"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."}]}}"#,
    ];
    insta::assert_snapshot!(inputs.map(|input| format!("{input}\n{}", said(&["explain", "-f", "-"], Some(input)))).join("\n"));
}

#[test]
fn the_columns_of_an_older_server() {
    let pod = r#"{"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "x"}, {"name": "y"}], "restartPolicy": "Never"},
        "status": {"phase": "Failed", "containerStatuses": [
            {"name": "x", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
            {"name": "y", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}}"#;
    let second = |version: &str| {
        let said = said(&["explain", "-f", "-", "--server-version", version], Some(pod));
        said.lines().nth(2).unwrap_or_default().to_owned()
    };
    assert!(second("1.34").starts_with("  Completed · 0/2"), "{}", second("1.34"));
    assert!(second("1.35").starts_with("  Error · 0/2"), "{}", second("1.35"));
}

#[test]
fn oom() {
    insta::assert_snapshot!(
        [
            both(&["oom", "-f", "oom_container_limit.yaml", "-f", "healthy.yaml"]),
            both(&["oom", "-f", "healthy.yaml"]),
            said(&["oom", "-f", "oom_container_limit.yaml", "-o", "json"], None),
        ]
        .join("\n")
    );
}

#[test]
fn reason() {
    insta::assert_snapshot!(
        [
            both(&["reason", "CrashLoopBackOff"]),
            both(&["reason", "seccomp", "killed"]),
            both(&["reason", "Init:2/3"]),
            both(&["reason", "CrashLopBackOf"]),
            both(&["reason", "NoSuchThingAtAll"]),
            said(&["reason", "m.internalLifecycle.PreStartContainer", "-o", "json"], None),
        ]
        .join("\n")
    );
}

#[test]
fn all_reasons() {
    insta::assert_snapshot!(both(&["reason"]));
}

#[test]
fn exit_code() {
    insta::assert_snapshot!(
        [
            both(&["exit-code", "137", "-1", "-256", "300", "128", "SIGTERM"]),
            both(&["exit-code", "-1073741819", "9223372036854775807"]),
            both(&["exit-code", "nonsense"]),
            said(&["exit-code", "143", "-o", "json"], None),
        ]
        .join("\n")
    );
}
