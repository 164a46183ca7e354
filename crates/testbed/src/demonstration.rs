//! What a user came for: warnings at `kubectl apply`, evidence after a kill, answers on the command line.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::kernel_log::KernelLog;
use crate::testbed::{Kernel, Testbed};
use crate::wait::until;
use crate::{command, folders, interrupt};

/// How long evidence may take to be on a pod: the image is there, the kill takes a second or two, the guest is slow.
const EVIDENCE_LIMIT: Duration = Duration::from_mins(2);

/// Lines of an answer that are shown: enough to see what it is like.
const SHOWN_LINES: usize = 30;

/// A workload of `demo/` and what podsight is to say about it.
struct Workload {
    file: &'static str,
    /// Rule of the one warning.
    warns: Option<&'static str>,
    /// The pod that the kernel kills in.
    killed: Option<&'static str>,
    /// Needs the second node.
    on_guest: bool,
}

const WORKLOADS: [Workload; 8] = [
    warned("memory-tiny.yaml", "memory-tiny"),
    warned("image-invalid.yaml", "image-invalid"),
    warned("heap-over-limit.yaml", "heap-over-limit"),
    warned("root-contradiction.yaml", "root-contradiction"),
    Workload { file: "sound.yaml", warns: None, killed: None, on_guest: false },
    Workload { file: "killed.yaml", warns: None, killed: Some("killed"), on_guest: false },
    Workload { file: "child-killed.yaml", warns: None, killed: Some("child-killed"), on_guest: false },
    Workload { file: "group-killed.yaml", warns: None, killed: Some("group-killed"), on_guest: true },
];

const fn warned(file: &'static str, rule: &'static str) -> Workload {
    Workload { file, warns: Some(rule), killed: None, on_guest: false }
}

/// The demonstration's manifests.
pub fn folder() -> Result<PathBuf> {
    Ok(folders::repository()?.join("crates/testbed/demo"))
}

/// Applies the workloads and writes to `out` what a user sees; gives what should have been there and was not.
pub fn show(testbed: &mut Testbed, out: &mut dyn Write) -> Result<Vec<String>> {
    let mut log = matches!(testbed.kernel, Kernel::Real(_)).then(KernelLog::from_now).transpose()?;
    let mut missing = vec![];
    let workloads: Vec<&Workload> = WORKLOADS.iter().filter(|workload| !workload.on_guest || testbed.guest.is_ok()).collect();
    for workload in &workloads {
        apply(testbed, workload, out, &mut missing)?;
    }
    let killed: Vec<&str> = workloads.iter().filter_map(|workload| workload.killed).collect();
    let file = testbed.folder.join("kernel.kmsg");
    if let Kernel::Recorded(recorded, _) = &testbed.kernel {
        recorded.play(&mut testbed.processes, &testbed.plane, &killed, &file)?;
    }
    for pod in &killed {
        testbed.progress.step(&format!("wait for the evidence on pod/{pod}"));
        wait_for_evidence(testbed, pod, &mut missing)?;
    }
    testbed.progress.done();

    for arguments in [&["get", "pods", "-o", "wide"][..], &["get", "pods", "-A", "-l", "podsight.dev/oom-killed"]] {
        writeln!(out, "\n$ kubectl {}", arguments.join(" "))?;
        write!(out, "{}", testbed.plane.kubectl.run(arguments)?)?;
    }
    writeln!(out)?;
    for pod in &killed {
        let annotation =
            testbed.plane.kubectl.run(&["get", "pod", pod, "-o", r"jsonpath={.metadata.annotations.podsight\.dev/oom-killed}"])?;
        writeln!(out, "pod/{pod}  podsight.dev/oom-killed: {annotation}")?;
    }
    if let Some(log) = &mut log {
        fs::write(&file, log.read()?).with_context(|| format!("write {}", file.display()))?;
    }
    answer(testbed, &["kmsg", &file.display().to_string()], out, &mut missing)?;
    for pod in killed {
        answer(testbed, &["explain", pod], out, &mut missing)?;
    }
    Ok(missing)
}

