//! `oom-pod-limit`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::OomPodLimit) {
        let name = named(case, killed.container);
        found.push(
            candidate
                .say(say!(case, "The kernel killed a process of {name} because the pod as a whole, or a group above it, reached its memory limit. The container's own limit was not reached: look at the other containers and at emptyDir volumes in memory.", "整个 Pod 或其上级控制组达到内存上限，内核因此杀死了 {name} 的一个进程。容器自己的上限并未达到：请检查其他容器和内存型 emptyDir。"))
                .step(case.read(&["top", "pod", case.pod.name, "--containers", "--sum"], say!(case, "Shows which container takes most of the pod's memory (needs metrics-server).", "查看哪个容器占用 Pod 的内存最多（需要 metrics-server）。")))
                .step(case.read(&["get", "pod", case.pod.name, "-o", "jsonpath={.spec.resources} {.spec.volumes[*].emptyDir}"], say!(case, "Shows the limit of the pod and its volumes in memory.", "显示 Pod 的上限和内存型卷。"))),
        );
    }
}
