//! `shell-without-script`

use crate::rule::{Subject, declare_rule};
use crate::runtime::line::script_index;
use crate::{Finding, Rule};
use podsight_spec::Role;

declare_rule! {
    /// ## What it does
    ///
    /// Finds `sh -c` (bash, ash, dash, zsh, ksh) with nothing behind it, or with an empty script.
    ///
    /// ## What happens without a change
    ///
    /// Without a script the shell ends with code 2 ("-c requires an argument"), with an empty one with 0: `CrashLoopBackOff`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - {name: web, image: "busybox:1.37", command: ["/bin/sh", "-c"]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - {name: web, image: "busybox:1.37", command: ["/bin/sh", "-c", "httpd -f"]}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent where only `command` is given and the manifest is a patch whose `args` may stand elsewhere.
    ShellWithoutScript {
        id: "shell-without-script", group: "command", certainty: Certain, predicts: [CommandSyntaxError, CompletedButRestarted],
        en: "a shell with -c and no script", zh: "带 -c 却没有脚本的 shell", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.is_partial() {
        return;
    }
    for container in subject.containers.iter().filter(|container| container.role != Role::Ephemeral) {
        if container.command().is_none() {
            continue;
        }
        let line = container.line();
        let Some(index) = script_index(&line) else { continue };
        let finding = match line.get(index) {
            None => Finding::new(rule, container.line_pointer(index.saturating_sub(1)))
                .predicting(&[podsight_cause::Cause::CommandSyntaxError])
                .saying("CrashLoopBackOff (exit 2): the shell's -c has no script", "CrashLoopBackOff（退出码 2）：shell 的 -c 后没有脚本"),
            Some(script) if script.trim().is_empty() && container.role == Role::Main => Finding::new(rule, container.line_pointer(index))
                .predicting(&[podsight_cause::Cause::CompletedButRestarted])
                .saying("CrashLoopBackOff (exit 0): the shell's script is empty", "CrashLoopBackOff（退出码 0）：shell 的脚本为空"),
            Some(_) => continue,
        };
        findings.push(finding.within(container).helped_by("put the script behind -c, as one item", "把脚本作为一项写在 -c 后面"));
    }
}
