//! `oom-node`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::OomNode) {
        let name = named(case, killed.container);
        let node = node_name(case);
        let mut candidate = candidate.say(say!(case, "The node{node} as a whole ran out of memory, and the kernel chose {name}. A higher limit would not have helped: a memory request near its real use makes it a later choice.", "整个节点{node}内存耗尽，内核选中了 {name}。调大上限没有用：把内存请求设得接近实际用量，可降低被选中的概率。"));
        if killed.container.memory_limit().is_none() {
            candidate = candidate.against(say!(
                case,
                "Told from the absence of any limit on container and pod; a limit on a group above the pods would look the same.",
                "这是由容器和 Pod 都没有上限推断的；Pod 之上控制组的上限也会是同样的现象。"
            ));
        }
        found.push(
            candidate
                .step(case.read_cluster(
                    &["describe", "node", case.pod.node],
                    say!(case, "Shows how far memory is overcommitted, and SystemOOM events.", "查看内存超分程度和 SystemOOM 事件。"),
                ))
                .step(case.read_cluster(
                    &["get", "pods", "-A", "-l", "podsight.dev/oom-killed"],
                    say!(case, "Shows the other pods that were killed for memory.", "列出其他因内存被杀的 Pod。"),
                )),
        );
    }
}
