//! `shell-swallows-sigterm`

use crate::rule::{Subject, declare_rule};
use crate::runtime::line::script_index;
use crate::{Finding, Rule};
use podsight_spec::{RestartPolicy, Role, shell};

declare_rule! {
    /// ## What it does
    ///
    /// Finds `sh -c` scripts that end in a long-running program without `exec` and set no trap. The shell is process 1 and does not pass signals on.
    ///
    /// ## What happens without a change
    ///
    /// At each rollout SIGTERM reaches the shell alone; the program is killed with SIGKILL when the grace period ends: exit code 137 where 143 or 0 was due,
    /// and requests that are cut off. Nothing fails while the pod runs.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "example.com/web:1.0", command: ["sh", "-c", "migrate; serve --port 8080"]}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "example.com/web:1.0", command: ["sh", "-c", "migrate; exec serve --port 8080"]}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// A hint. A script of one simple command is let through: most shells replace themselves by it.
    ShellSwallowsSigterm {
        id: "shell-swallows-sigterm", group: "command", certainty: Hint, predicts: [StopGraceExceeded],
        en: "a shell that does not pass signals on", zh: "不转发信号的 shell", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.restart_policy() != Some(RestartPolicy::Always) {
        return;
    }
    for container in subject.containers.iter().filter(|container| container.role == Role::Main) {
        let line = container.line();
        let Some(index) = script_index(&line) else { continue };
        let Some(script) = line.get(index).map(|script| shell::parse(script)) else { continue };
        let handles = |name: &str| matches!(name, "exec" | "trap" | "tini" | "dumb-init");
        let Some(last) = script.commands.last() else { continue };
        let passes_on = script.partial
            || script.commands.len() < 2
            || last.depth > 0
            || script.commands.iter().any(|command| command.words.first().is_some_and(|word| handles(&word.text)));
        if passes_on {
            continue;
        }
        findings.push(
            Finding::new(rule, container.line_pointer(index))
                .within(container)
                .saying("exit 137 at each rollout: the shell does not pass SIGTERM on", "每次滚动更新都会以 137 结束：shell 不转发 SIGTERM")
                .helped_by("put exec in front of the last program", "在最后一个程序前加 exec"),
        );
    }
}
