//! What to do about a kill: it depends on whose limit was reached.

use super::analysis::Place;
use super::words::say;
use podsight_cause::Lang;
use podsight_cgroup::Scope;
use podsight_oom::{Kill, Report};

/// One or two sentences.
pub(super) fn advice(kill: &Kill, place: &Place, lang: Lang) -> &'static str {
    if kill.sysrq {
        return say(
            lang,
            "Somebody asked for this kill (SysRq f or /proc/sysrq-trigger); memory need not be short.",
            "这次终止是人为触发的（SysRq f 或 /proc/sysrq-trigger），内存未必不足。",
        );
    }
    let report = kill.report.as_deref();
    match place.scope {
        Some(Scope::Container | Scope::Pod) if report.is_some_and(mostly_tmpfs) => say(
            lang,
            "Most of it lies in tmpfs: files in an emptyDir with medium Memory or in /dev/shm count towards the limit. Give the emptyDir a sizeLimit below it, or use a disk.",
            "大部分内存是 tmpfs：medium 为 Memory 的 emptyDir 或 /dev/shm 中的文件都计入限额。请把 emptyDir 的 sizeLimit 设得低于限额，或改用磁盘。",
        ),
        Some(Scope::Container) => say(
            lang,
            "Raise resources.limits.memory of the container above what it needs at its peak, or make the program need less; a JVM, Node.js or Go heap must stay below the limit.",
            "请把容器的 resources.limits.memory 调到峰值之上，或让程序少用内存；JVM、Node.js、Go 的堆必须低于限额。",
        ),
        Some(Scope::Pod) => say(
            lang,
            "With one container the pod's limit is the container's: raise it. With several they share it, together with memory-backed emptyDirs and commands run by kubectl exec: see which task has grown.",
            "若 Pod 只有一个容器，Pod 的限额就是容器的限额：请调高。若有多个容器，它们与内存型 emptyDir、kubectl exec 的命令共用这一限额：请看哪个任务变大了。",
        ),
        Some(Scope::Qos) => say(
            lang,
            "A limit on a whole QoS class was reached (--qos-reserved or memory QoS): the victim need not be the cause. Give pods true requests.",
            "达到的是整个 QoS 级别的限额（--qos-reserved 或内存 QoS）：被终止者未必是原因。请为 Pod 设置真实的 requests。",
        ),
        Some(Scope::NodeAllocatable) => say(
            lang,
            "All pods of the node together used up its allocatable memory: the victim may be innocent. Set requests to what pods need, limits not far above them, or use a larger node.",
            "节点上所有 Pod 合计用完了可分配内存：被终止者可能无辜。请按实际需要设置 requests，limits 不要高出太多，或使用更大的节点。",
        ),
        Some(Scope::Node) => say(
            lang,
            "The node itself ran out of memory: limits did not help because they add up to more than there is. Lower limits towards requests, and reserve memory for the system (kube-reserved, system-reserved, eviction-hard).",
            "节点本身内存耗尽：各限额之和超过了实际内存。请让 limits 接近 requests，并为系统预留内存（kube-reserved、system-reserved、eviction-hard）。",
        ),
        Some(Scope::Cgroup) => say(
            lang,
            "This limit is not one of Kubernetes: look where the cgroup gets it from (MemoryMax= of a systemd unit, docker run --memory, a nested node, or a limit set inside the container).",
            "这不是 Kubernetes 的限额：请查该 cgroup 的限额来源（systemd 单元的 MemoryMax=、docker run --memory、嵌套节点，或容器内部自设的限额）。",
        ),
        None => say(
            lang,
            "The kernel left out the report of this kill, so the log does not tell whose limit it was. The agent's annotations on the pods of this node, or memory.events of their cgroups, do.",
            "内核省略了这次终止的报告，日志没有说明是谁的限额。本节点 Pod 上代理写的注解或其 cgroup 的 memory.events 可以说明。",
        ),
    }
}

/// What a process is that is not the application.
pub(super) fn infrastructure(kill: &Kill, place: &Place, lang: Lang) -> Option<&'static str> {
    let comm = kill.comm.as_deref()?;
    if place.victim.monitor || comm == b"conmon" {
        return Some(say(lang, "conmon is the monitor of the container, not the application.", "conmon 是容器的监视进程，不是应用。"));
    }
    if comm == b"pause" && !place.victim.pod_uids.is_empty() {
        return Some(say(
            lang,
            "pause holds the pod's sandbox: with it the whole pod is restarted, and its containers show exit code 137 without OOMKilled.",
            "pause 是 Pod 的沙箱进程：它被终止后整个 Pod 会重启，容器显示退出码 137 而没有 OOMKilled。",
        ));
    }
    comm.starts_with(b"runc:[").then(|| {
        say(
            lang,
            "This is the runtime starting the container, not the application: the limit is too small to start in, and no status will say OOMKilled.",
            "这是正在启动容器的运行时，不是应用：限额小到无法启动，状态里不会出现 OOMKilled。",
        )
    })
}

fn mostly_tmpfs(report: &Report) -> bool {
    let total = report.memory.map_or(0, |memory| memory.usage_kb.saturating_mul(1024));
    report.stats.shmem.is_some_and(|shmem| total > 0 && shmem > total / 2)
}