fn apply(testbed: &Testbed, workload: &Workload, out: &mut dyn Write, missing: &mut Vec<String>) -> Result<()> {
    interrupt::check()?;
    let path = folder()?.join(workload.file);
    writeln!(out, "\n$ kubectl apply -f {}", workload.file)?;
    let said = testbed.plane.kubectl.output(&["apply", "-f", &path.display().to_string()])?;
    write!(out, "{}{}", said.stderr, said.stdout)?;
    let warnings: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("Warning:")).collect();
    match (workload.warns, warnings.as_slice()) {
        (Some(rule), [one]) if one.ends_with(&format!("[{rule}]")) => {}
        (None, []) => {}
        (Some(rule), _) => missing.push(format!("{}: exactly one warning [{rule}]", workload.file)),
        (None, _) => missing.push(format!("{}: silence; it is no reason for a warning", workload.file)),
    }
    if !said.status.success() {
        missing.push(format!("{}: it is refused, and podsight never refuses", workload.file));
    }
    Ok(())
}

fn wait_for_evidence(testbed: &mut Testbed, pod: &str, missing: &mut Vec<String>) -> Result<()> {
    let kubectl = testbed.plane.kubectl.clone();
    let mut seen = Value::Null;
    let waited = until("evidence", EVIDENCE_LIMIT, || {
        testbed.processes.check()?;
        seen = kubectl.get(&["pod", pod])?;
        Ok(lacking(&seen).is_empty().then_some(()))
    });
    interrupt::check()?;
    testbed.processes.check()?;
    if waited.is_err() {
        missing.extend(lacking(&seen).into_iter().map(|what| format!("pod/{pod}: {what}")));
    }
    Ok(())
}

/// What of the contract's evidence is not on the pod.
fn lacking(pod: &Value) -> Vec<&'static str> {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
    let json = text("/metadata/annotations/podsight.dev~1oom").and_then(|text| serde_json::from_str::<Value>(text).ok());
    let kills = json.as_ref().and_then(|json| json.pointer("/containers/main/kills")).and_then(Value::as_u64);
    let mut lacking = vec![];
    if text("/metadata/annotations/podsight.dev~1oom-killed").is_none_or(str::is_empty) {
        lacking.push("the annotation podsight.dev/oom-killed");
    }
    if kills.is_none_or(|kills| kills == 0) {
        lacking.push("the annotation podsight.dev/oom with the kills of its container main");
    }
    if text("/metadata/labels/podsight.dev~1oom-killed") != Some("true") {
        lacking.push("the label podsight.dev/oom-killed");
    }
    lacking
}

fn answer(testbed: &Testbed, arguments: &[&str], out: &mut dyn Write, missing: &mut Vec<String>) -> Result<()> {
    writeln!(out, "\n$ podsight {}", arguments.join(" "))?;
    let said = podsight(testbed, arguments)?;
    write!(out, "{}{}", said.stderr, head(&said.stdout))?;
    if !said.status.success() || said.stdout.trim().is_empty() {
        missing.push(format!("podsight {}: an answer", arguments.join(" ")));
    }
    Ok(())
}

/// The beginning of a long answer.
fn head(text: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    match lines.split_at_checked(SHOWN_LINES) {
        Some((shown, rest)) if !rest.is_empty() => format!("{}   … {} more lines\n", shown.concat(), rest.len()),
        _ => text.to_owned(),
    }
}

fn podsight(testbed: &Testbed, arguments: &[&str]) -> Result<command::Output> {
    let mut command = Command::new(testbed.podsight.join("podsight"));
    command.args(arguments).env("KUBECONFIG", testbed.plane.kubectl.kubeconfig()).env("LC_ALL", "C.UTF-8");
    command::output(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn evidence_is_both_annotations_and_the_label() {
        let nothing = lacking(&json!({"metadata": {"name": "a"}}));
        assert_eq!(nothing.len(), 3);
        let evidence = r#"{"v": 1, "containers": {"main": {"kills": 2}}}"#;
        let mut pod = json!({"metadata": {
            "annotations": {"podsight.dev/oom-killed": "main: killed", "podsight.dev/oom": evidence},
            "labels": {"podsight.dev/oom-killed": "true"},
        }});
        assert!(lacking(&pod).is_empty());
        pod["metadata"]["annotations"]["podsight.dev/oom"] = json!("{}");
        assert_eq!(lacking(&pod), ["the annotation podsight.dev/oom with the kills of its container main"]);
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert_eq!(head("a\nb\n"), "a\nb\n");
        let cut = head(&"line\n".repeat(SHOWN_LINES + 2));
        assert!(cut.ends_with("line\n   … 2 more lines\n") && cut.lines().count() == SHOWN_LINES + 1, "{cut}");
    }

    #[test]
    fn every_workload_is_shown() {
        let mut files: Vec<_> =
            fs::read_dir(folder().unwrap()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let mut shown = WORKLOADS.map(|workload| workload.file);
        shown.sort_unstable();
        assert_eq!(files, shown);
    }
}
