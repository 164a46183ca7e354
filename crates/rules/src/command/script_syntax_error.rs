//! `script-syntax-error`

use crate::rule::{Subject, declare_rule};
use crate::runtime::line::{base_name, script_index};
use crate::{Finding, Rule};
use podsight_spec::Role;
use podsight_spec::shell::{self, Broken};

declare_rule! {
    /// ## What it does
    ///
    /// Finds scripts of `sh -c` that no shell can parse: a `fi` or `done` too many or too few, a quote that is not closed.
    ///
    /// ## What happens without a change
    ///
    /// The shell ends before the first command: "syntax error", exit code 2, `CrashLoopBackOff`; a Job fails.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: work}
    /// spec:
    ///   containers:
    ///   - {name: work, image: "busybox:1.37", command: [sh, -c, "while true; do work; fi"]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: work}
    /// spec:
    ///   containers:
    ///   - {name: work, image: "busybox:1.37", command: [sh, -c, "while true; do work; done"]}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Scripts with here-documents, `case`, functions and other things that are not read are let through.
    ScriptSyntaxError {
        id: "script-syntax-error", group: "command", certainty: Certain, predicts: [CommandSyntaxError],
        en: "a shell script that no shell can parse", zh: "任何 shell 都无法解析的脚本", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers.iter().filter(|container| container.role != Role::Ephemeral) {
        let line = container.line();
        let Some(index) = script_index(&line) else { continue };
        // Other shells have a grammar of their own.
        if !line.iter().take(index).any(|word| matches!(base_name(word), "sh" | "bash" | "dash" | "ash")) {
            continue;
        }
        let Some(broken) = line.get(index).and_then(|script| shell::parse(script).broken) else { continue };
        let (en, zh) = match broken {
            Broken::Stray(keyword) => (format!("\"{keyword}\" has no beginning"), format!("\"{keyword}\" 没有对应的开头")),
            Broken::Unclosed(keyword) => (format!("\"{keyword}\" is not closed"), format!("\"{keyword}\" 没有结束")),
        };
        findings.push(
            Finding::new(rule, container.line_pointer(index))
                .within(container)
                .saying(
                    format!("ends at once (exit 2), syntax error in the script: {en}"),
                    format!("立即结束（退出码 2），脚本语法错误：{zh}"),
                )
                .helped_by("try the script with sh -n", "用 sh -n 检查脚本"),
        );
    }
}
