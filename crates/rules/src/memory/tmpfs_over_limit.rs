//! `tmpfs-over-limit`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use podsight_spec::{Container, Quantity, Role};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds volumes in memory (`emptyDir: {medium: Memory}`) that may grow to the memory limit of a container that writes to them. What is written there counts
    /// as that container's memory.
    ///
    /// ## What happens without a change
    ///
    /// The container is killed before the volume is full: `OOMKilled`, exit code 137. The files stay when the container restarts, so it is killed again and again
    /// until the pod is deleted (kubernetes/kubernetes#128339).
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: cache}
    /// spec:
    ///   volumes: [{name: cache, emptyDir: {medium: Memory, sizeLimit: 4Gi}}]
    ///   containers:
    ///   - name: cache
    ///     image: example.com/cache:1.0
    ///     resources: {limits: {memory: 2Gi}}
    ///     volumeMounts: [{name: cache, mountPath: /cache}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: cache}
    /// spec:
    ///   volumes: [{name: cache, emptyDir: {medium: Memory, sizeLimit: 1Gi}}]
    ///   containers:
    ///   - name: cache
    ///     image: example.com/cache:1.0
    ///     resources: {limits: {memory: 2Gi}}
    ///     volumeMounts: [{name: cache, mountPath: /cache}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Read-only mounts are left out. A volume without a size limit is a hint: the kubelet sizes it to the pod's limits, or to the node where a container
    /// has none.
    TmpfsOverLimit {
        id: "tmpfs-over-limit", group: "memory", certainty: Likely, predicts: [OomContainerLimit],
        en: "a volume in memory as large as the memory limit", zh: "内存卷不小于内存限制", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for (number, volume) in subject.workload.pod.get("volumes").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let Some(empty_dir) = volume.get("emptyDir") else { continue };
        if empty_dir.get("medium").and_then(Value::as_str) != Some("Memory") {
            continue;
        }
        let Some(name) = volume.get("name").and_then(Value::as_str) else { continue };
        let pointer = format!("{}/volumes/{number}/emptyDir", subject.workload.pod_pointer);
        let writers: Vec<&Container<'_>> =
            subject.containers.iter().filter(|container| container.role != Role::Init && mounts(container, name)).collect();
        let Some(size) = empty_dir.get("sizeLimit") else {
            if writers.iter().any(|container| subject.workload.memory_limit(container).is_none()) {
                findings.push(
                    Finding::new(rule, pointer)
                        .at_most(Certainty::Hint)
                        .saying(
                            format!("volume {} may fill the node's memory: no sizeLimit", shown(name, 40)),
                            format!("卷 {} 可能占满节点内存：没有 sizeLimit", shown(name, 40)),
                        )
                        .helped_by("set emptyDir.sizeLimit", "设置 emptyDir.sizeLimit"),
                );
            }
            continue;
        };
        let Some(size) = Quantity::of(size).filter(|size| size.value() > 0) else { continue };
        for container in writers {
            let Some((limit, _)) = subject.workload.memory_limit(container).filter(|(limit, _)| limit.value() > 0 && size >= *limit) else {
                continue;
            };
            findings.push(
                Finding::new(rule, format!("{pointer}/sizeLimit"))
                    .within(container)
                    .saying(
                        format!("will be OOMKilled (exit 137) if volume {} fills: {size} in memory, limit {limit}", shown(name, 30)),
                        format!("卷 {} 写满时会被 OOMKilled（退出码 137）：内存卷 {size}，限制 {limit}", shown(name, 30)),
                    )
                    .helped_by(
                        "keep sizeLimit well below the memory limit, or use a disk (no medium)",
                        "让 sizeLimit 明显小于内存限制，或改用磁盘（不写 medium）",
                    ),
            );
        }
    }
}

/// Whether the container mounts the volume and may write to it.
fn mounts(container: &Container<'_>, volume: &str) -> bool {
    container.value.get("volumeMounts").and_then(Value::as_array).into_iter().flatten().any(|mount| {
        mount.get("name").and_then(Value::as_str) == Some(volume) && mount.get("readOnly").and_then(Value::as_bool) != Some(true)
    })
}
