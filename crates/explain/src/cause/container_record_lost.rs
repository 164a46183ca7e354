//! `container-record-lost`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::ContainerRecordLost) {
        let name = named(case, killed.container);
        let mut candidate = candidate;
        if !killed.end.message.is_empty() {
            candidate = candidate.fact(Case::fact(format!("{}/message", killed.end.pointer), shown(killed.end.message)));
        }
        found.push(
            candidate
                .say(say!(case, "The kubelet could no longer find {name} and wrote 137 as a placeholder: nobody saw a kill, and how it really ended is not recorded. Usual reasons: an eviction, a restart of the node, a runtime that cleaned up.", "kubelet 找不到 {name}，写入 137 作为占位：没有人看到过杀死，真实的结束情况没有记录。常见原因：驱逐、节点重启、运行时清理。"))
                .step(case.pod_events(say!(case, "An Evicted event would tell the reason.", "如果有 Evicted 事件，它会说明原因。")))
                .step(case.read_cluster(&["get", "events", "-A", "--field-selector", &format!("involvedObject.kind=Node,involvedObject.name={}", case.pod.node)], say!(case, "Shows restarts and pressure of the node at that time.", "查看节点当时的重启和压力事件。")).filter(|_| !case.pod.node.is_empty())),
        );
    }
}
