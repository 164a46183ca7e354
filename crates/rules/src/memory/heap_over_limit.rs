//! `heap-over-limit`

use crate::rule::{Subject, declare_rule};
use crate::runtime::{golang, jvm, node};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::{Container, Quantity};

/// Beside its heap a JVM needs room for classes, compiled code, threads and buffers; a small program takes about this much.
const BESIDE_THE_HEAP: i64 = 128 << 20;

declare_rule! {
    /// ## What it does
    ///
    /// Compares the heap that a language runtime is allowed to take with the container's memory limit: `-Xmx`, `-Xms`, `-XX:MaxRAMPercentage` and
    /// `-XX:MaxDirectMemorySize` of the JVM (in command, args, shell scripts, `JAVA_TOOL_OPTIONS`, `JDK_JAVA_OPTIONS`, `_JAVA_OPTIONS`, `JAVA_OPTS` and its
    /// relatives), `--max-old-space-size` of Node.js, and `GOMEMLIMIT` of Go.
    ///
    /// ## What happens without a change
    ///
    /// The runtime believes that it may grow, so it does not collect in time, and the kernel kills it at the limit: `OOMKilled`, exit code 137, with no
    /// heap error in the log.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: ledger}
    /// spec:
    ///   containers:
    ///   - name: ledger
    ///     image: example.com/ledger:1.0
    ///     env: [{name: JAVA_TOOL_OPTIONS, value: "-Xmx512m"}]
    ///     resources: {limits: {memory: 512Mi}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: ledger}
    /// spec:
    ///   containers:
    ///   - name: ledger
    ///     image: example.com/ledger:1.0
    ///     env: [{name: JAVA_TOOL_OPTIONS, value: "-XX:MaxRAMPercentage=75"}]
    ///     resources: {limits: {memory: 512Mi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent without a memory limit, and where a value comes from a field, a ConfigMap, a Secret or another variable. A heap of 90 % and more is found where
    /// less than 128 MiB are left beside it. Whether the program ever fills its heap is not known: that is why it is "likely".
    HeapOverLimit {
        id: "heap-over-limit", group: "memory", certainty: Likely, predicts: [OomContainerLimit],
        en: "a JVM, Node.js or Go heap that does not fit the memory limit", zh: "JVM、Node.js 或 Go 的堆超出内存限制", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some((limit, _)) = subject.workload.memory_limit(container) else { continue };
        let bytes = limit.value();
        if bytes <= 0 {
            continue;
        }
        if let Some(heap) = jvm::heap(container) {
            check_jvm(rule, container, &heap, limit, findings);
        }
        if let Some(setting) = node::old_space(container)
            && setting.bytes >= bytes
        {
            push(rule, container, &setting.pointer, &setting.written, limit, (setting.bytes, bytes), findings);
        }
        if let Some(setting) = golang::memory_limit(container)
            && setting.bytes > bytes
        {
            push(rule, container, &setting.pointer, &format!("GOMEMLIMIT {}", setting.written), limit, (setting.bytes, bytes), findings);
        }
    }
}

fn check_jvm(rule: &dyn Rule, container: &Container<'_>, heap: &jvm::Heap, limit: Quantity, findings: &mut Vec<Finding>) {
    let bytes = limit.value();
    let fits = |heap: i64| heap < bytes / 10 * 9 || (heap < bytes && bytes - heap >= BESIDE_THE_HEAP);
    let largest = heap.largest.as_ref();
    if let Some(setting) = largest
        && !fits(setting.bytes)
    {
        return push(rule, container, &setting.pointer, &setting.written, limit, (setting.bytes, bytes), findings);
    }
    if let Some(setting) = &heap.initial
        && setting.bytes > bytes
    {
        return push(rule, container, &setting.pointer, &setting.written, limit, (setting.bytes, bytes), findings);
    }
    if let Some(percentage) = &heap.percentage
        && largest.is_none()
    {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "the JVM computes the heap in floating point, too"
        )]
        let share = (bytes as f64 * percentage.value / 100.0) as i64;
        if !fits(share) {
            return push(rule, container, &percentage.pointer, &percentage.written, limit, (share, bytes), findings);
        }
    }
    if let (Some(direct), Some(setting)) = (&heap.direct, largest)
        && direct.bytes.saturating_add(setting.bytes) > bytes
    {
        let both = format!("{} + {}", setting.written, direct.written);
        push(rule, container, &direct.pointer, &both, limit, (direct.bytes.saturating_add(setting.bytes), bytes), findings);
    }
}

fn push(
    rule: &dyn Rule,
    container: &Container<'_>,
    pointer: &str,
    written: &str,
    limit: Quantity,
    (heap, bytes): (i64, i64),
    findings: &mut Vec<Finding>,
) {
    let written = shown(written, 40);
    let (en, zh) = match heap.cmp(&bytes) {
        std::cmp::Ordering::Greater => ("exceeds", "超过"),
        std::cmp::Ordering::Equal => ("equals", "等于"),
        std::cmp::Ordering::Less => ("leaves too little of", "几乎占满"),
    };
    findings.push(
        Finding::new(rule, pointer.to_owned())
            .within(container)
            .saying(
                format!("{written} {en} memory limit {limit}: will be OOMKilled (exit 137)"),
                format!("{written} {zh}内存限制 {limit}：会被 OOMKilled（退出码 137）"),
            )
            .helped_by(
                format!(
                    "keep the heap at about 75 % of the limit ({}), or raise the limit",
                    Quantity::from_units(bytes / 4 * 3 / (1 << 20) * (1 << 20))
                ),
                format!("堆保持在限制的 75% 左右（{}），或提高限制", Quantity::from_units(bytes / 4 * 3 / (1 << 20) * (1 << 20))),
            ),
    );
}
