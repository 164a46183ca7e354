//! `command-ends-at-once`

use crate::rule::{Subject, declare_rule};
use crate::runtime::line::script_index;
use crate::runtime::outcome::{self, Outcome};
use crate::{Certainty, Finding, Rule};
use podsight_cause::Cause;
use podsight_spec::{RestartPolicy, Role};

/// The kubelet forgets the failures of a container that ran for ten minutes (`MaxContainerBackOff` twice): one that ends earlier is put off longer each time.
const BACK_OFF_RESET: u64 = 600;

declare_rule! {
    /// ## What it does
    ///
    /// Finds commands and scripts that can be seen to end: `exit 1`, `echo hello`, `true && exit 0`, `sleep 5`. Under `restartPolicy: Always` the container is started again each
    /// time; an init container that fails keeps the pod from starting.
    ///
    /// ## What happens without a change
    ///
    /// `CrashLoopBackOff`, with exit code 0 (`Completed`) or the script's own; for an init container `Init:CrashLoopBackOff`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: hello}
    /// spec:
    ///   containers:
    ///   - {name: hello, image: "busybox:1.37", command: ["sh", "-c", "echo starting; exit 1"]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: hello}
    /// spec:
    ///   template:
    ///     spec:
    ///       restartPolicy: Never
    ///       containers:
    ///       - {name: hello, image: "busybox:1.37", command: ["sh", "-c", "echo hello"]}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only scripts without `if`, `case`, loops, pipes and background jobs are judged, and only if each program that may run in them is known to end: behind `&&` and `||` those count
    /// whose turn comes. A sleep of ten minutes and more
    /// is let through: the kubelet forgets earlier failures by then. In a Job a failing script is a hint: it may be what the Job tests.
    CommandEndsAtOnce {
        id: "command-ends-at-once", group: "command", certainty: Certain, predicts: [CompletedButRestarted, AppError],
        en: "a command that ends at once and is started again and again", zh: "立即结束、反复重启的命令", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers.iter().filter(|container| container.role != Role::Ephemeral) {
        if container.command().is_none() && !container.image().is_some_and(crate::runtime::base_image::has_no_entrypoint) {
            continue;
        }
        let line = container.line();
        let Outcome::Ends { code, after } = outcome::of(&line) else { continue };
        // shell-without-script says it.
        let script = script_index(&line).and_then(|index| line.get(index));
        if container.role == Role::Main && script.is_some_and(|script| script.trim().is_empty()) {
            continue;
        }
        if container.role == Role::Main && container.value.get("restartPolicy").is_some_and(|policy| policy != "Always") {
            continue;
        }
        let failing = code.is_some_and(|code| code != 0);
        let always = subject.workload.restart_policy() == Some(RestartPolicy::Always) && container.role == Role::Main
            || container.role == Role::Sidecar;
        if (!always && !failing) || after >= BACK_OFF_RESET {
            continue;
        }
        let job = container.role == Role::Main && subject.workload.restart_policy() != Some(RestartPolicy::Always);
        let shown = code.map_or_else(|| "ends".to_owned(), |code| format!("exit {code}"));
        let shown_zh = code.map_or_else(|| "会结束".to_owned(), |code| format!("退出码 {code}"));
        let state = if container.role == Role::Init {
            "Init:CrashLoopBackOff"
        } else if job {
            "Error"
        } else {
            "CrashLoopBackOff"
        };
        let when =
            if after == 0 { ("at once".to_owned(), "立即".to_owned()) } else { (format!("after {after} s"), format!("{after} 秒后")) };
        let help = help(subject, container.role, job, code);
        let cause: &'static [Cause] = if failing { &[Cause::AppError] } else { &[Cause::CompletedButRestarted] };
        findings.push(
            Finding::new(rule, container.line_pointer(container.line().len().saturating_sub(1)))
                .within(container)
                .at_most(if job { Certainty::Hint } else { Certainty::Certain })
                .predicting(cause)
                .saying(
                    format!("{state} ({shown}): the command ends {} each time", when.0),
                    format!("{state}（{shown_zh}）：命令每次{}结束", when.1),
                )
                .helped_by(help.0, help.1),
        );
    }
}

/// What to do about it: by what the container is for, and whether it fails.
fn help(subject: &Subject<'_>, role: Role, job: bool, code: Option<u8>) -> (&'static str, &'static str) {
    match (role, code) {
        (Role::Init, _) => {
            ("an init container must end with code 0: the pod waits for that", "初始化容器必须以退出码 0 结束：Pod 会一直等待")
        }
        (Role::Sidecar, _) => (
            "run something that stays, or leave out restartPolicy: Always if it is to end before the others start",
            "运行不会结束的程序；如果它应在其他容器启动前结束，去掉 restartPolicy: Always",
        ),
        _ if job => ("end with code 0 once the work is done", "工作完成后以退出码 0 结束"),
        (_, Some(1..)) => (
            "run something that stays; in a Job it would fail as well, until it ends with code 0",
            "运行不会结束的程序；在 Job 中它也会失败，除非退出码为 0",
        ),
        _ if subject.workload.is_pod() => (
            "run something that stays, or set restartPolicy to OnFailure or Never if this is all its work",
            "运行不会结束的程序；如果这就是全部工作，把 restartPolicy 设为 OnFailure 或 Never",
        ),
        _ => ("run something that stays, or use a Job", "运行不会结束的程序，或改用 Job"),
    }
}
