//! `liveness-window`

use crate::rule::{Subject, declare_rule};
use crate::runtime::probes::{self, ProbeKind};
use crate::{Finding, Rule};
use podsight_spec::Role;

/// Programs that start in less than this are rare enough, and nodes slow enough, that the first restart is a matter of time.
const SHORTEST: i64 = 10;

declare_rule! {
    /// ## What it does
    ///
    /// Finds liveness probes (or startup probes, where there is one) that give the program less than 10 seconds from its start to the kill:
    /// `initialDelaySeconds + periodSeconds × failureThreshold`.
    ///
    /// ## What happens without a change
    ///
    /// A start that takes longer, on a busy node or with a cold cache, is killed: exit code 137 or 143, `CrashLoopBackOff`, "Container … failed liveness probe,
    /// will be restarted". The restarts load the node further.
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
    ///     image: example.com/web:1.0
    ///     livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, failureThreshold: 3}
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
    ///     image: example.com/web:1.0
    ///     startupProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 2, failureThreshold: 30}
    ///     livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 10, failureThreshold: 3}
    /// ```
    ///
    /// ## Known limits
    ///
    /// How long the program takes to start is not known: that is why it is "likely". Silent in patches, where the other numbers may stand elsewhere.
    LivenessWindow {
        id: "liveness-window", group: "probe", certainty: Likely, predicts: [ProbeKill],
        en: "a liveness probe that leaves no time to start", zh: "存活探针没有留出启动时间", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if subject.workload.is_partial() {
        return;
    }
    for container in subject.containers.iter().filter(|container| matches!(container.role, Role::Main | Role::Sidecar)) {
        let probes = probes::of(container);
        // The startup probe holds the liveness probe back.
        let Some(probe) = probes.iter().find(|probe| matches!(probe.kind, ProbeKind::Startup | ProbeKind::Liveness)) else { continue };
        let window = probe.window();
        if window >= SHORTEST {
            continue;
        }
        let name = if probe.kind == ProbeKind::Startup { "startup" } else { "liveness" };
        findings.push(
            Finding::new(rule, probe.pointer.clone())
                .within(container)
                .saying(
                    format!("killed {window} s after its start (exit 137 or 143) unless {name} answers by then"),
                    format!("启动后 {window} 秒内 {name} 探针没有成功就会被杀死（退出码 137 或 143）"),
                )
                .helped_by("add a startupProbe that allows for the slowest start", "加一个能容纳最慢启动的 startupProbe"),
        );
    }
}
