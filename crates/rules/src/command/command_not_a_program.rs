//! `command-not-a-program`

use crate::rule::{Subject, declare_rule};
use crate::runtime::base_image;
use crate::runtime::outcome::{NoProgram, why_no_program};
use crate::text::shown;
use crate::{Finding, Rule};

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `command` whose first word cannot be a program: a whole command line in one word, shell syntax, a variable that only a shell fills in, or a
    /// word of the shell's own. No shell reads `command`: the first word is the file that is run.
    ///
    /// ## What happens without a change
    ///
    /// The runtime finds no such file: on containerd `RunContainerError`, `StartError` with exit code 128, then `CrashLoopBackOff`; on CRI-O
    /// `CreateContainerError`; on Docker `ContainerCannotRun` with exit code 127.
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
    ///     image: eclipse-temurin:21
    ///     command: ["java -jar /app.jar"]
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
    ///     image: eclipse-temurin:21
    ///     command: ["java", "-jar", "/app.jar"]
    /// ```
    ///
    /// ## Known limits
    ///
    /// `args` are looked at only where there is no command and the image is a base image without an entry point. Words such as `cd` and `ulimit`, which some
    /// images have as programs, are let through; whether a program is in the image is not known.
    CommandNotAProgram {
        id: "command-not-a-program", group: "command", certainty: Certain, predicts: [CommandNotFound],
        en: "a command that is no program but a shell's line", zh: "command 不是程序，而是一行 shell 命令", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // The runtime joins the words to one command line there.
    let pod = subject.workload.pod;
    let system = pod.pointer("/os/name").or_else(|| pod.pointer("/nodeSelector/kubernetes.io~1os"));
    if system.is_some_and(|system| system == "windows") {
        return;
    }
    for container in subject.containers {
        let line = container.line();
        let Some(program) = line.first() else { continue };
        // Without a command the image's entry point comes first, unless it is known to have none.
        if container.command().is_none() && !container.image().is_some_and(base_image::has_no_entrypoint) {
            continue;
        }
        let Some(reason) = why_no_program(program) else { continue };
        let word = shown(program, 32);
        let (en, zh) = match reason {
            NoProgram::Empty => ("an empty word".to_owned(), "空字符串".to_owned()),
            NoProgram::Blanks => (format!("\"{word}\" is a line, not a program"), format!("\"{word}\" 是一行命令，不是程序")),
            NoProgram::Syntax => (format!("\"{word}\" needs a shell"), format!("\"{word}\" 需要 shell")),
            NoProgram::Expansion => (format!("only a shell fills in \"{word}\""), format!("只有 shell 才会展开 \"{word}\"")),
            NoProgram::Builtin => (format!("\"{word}\" is a shell's own word"), format!("\"{word}\" 是 shell 内建命令")),
        };
        findings.push(
            Finding::new(rule, container.line_pointer(0))
                .within(container)
                .saying(format!("cannot start (StartError, exit 128): {en}"), format!("无法启动（StartError，退出码 128）：{zh}"))
                .helped_by(
                    "one word an item: [\"program\", \"argument\"], or [\"sh\", \"-c\", \"line\"]",
                    "每个词一项：[\"program\", \"argument\"]，或 [\"sh\", \"-c\", \"一行\"]",
                ),
        );
    }
}
