//! `command-misspelt`

use crate::near::distance;
use crate::rule::{Subject, declare_rule};
use crate::runtime::line::{base_name, programs};
use crate::text::shown;
use crate::{Finding, Rule};

/// Programs that most people type, of at least four letters or unlike any other.
const KNOWN: [&str; 44] = [
    "bash",
    "busybox",
    "cat",
    "chmod",
    "chown",
    "curl",
    "date",
    "docker",
    "echo",
    "envoy",
    "find",
    "gunicorn",
    "grep",
    "httpd",
    "java",
    "kill",
    "kubectl",
    "mkdir",
    "mongod",
    "mysql",
    "mysqld",
    "nginx",
    "node",
    "nohup",
    "npm",
    "npx",
    "perl",
    "php",
    "ping",
    "pip",
    "postgres",
    "printf",
    "python",
    "python3",
    "redis-server",
    "ruby",
    "sleep",
    "sudo",
    "tail",
    "test",
    "touch",
    "uvicorn",
    "wget",
    "yarn",
];

declare_rule! {
    /// ## What it does
    ///
    /// Finds a program whose name is one letter away from a well-known one: `wge` for `wget`, `slepe` for `sleep`.
    ///
    /// ## What happens without a change
    ///
    /// If there is no such program in the image: `StartError` with exit code 128 on containerd, and within a shell exit code 127 ("not found").
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: fetch}
    /// spec:
    ///   restartPolicy: Never
    ///   containers: [{name: fetch, image: "busybox:1.37", command: ["wge", "-O", "/tmp/x", "http://example.com"]}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: fetch}
    /// spec:
    ///   restartPolicy: Never
    ///   containers: [{name: fetch, image: "busybox:1.37", command: ["wget", "-O", "/tmp/x", "http://example.com"]}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// A hint: a program may really have that name. Names with a path are let through.
    CommandMisspelt {
        id: "command-misspelt", group: "command", certainty: Hint, predicts: [CommandNotFound],
        en: "a command that looks misspelt", zh: "疑似拼写错误的命令", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        if container.command().is_none() {
            continue;
        }
        for program in programs(container) {
            let Some(name) = program.first().filter(|name| name.literal) else { continue };
            if name.text.contains('/') || name.text.len() < 3 || KNOWN.contains(&base_name(&name.text)) {
                continue;
            }
            // Numbers and words such as `test1` are names of their own.
            if !name.text.bytes().all(|byte| byte.is_ascii_lowercase()) {
                continue;
            }
            let Some(meant) = KNOWN.iter().find(|known| known.len() >= 4 && distance(&name.text, known) == 1) else { continue };
            findings.push(
                Finding::new(rule, name.pointer())
                    .within(container)
                    .saying(
                        format!("StartError (exit 128) or exit 127 if {} is a slip of {meant}", shown(&name.text, 30)),
                        format!("如果 {} 是 {meant} 的笔误：StartError（退出码 128）或退出码 127", shown(&name.text, 30)),
                    )
                    .helped_by(format!("did you mean {meant}?"), format!("是否想写 {meant}？")),
            );
        }
    }
}
