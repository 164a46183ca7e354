//! `probe-always-fails`

use crate::rule::{Subject, declare_rule};
use crate::runtime::outcome::{self, Outcome};
use crate::runtime::probes::{self, ProbeKind};
use crate::{Finding, Rule};
use podsight_cause::Cause;

declare_rule! {
    /// ## What it does
    ///
    /// Finds exec probes that cannot succeed: a literal `exit 1` or `false`, a whole line in one word (no shell reads it), `sh -c` without a script, or a sleep
    /// as long as the probe's timeout.
    ///
    /// ## What happens without a change
    ///
    /// Liveness and startup: the container is killed again and again, exit code 137 or 143, `CrashLoopBackOff`. Readiness: the pod runs and is never `Ready`;
    /// no Service sends it anything and no rollout goes on.
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
    ///     readinessProbe: {exec: {command: ["curl -f localhost"]}}
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
    ///     readinessProbe: {exec: {command: ["curl", "-f", "localhost"]}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Whether the programs of the probe are in the image, and what they answer, is not known.
    ProbeAlwaysFails {
        id: "probe-always-fails", group: "probe", certainty: Certain, predicts: [ProbeKill, ReadinessFailing],
        en: "a probe that cannot succeed", zh: "不可能成功的探针", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        for probe in probes::of(container) {
            let Some(line) = probes::exec(probe.value) else { continue };
            let timeout = probe.number("timeoutSeconds", 1);
            let (en, zh) = match outcome::of(&line) {
                Outcome::Ends { code: Some(code), .. } if code != 0 => {
                    (format!("its command ends with exit {code}"), format!("命令以 {code} 退出"))
                }
                Outcome::Ends { after, .. } if i64::try_from(after).unwrap_or(i64::MAX) > timeout && !subject.workload.is_partial() => {
                    (format!("it sleeps {after} s, its timeout is {timeout} s"), format!("睡眠 {after} 秒，超时只有 {timeout} 秒"))
                }
                Outcome::NoProgram => ("its first word is no program".to_owned(), "第一个词不是程序".to_owned()),
                Outcome::Broken => ("its script has a syntax error".to_owned(), "脚本有语法错误".to_owned()),
                Outcome::NoScript => ("its shell has no script".to_owned(), "shell 没有脚本".to_owned()),
                Outcome::Ends { .. } | Outcome::Unknown => continue,
            };
            let (fate, fate_zh, cause): (_, _, &'static [Cause]) = match probe.kind {
                ProbeKind::Readiness => ("never Ready", "永远不会 Ready", &[Cause::ReadinessFailing]),
                ProbeKind::Liveness | ProbeKind::Startup => {
                    ("killed again and again (exit 137)", "会被反复杀死（退出码 137）", &[Cause::ProbeKill])
                }
            };
            findings.push(
                Finding::new(rule, format!("{}/exec/command", probe.pointer))
                    .within(container)
                    .predicting(cause)
                    .saying(
                        format!("{fate}: {} fails, {en}", probe.kind.field()),
                        format!("{fate_zh}：{} 总是失败，{zh}", probe.kind.field()),
                    )
                    .helped_by(
                        "a probe must end with code 0 in time; one word an item, or [\"sh\", \"-c\", \"line\"]",
                        "探针必须及时以 0 结束；每个词一项，或 [\"sh\", \"-c\", \"一行\"]",
                    ),
            );
        }
    }
}
