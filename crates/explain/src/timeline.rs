//! What happened to a pod when.

use crate::candidate::{describe, say};
use crate::case::{Case, event_quote};
use crate::explanation::{Moment, Source};
use crate::quote::bounded;
use crate::view::View as _;

/// The most moments that are given: the newest.
const MOST: usize = 200;

/// The moments of the pod, oldest first.
pub(crate) fn timeline(case: &Case<'_>) -> Vec<Moment> {
    let mut moments = Vec::new();
    let meta = case.pod.value.get_or_null("metadata");
    let mut add = |at: Option<jiff::Timestamp>, container: &str, source: Source, bad: bool, text: String| {
        let container = Some(bounded(container, 100)).filter(|name| !name.is_empty());
        moments.extend(at.map(|at| Moment { at, container, source, bad, text: bounded(&text, 300) }));
    };
    add(meta.time("creationTimestamp"), "", Source::Pod, false, say!(case, "created", "创建"));
    add(case.pod.status.time("startTime"), "", Source::Pod, false, say!(case, "accepted by the kubelet", "kubelet 开始处理"));
    add(case.pod.deletion, "", Source::Pod, true, say!(case, "grace period of the deletion ends", "删除的宽限期结束"));
    for container in &case.pod.containers {
        for end in [&container.last, &container.ended].into_iter().flatten() {
            add(end.started, container.name, Source::Pod, false, say!(case, "started", "启动"));
            add(end.finished, container.name, Source::Pod, !end.clean(), describe(end, case.lang));
        }
        add(container.running_since, container.name, Source::Pod, false, say!(case, "started, runs", "启动并在运行"));
    }
    for (condition, value) in case.pod.conditions.iter().zip(case.pod.status.list("conditions")) {
        let text = format!("{} {} {}", condition.kind, condition.status, condition.reason);
        add(value.time("lastTransitionTime"), "", Source::Pod, false, text.trim_end().to_owned());
    }
    for event in &case.events {
        add(event.last, event.container.as_deref().unwrap_or_default(), Source::Event, event.warning, event_quote(event).text);
    }
    // That nothing was killed is no moment.
    for proof in case.proofs.iter().filter(|proof| proof.kills > 0) {
        let text = proof.evidence.first().map(|evidence| evidence.text.clone()).unwrap_or_default();
        let source = proof.evidence.first().map_or(Source::Kernel, |evidence| evidence.source);
        add(proof.last, &proof.container, source, true, text);
    }
    moments.sort_by_key(|moment| moment.at);
    let surplus = moments.len().saturating_sub(MOST);
    moments.drain(..surplus);
    moments
}
