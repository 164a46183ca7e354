//! `unschedulable-resources`

use super::prelude::*;

const SAYS: [&str; 8] = [
    // With the end of the word: devices may have names that begin so.
    "insufficient cpu.",
    "insufficient memory.",
    "insufficient ephemeral-storage.",
    "insufficient hugepages-",
    "insufficient pods.",
    "too many pods",
    "did not have enough free storage",
    "no nodes available to schedule pods",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let Some((quote, weight, reasons)) = scheduling(case, &SAYS, &[]) else { return };
    let requests = requests(case);
    let mut candidate = case
        .candidate(Cause::UnschedulableResources, Level::Pod, weight, if rivalled(quote, &reasons) { Medium } else { High })
        .quote(quote);
    for (pointer, text) in requests.iter().take(4) {
        candidate = candidate.fact(Case::fact(pointer.clone(), text.clone()));
    }
    let summary = if quote.has(&["no nodes available to schedule pods"]) {
        candidate.explained.confidence = Medium;
        say!(
            case,
            "The cluster has no node that the scheduler could look at: none has joined yet, or an autoscaler has removed all.",
            "集群中没有调度器可以考虑的节点：还没有节点加入，或已被自动伸缩器全部移除。"
        )
    } else {
        say!(
            case,
            "No node has enough free room for the requests of the pod: {reasons}.",
            "没有节点有足够的空闲资源满足 Pod 的请求：{reasons}。"
        )
    };
    found.push(candidate.say(summary).step(case.read_cluster(
        &["describe", "nodes"],
        say!(
            case,
            "\"Allocated resources\" shows what is still free on each node; requests count, not use.",
            "“Allocated resources” 显示各节点还剩多少；计算的是请求而非实际用量。"
        ),
    )));
}

fn requests(case: &Case<'_>) -> Vec<(String, String)> {
    let containers = case.pod.containers.iter().filter(|container| container.role != Role::Ephemeral);
    containers
        .filter_map(|container| {
            let requests = container.spec.get_or_null("resources").get_or_null("requests").as_object()?;
            let list: Vec<String> = requests
                .iter()
                .take(8)
                .map(|(name, amount)| format!("{name} {}", amount.as_str().map_or_else(|| amount.to_string(), str::to_owned)))
                .collect();
            (!list.is_empty()).then(|| (format!("{}/resources/requests", container.spec_pointer), shown(&list.join(", "))))
        })
        .collect()
}
