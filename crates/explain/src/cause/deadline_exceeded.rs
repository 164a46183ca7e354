//! `deadline-exceeded`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let quote = case.pod_text(&["active on the node longer than the specified deadline", "job was active longer than specified deadline"]);
    if case.pod.reason != "DeadlineExceeded" && quote.is_none() {
        return;
    }
    let seconds = case.pod.spec.integer("activeDeadlineSeconds");
    let mut candidate = case
        .candidate(Cause::DeadlineExceeded, Level::Pod, 96, High)
        .ended(case)
        .fact(Case::fact("/status/reason", case.pod.reason.clone()));
    if let Some(quote) = quote {
        candidate = candidate.quote(quote);
    }
    if let Some(seconds) = seconds {
        candidate = candidate.fact(Case::fact("/spec/activeDeadlineSeconds", format!("{seconds}s")));
    }
    let limit = seconds.map_or_else(String::new, |seconds| say!(case, " of {seconds}s", " {seconds} 秒"));
    found.push(
        candidate
            .say(say!(case, "The pod ran longer than its activeDeadlineSeconds{limit}, so the kubelet stopped it. Waiting for image and volumes counts too.", "Pod 的运行时间超过了 activeDeadlineSeconds{limit}，被 kubelet 停止。等待镜像和卷的时间也计算在内。"))
            .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={.status.startTime} {.status.containerStatuses[*].state}"], say!(case, "Shows how much of the time went into starting.", "查看其中有多少时间花在启动上。"))),
    );
}
