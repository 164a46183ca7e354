//! `post-start-fails`

use crate::rule::{Subject, declare_rule};
use crate::runtime::outcome::{self, Outcome};
use crate::runtime::probes;
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds postStart hooks that cannot succeed: a script that ends in a literal failure, a line that is no program, `sh -c` without a script.
    ///
    /// ## What happens without a change
    ///
    /// The kubelet kills the container as soon as its hook fails: `PostStartHookError`, then `CrashLoopBackOff`, mostly with exit code 137 and no trace in the log.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     lifecycle: {postStart: {exec: {command: ["touch /tmp/started"]}}}
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
    ///   - name: web
    ///     image: nginx:1.27
    ///     lifecycle: {postStart: {exec: {command: ["touch", "/tmp/started"]}}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Whether the programs of the hook are in the image is not known.
    PostStartFails {
        id: "post-start-fails", group: "lifecycle", certainty: Certain, predicts: [PostStartHookFailed],
        en: "a postStart hook that cannot succeed", zh: "不可能成功的 postStart 钩子", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some((hook, pointer)) = probes::hook(container, "postStart") else { continue };
        let Some(line) = probes::exec(hook) else { continue };
        let (en, zh) = match outcome::of(&line) {
            Outcome::Ends { code: Some(code), .. } if code != 0 => {
                (format!("its script ends with exit {code}"), format!("脚本以 {code} 退出"))
            }
            Outcome::NoProgram => ("its first word is no program".to_owned(), "第一个词不是程序".to_owned()),
            Outcome::Broken => ("its script has a syntax error".to_owned(), "脚本有语法错误".to_owned()),
            Outcome::NoScript => ("its shell has no script".to_owned(), "shell 没有脚本".to_owned()),
            Outcome::Ends { .. } | Outcome::Unknown => continue,
        };
        findings.push(
            Finding::new(rule, format!("{pointer}/exec/command"))
                .within(container)
                .saying(format!("PostStartHookError, the container is killed: {en}"), format!("PostStartHookError，容器会被杀死：{zh}"))
                .helped_by(
                    "a hook must end with code 0; one word an item, or [\"sh\", \"-c\", \"line\"]",
                    "钩子必须以 0 结束；每个词一项，或 [\"sh\", \"-c\", \"一行\"]",
                ),
        );
    }
}
