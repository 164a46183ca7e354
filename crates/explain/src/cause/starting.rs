//! `starting`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    if case.pod.deleting || case.pod.over() || case.unscheduled() {
        return;
    }
    let waiting = case.pod.containers.iter().find(|container| container.is_waiting && NOT_YET.contains(&container.waiting));
    let booting = case.pod.containers.iter().find(|container| {
        container.running
            && !container.ready
            && container.spec.get_or_null("startupProbe").is_object()
            && !container.status.is_true("started")
    });
    let bound = case.setting_up()
        && (!case.pod.node.is_empty() || case.pod.condition("PodScheduled").is_some_and(|condition| condition.status == "True"));
    if waiting.is_none() && booting.is_none() && !(bound && case.pod.phase == "Pending") {
        return;
    }
    let network = case.pod.condition("PodReadyToStartContainers");
    let pulling = case.events.iter().rev().find(|event| matches!(event.reason.as_str(), "Pulling" | "Pulled"));
    let mut candidate = case
        .candidate(Cause::Starting, Level::Rest, 45, Medium)
        .of_some(booting.or(waiting).filter(|_| case.only_container().is_some()).or_else(|| case.only_container()));
    let summary = if let Some(container) = booting {
        let name = named(case, container);
        candidate = candidate.fact(Case::fact(format!("{}/started", container.status_pointer), "false"));
        say!(case, "{name} runs, and its startup probe has not passed yet.", "{name} 在运行，启动探针尚未通过。")
    } else if let Some(event) = pulling.filter(|event| event.reason == "Pulling") {
        candidate = candidate.quote(&event_quote(event));
        say!(case, "The node is pulling an image.", "节点正在拉取镜像。")
    } else if let Some(condition) = network.filter(|condition| condition.status == "False") {
        candidate = candidate.fact(Case::fact(condition.pointer.clone(), "PodReadyToStartContainers False"));
        say!(
            case,
            "The pod has no sandbox yet: volumes, network or the runtime are being set up. If it stays so, an event says what is in the way.",
            "Pod 还没有沙箱：卷、网络或运行时正在准备。如果一直如此，事件会说明受阻的原因。"
        )
    } else {
        say!(
            case,
            "The pod is being set up (image, volumes, network). Nothing here shows a failure; if it stays so, an event says what is in the way.",
            "Pod 正在准备（镜像、卷、网络），没有失败迹象；如果一直如此，事件会说明受阻的原因。"
        )
    };
    if let Some(container) = waiting {
        candidate = candidate.fact(Case::fact(
            format!("{}/state/waiting", container.status_pointer),
            if container.waiting.is_empty() { say!(case, "no reason given", "没有写明原因") } else { container.waiting.to_owned() },
        ));
    }
    if let Some(container) = booting {
        let path = format!("{{.spec.{}[?(@.name==\"{}\")].startupProbe}}", container.list(), container.name);
        found.push(
            candidate
                .say(summary)
                .step(case.read(
                    &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
                    say!(
                        case,
                        "Shows what is asked and for how long: periodSeconds times failureThreshold.",
                        "查看探针的内容和时限：periodSeconds 乘以 failureThreshold。"
                    ),
                ))
                .step(case.logs(container, say!(case, "Shows how far the start has come.", "查看启动到了哪一步。"))),
        );
        return;
    }
    found.push(candidate.say(summary).step(case.pod_events(say!(
        case,
        "FailedMount, FailedCreatePodSandBox or Pulling: the newest event names the step it is at.",
        "FailedMount、FailedCreatePodSandBox 或 Pulling：最新的事件会写明进行到哪一步。"
    ))));
}
