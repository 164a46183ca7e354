//! `node-unreachable`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let lost = case.pod.reason == "NodeLost" || case.pod.phase == "Unknown";
    let collected =
        case.pod.condition("DisruptionTarget").filter(|condition| condition.status != "False" && condition.reason == "DeletionByPodGC");
    let quote = case
        .pod_text(&["node no longer exists", "is unresponsive", "node is not ready", "node not found"])
        .filter(|quote| quote.source != Source::Event || case.pod.deleting || case.pod.phase == "Unknown" || !healthy(case));
    let quote = quote.filter(|quote| !quote.has(&["nodes are available"]));
    let marked = marked_by_the_control_plane(case);
    if !lost && collected.is_none() && quote.is_none() && marked.is_none() {
        return;
    }
    let node = node_name(case);
    let mut candidate =
        case.candidate(Cause::NodeUnreachable, Level::Pod, 91, if lost || collected.is_some() { High } else { Medium }).ended(case);
    if lost {
        candidate = candidate.fact(Case::fact("/status/phase", format!("{} {}", case.pod.phase, case.pod.reason)));
    }
    if let Some(condition) = marked {
        candidate = candidate.fact(Case::fact(
            condition.pointer.clone(),
            say!(
                case,
                "Ready False, while all containers are ready: the control plane sets that where a kubelet has gone silent",
                "Ready 为 False，而所有容器都已就绪：kubelet 失联时控制平面会这样设置"
            ),
        ));
    }
    if let Some(condition) = collected {
        candidate =
            candidate.fact(Case::fact(condition.pointer.clone(), format!("DisruptionTarget {}: {}", condition.reason, condition.message)));
    }
    if let Some(quote) = quote.filter(|quote| collected.is_none_or(|condition| !quote.pointer.starts_with(&condition.pointer))) {
        candidate = candidate.quote(quote);
    }
    if collected.is_some() {
        let left_over = left_over(case);
        found.push(
            candidate
                .say(say!(
                    case,
                    "The node{node} no longer exists, and the pod was cleared away after it. {left_over}",
                    "节点{node}已不存在，Pod 随后被清理。{left_over}"
                ))
                .step(case.read_cluster(&["get", "nodes"], say!(case, "Shows which nodes there are.", "查看现有的节点。"))),
        );
        return;
    }
    found.push(
        candidate
            .say(say!(case, "The control plane lost contact with the node{node}, or the node is gone. The containers may still run there; the status is the last one that was heard.", "控制平面与节点{node}失去联系，或节点已不存在。容器可能仍在那里运行；这里的状态是最后一次收到的。"))
            .step(case.read_cluster(&["get", "node", case.pod.node, "-o", "wide"], say!(case, "Shows whether the node is there and Ready.", "查看节点是否存在且 Ready。"))),
    );
}

fn healthy(case: &Case<'_>) -> bool {
    case.troubled.is_empty() && marked_by_the_control_plane(case).is_none()
}

/// The condition Ready where it is false although its containers are ready and no gate is in the way: the kubelet never writes that, but the
/// node controller does so for the pods of a node that it hears no more of (`controller/util/node: MarkPodsNotReady`).
fn marked_by_the_control_plane<'c, 'a>(case: &'c Case<'a>) -> Option<&'c crate::pod::Condition<'a>> {
    let ready = case.pod.condition("Ready").filter(|condition| condition.status == "False" && condition.reason.is_empty())?;
    let contained = case.pod.condition("ContainersReady").is_some_and(|condition| condition.status == "True");
    let gated = !case.pod.spec.list("readinessGates").is_empty();
    (contained && !gated && case.pod.phase == "Running" && !case.pod.deleting && case.troubled.is_empty()).then_some(ready)
}
