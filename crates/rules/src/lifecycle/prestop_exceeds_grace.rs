//! `prestop-exceeds-grace`

use crate::rule::{Subject, declare_rule};
use crate::runtime::{outcome, probes};
use crate::{Finding, Rule};
use serde_json::Value;

/// `DefaultTerminationGracePeriodSeconds`
const DEFAULT_GRACE: u64 = 30;

declare_rule! {
    /// ## What it does
    ///
    /// Finds preStop hooks that sleep as long as `terminationGracePeriodSeconds` or longer. The grace period begins with the hook, not behind it.
    ///
    /// ## What happens without a change
    ///
    /// When the hook is done, or before, the grace period is over: the program gets no time to end by itself and is killed with SIGKILL, exit code 137, at every
    /// rollout, scale-down and drain.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   terminationGracePeriodSeconds: 60
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     lifecycle: {preStop: {exec: {command: ["sleep", "60"]}}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   terminationGracePeriodSeconds: 90
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     lifecycle: {preStop: {exec: {command: ["sleep", "60"]}}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only sleeps with a number are counted, not what else the hook does. A grace period that is set on deletion (`kubectl delete --grace-period`) is not known.
    PrestopExceedsGrace {
        id: "prestop-exceeds-grace", group: "lifecycle", certainty: Certain, predicts: [StopGraceExceeded],
        en: "a preStop hook that uses up the grace period", zh: "preStop 钩子用尽了终止宽限期", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let given = subject.workload.pod.get("terminationGracePeriodSeconds");
    if given.is_none() && subject.workload.is_partial() {
        return;
    }
    let grace = match given {
        None | Some(Value::Null) => DEFAULT_GRACE,
        Some(value) => match value.as_u64() {
            Some(grace) if grace > 0 => grace,
            // Zero means no grace at all: somebody wants it so.
            _ => return,
        },
    };
    for container in subject.containers {
        let Some((hook, pointer)) = probes::hook(container, "preStop") else { continue };
        let (sleep, pointer) = if let Some(line) = probes::exec(hook) {
            (outcome::sleeps(&line), format!("{pointer}/exec/command"))
        } else {
            (hook.pointer("/sleep/seconds").and_then(Value::as_u64), format!("{pointer}/sleep/seconds"))
        };
        let Some(sleep) = sleep.filter(|sleep| *sleep >= grace) else { continue };
        findings.push(
            Finding::new(rule, pointer)
                .within(container)
                .saying(
                    format!("SIGKILL (exit 137) at every stop: preStop sleeps {sleep} s of {grace} s grace"),
                    format!("每次停止都会被 SIGKILL（退出码 137）：preStop 睡眠 {sleep} 秒，宽限期只有 {grace} 秒"),
                )
                .helped_by(
                    format!("set terminationGracePeriodSeconds to {} plus what the program needs to end", sleep.saturating_add(1)),
                    format!("把 terminationGracePeriodSeconds 设为 {} 加上程序结束所需的时间", sleep.saturating_add(1)),
                ),
        );
    }
}
