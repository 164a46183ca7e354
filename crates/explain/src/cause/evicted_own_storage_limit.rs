//! `evicted-own-storage-limit`

use super::prelude::*;

pub(super) const SAYS: &[&str] = &[
    "local ephemeral storage limit",
    "ephemeral local storage usage exceeds",
    "local ephemeral storage usage exceeds",
    "usage of emptydir volume",
    "exceeded its local ephemeral",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let Some(quote) = case.pod_text(SAYS) else { return };
    let name = quote.between("container ", " exceeded").map(str::to_owned);
    let container = name.as_deref().and_then(|name| case.pod.containers.iter().find(|container| container.name == name));
    let volume = quote.between("emptydir volume \"", "\"").map(shown);
    let limit = quote.between("limit \"", "\"").map(shown).unwrap_or_default();
    let summary = match (&name, &volume) {
        (_, Some(volume)) => say!(
            case,
            "The emptyDir volume {volume} grew over its size limit of {limit}, so the pod was evicted. The node had room: the pod's own limit was the reason.",
            "emptyDir 卷 {volume} 超过了大小上限 {limit}，Pod 因此被驱逐。节点并不缺空间：原因是 Pod 自己的上限。"
        ),
        (Some(name), None) => {
            let name = shown(name);
            say!(
                case,
                "{name} wrote more than its own ephemeral-storage limit of {limit} (logs, writable layer, emptyDir), so the pod was evicted. The node had room.",
                "{name} 写入的数据超过了自己的 ephemeral-storage 上限 {limit}（日志、可写层、emptyDir），Pod 因此被驱逐。节点并不缺空间。"
            )
        }
        (None, None) => say!(
            case,
            "The pod wrote more than the sum of its own ephemeral-storage limits, so it was evicted. The node had room.",
            "Pod 写入的数据超过了自己 ephemeral-storage 上限之和，因此被驱逐。节点并不缺空间。"
        ),
    };
    let mut candidate = case.candidate(Cause::EvictedOwnStorageLimit, Level::Pod, 96, High).ended(case).of_some(container).quote(quote);
    if case.pod.condition("DisruptionTarget").is_none() {
        candidate = candidate.fact(Case::fact(
            "/status/conditions",
            say!(
                case,
                "no DisruptionTarget condition: an eviction for node pressure has one",
                "没有 DisruptionTarget 条件：因节点压力的驱逐会有"
            ),
        ));
    }
    found.push(candidate.say(summary).step(case.read(
        &["get", "pod", case.pod.name, "-o", "jsonpath={.spec.containers[*].resources.limits} {.spec.volumes[*].emptyDir}"],
        say!(case, "Shows the limits; raise the one that was reached, or write less.", "显示各上限；调大被达到的那个，或减少写入。"),
    )));
}
