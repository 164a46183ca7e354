//! `killed-externally`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::KilledExternally) {
        let name = named(case, killed.container);
        found.push(
            candidate
                .against(say!(case, "The log may be too short, or of another node.", "日志可能太短，或来自别的节点。"))
                .say(say!(case, "{name} was killed, and the kernel log shows no memory kill of this pod: probably something else on the node did it (runtime tool, security agent, earlyoom or systemd-oomd, a person).", "{name} 被杀死，而内核日志里没有该 Pod 的内存杀死记录：很可能是节点上的其他程序（运行时工具、安全代理、earlyoom 或 systemd-oomd、某个人）。"))
                .step(case.pod_events(say!(case, "A Killing event would point to the kubelet after all.", "如果有 Killing 事件，则仍是 kubelet 所为。"))),
        );
    }
}
