//! The timing of probes (`pkg/kubelet/prober/worker.go`).

use crate::candidate::say;
use crate::case::Case;
use crate::container::{Container, End};
use crate::explanation::Evidence;
use crate::view::View as _;
use serde_json::Value;

/// Whether a container's life fits a stop by one of its probes.
pub(crate) enum Fit {
    /// It ended within the few seconds in which the probe would have ended it.
    Exact(Vec<Evidence>),
    /// It has such a probe and lived long enough.
    Possible(Vec<Evidence>),
}

/// How many failures in a row it takes; the default of the API is 3.
pub(crate) fn threshold(container: &Container<'_>, probe: &str) -> i64 {
    container.spec.get_or_null(probe).integer("failureThreshold").unwrap_or(3).max(1)
}

/// Compares the life of a container with the probes that could have ended it.
pub(crate) fn fit(case: &Case<'_>, container: &Container<'_>, end: &End<'_>) -> Option<Fit> {
    let life = end.life()?;
    let mut possible = None;
    for kind in ["startupProbe", "livenessProbe"] {
        let probe = container.spec.get_or_null(kind);
        if !probe.is_object() {
            continue;
        }
        let seconds = |key: &str, default: i64| probe.integer(key).unwrap_or(default).clamp(0, 1_000_000);
        let (delay, period, timeout) =
            (seconds("initialDelaySeconds", 0), seconds("periodSeconds", 10).max(1), seconds("timeoutSeconds", 1).max(1));
        let failures = threshold(container, kind);
        let grace = probe
            .integer("terminationGracePeriodSeconds")
            .or_else(|| case.pod.spec.integer("terminationGracePeriodSeconds"))
            .unwrap_or(30)
            .clamp(0, 1_000_000);
        // 143 came with the request to stop, 137 at the end of the grace period; a process that ignores nothing may also be gone at once.
        let grace = if end.code == Some(137) { grace } else { 0 };
        let earliest = delay.saturating_add((failures - 1).saturating_mul(period)).saturating_add(grace);
        let latest = delay.saturating_add(failures.saturating_mul(period.max(timeout))).saturating_add(period).saturating_add(grace);
        let text = say!(
            case,
            "delay {delay}s, period {period}s, {failures} failures, grace {grace}s: an end {earliest} to {latest}s after the start; it ran {life}s",
            "延迟 {delay} 秒、周期 {period} 秒、失败 {failures} 次、宽限 {grace} 秒：应在启动后 {earliest} 到 {latest} 秒结束；实际运行 {life} 秒"
        );
        let evidence = vec![Case::fact(format!("{}/{kind}", container.spec_pointer), text)];
        let starts_late = kind == "livenessProbe" && container.spec.get_or_null("startupProbe") != &Value::Null;
        if (earliest - 1..=latest + 2).contains(&life) && !starts_late {
            return Some(Fit::Exact(evidence));
        }
        if life >= earliest && kind == "livenessProbe" {
            possible = Some(Fit::Possible(evidence));
        }
    }
    possible
}
