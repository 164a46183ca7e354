//! `nothing-to-run`

use crate::rule::{Subject, declare_rule};
use crate::runtime::base_image;
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::{RestartPolicy, Role};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds base images (busybox, alpine, ubuntu, debian, python, golang and the like) without a command under `restartPolicy: Always`. By themselves they run
    /// a shell or a prompt, which ends at once where nobody can type.
    ///
    /// ## What happens without a change
    ///
    /// The container ends with code 0, is started again, and ends again: `Completed`, then `CrashLoopBackOff`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: tools}
    /// spec:
    ///   containers: [{name: tools, image: "busybox:1.37"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: tools}
    /// spec:
    ///   containers: [{name: tools, image: "busybox:1.37", command: ["sleep", "infinity"]}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only official images and their copies are known. Silent with `stdin: true`: then the shell waits. What another registry serves under the same name is not
    /// known.
    NothingToRun {
        id: "nothing-to-run", group: "command", certainty: Certain, predicts: [CompletedButRestarted],
        en: "a base image without a command", zh: "没有 command 的基础镜像", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.restart_policy() != Some(RestartPolicy::Always) || subject.workload.is_partial() {
        return;
    }
    for container in subject.containers.iter().filter(|container| container.role == Role::Main) {
        let Some(image) = container.image() else { continue };
        let own = container
            .value
            .get("command")
            .or_else(|| container.value.get("args"))
            .is_some_and(|words| !words.is_null() && words.as_array().is_none_or(|words| !words.is_empty()));
        let waits = container.value.get("stdin").and_then(Value::as_bool) == Some(true);
        // A container's own restart policy goes before the pod's.
        let restarts = container.value.get("restartPolicy").is_none_or(|policy| policy == "Always");
        if own || waits || !restarts || !base_image::runs_a_prompt(image) {
            continue;
        }
        let image = shown(image, 32);
        findings.push(
            Finding::new(rule, container.at("/image"))
                .within(container)
                .saying(
                    format!("CrashLoopBackOff (exit 0): {image} ends without a command"),
                    format!("CrashLoopBackOff（退出码 0）：没有 command，{image} 启动后立即结束"),
                )
                .helped_by(
                    "give a command that runs on, such as [\"sleep\", \"infinity\"]",
                    "给出持续运行的 command，例如 [\"sleep\", \"infinity\"]",
                ),
        );
    }
}
