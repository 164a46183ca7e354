//! `unknown`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let kind = case.pod.value.text("kind");
    if !matches!(kind, "" | "Pod") {
        found.push(no_pod(case, kind));
        return;
    }
    let first = case.troubled().next();
    let empty = case.pod.spec.is_null() && case.pod.status.is_null();
    let mut candidate = case.candidate(Cause::Unknown, Level::Rest, 0, Low);
    let summary = if empty {
        say!(
            case,
            "The input holds neither spec nor status of a pod, so nothing can be told from it.",
            "输入中既没有 Pod 的 spec 也没有 status，无从判断。"
        )
    } else if case.pod.status.as_object().is_none_or(serde_json::Map::is_empty) {
        say!(
            case,
            "The input holds no status of the pod, as a manifest does: nothing has happened yet. podsight check says what it will come to.",
            "输入中没有 Pod 的 status，像是一份清单：还什么都没有发生。podsight check 可以预测它会怎样。"
        )
    } else if let Some((_, container)) = first {
        candidate = candidate.of(container);
        let said = if container.waiting.is_empty() { String::new() } else { shown(container.waiting) };
        if !said.is_empty() {
            candidate = candidate.fact(Case::fact(
                format!("{}/state/waiting", container.status_pointer),
                format!("{said}: {}", shown(container.waiting_message)),
            ));
        }
        if let Some(end) = container.end() {
            candidate = candidate.end(end);
        }
        let name = named(case, container);
        let state = if said.is_empty() { String::new() } else { say!(case, " ({said})", "（{said}）") };
        let lost = container.end().is_some_and(|end| end.code == Some(-1));
        if lost {
            say!(
                case,
                "{name} ended, and its runtime does not know with which code: -1 is what CRI-O writes in the place of a code that was lost, as after a restart of the node or of the runtime.",
                "{name} 已结束，但运行时不知道退出码：-1 是退出码丢失时 CRI-O 写入的值，例如节点或运行时重启之后。"
            )
        } else {
            say!(
                case,
                "Something is wrong with {name}{state}, but the cause cannot be told from this input.",
                "{name} 不正常{state}，但仅凭现有输入无法判断原因。"
            )
        }
    } else if !case.pod.reason.is_empty() {
        let (reason, message) = (shown(&case.pod.reason), shown(case.pod.message));
        candidate = candidate.fact(Case::fact("/status/reason", format!("{reason}: {message}")));
        say!(
            case,
            "The pod has the reason {reason}, which podsight does not know: {message}",
            "Pod 的原因是 {reason}，podsight 不认识：{message}"
        )
    } else {
        say!(case, "The cause cannot be told from this input.", "仅凭现有输入无法判断原因。")
    };
    candidate = candidate
        .say(summary)
        .step(case.read(&["describe", "pod", case.pod.name], say!(case, "Shows state and events together.", "同时显示状态和事件。")));
    if let Some((_, container)) = first {
        candidate = candidate.step(case.logs(container, say!(case, "Shows the program's own words.", "查看程序自己的输出。")));
    }
    found.push(candidate);
}

/// An object that is no pod: what its conditions say, and where its pods are.
fn no_pod(case: &Case<'_>, kind: &str) -> Candidate {
    let own = super::other_kind::find(case, kind);
    let kind = shown(kind);
    let told = own.is_some();
    let mut candidate = own.unwrap_or_else(|| case.candidate(Cause::Unknown, Level::Rest, 0, Low)).fact(Case::fact("/kind", kind.clone()));
    // What its own answer rests on is there already.
    for condition in case.pod.conditions.iter().filter(|condition| !told && !condition.message.is_empty()).take(4) {
        candidate = candidate.fact(Case::fact(
            condition.pointer.clone(),
            format!("{} {} {}: {}", condition.kind, condition.status, condition.reason, shown(condition.message)),
        ));
    }
    let selector = case.pod.spec.get_or_null("selector");
    let labels = if selector.get_or_null("matchLabels").is_object() { selector.get_or_null("matchLabels") } else { selector };
    let list: Vec<String> =
        labels.as_object().into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    let pods = match kind.as_str() {
        "Node" if told => None,
        "PersistentVolumeClaim" => None,
        "Node" => case.read_cluster(
            &["get", "pods", "-A", "-o", "json", "--field-selector", &format!("spec.nodeName={}", case.pod.name)],
            say!(
                case,
                "Gets the pods of the node; podsight explain -f - reads them.",
                "获取该节点上的 Pod；可用 podsight explain -f - 读取。"
            ),
        ),
        _ => case.read(
            &["get", "pods", "-o", "json", "-l", &list.join(",")],
            say!(case, "Gets its pods; podsight explain -f - reads them.", "获取它的 Pod；可用 podsight explain -f - 读取。"),
        ),
    };
    if told {
        return candidate.step(pods);
    }
    // Where no pod could be made there is no other place that says why.
    let refused = case
        .pod
        .conditions
        .iter()
        .find(|condition| matches!((condition.kind, condition.status), ("ReplicaFailure" | "Failed", "True")))
        .map(|condition| shown(condition.message));
    let failing = case.event(&["FailedCreate"], None);
    if let Some(event) = failing {
        candidate = candidate.quote(&event_quote(event));
    }
    let summary = match refused.or_else(|| failing.map(|event| shown(&event.message))).filter(|said| !said.is_empty()) {
        Some(said) => say!(case, "This is a {kind} and no pod. It fails by itself: {said}", "这是 {kind} 而不是 Pod。它自身失败：{said}"),
        None if list.is_empty()
            && !["Node", "CronJob", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"].contains(&kind.as_str()) =>
        {
            say!(
                case,
                "This is a {kind} and no pod, and it makes none: give the pods, as kubectl get pods -o json prints them.",
                "这是 {kind} 而不是 Pod，它也不创建 Pod：请提供 kubectl get pods -o json 的输出。"
            )
        }
        None => say!(
            case,
            "This is a {kind} and no pod: the cause is in the status of its pods.",
            "这是 {kind} 而不是 Pod：原因在它的 Pod 的状态里。"
        ),
    };
    candidate.say(summary).step(pods).step(
        case.read(&["describe", &kind, case.pod.name], say!(case, "Shows its own conditions and events.", "显示它自己的条件和事件。")),
    )
}
