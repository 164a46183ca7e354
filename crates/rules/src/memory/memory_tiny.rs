//! `memory-tiny`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use podsight_spec::Quantity;
use serde_json::Value;

/// Below this no container can be started: runc's own start needs more than this, Docker refuses less (6 MB, moby#41167).
const FLOOR: i64 = 6 << 20;

/// Below this CRI-O with runc refuses the container (`defaultMinimumMemory` in cri-o internal/config/cgmgr); the other runtimes have no such limit.
const CRIO_FLOOR: i64 = 12 << 20;

declare_rule! {
    /// ## What it does
    ///
    /// Finds memory limits that are too small to start any container, mostly by a slip of the unit: `128m` is 0.128 bytes (`m` is a thousandth) and `128` is
    /// 128 bytes.
    ///
    /// ## What happens without a change
    ///
    /// The API server accepts it. Under one MiB the pod hangs in `ContainerCreating`: with `FailedMount` events, "no space left on device", because the volume of its
    /// service account's token lies in memory and is sized by the limit; without a token with `FailedCreatePodSandBox`. Up to about 6 MiB the kernel kills the runtime's
    /// own first process: `RunContainerError`, `StartError` with exit code 128, then `CrashLoopBackOff`. CRI-O with runc refuses less than 12 MiB:
    /// `CreateContainerError` "set memory limit too low".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     resources: {limits: {memory: 128m}}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     resources: {limits: {memory: 128Mi}}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Between 6 and 12 MiB it depends on the runtime: that is a hint, and a finding only where a node is known to run CRI-O with runc. A limit of 0 means
    /// none. Whether the program needs more than the start is not known.
    MemoryTiny {
        id: "memory-tiny", group: "memory", certainty: Certain, predicts: [MemoryLimitBelowStart],
        en: "a memory limit too small to start the container", zh: "内存限制太小，容器无法启动", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some((limit, pointer)) = subject.workload.memory_limit(container) else { continue };
        let bytes = limit.value();
        if bytes <= 0 || bytes >= CRIO_FLOOR {
            continue;
        }
        let written = subject.workload.object.pointer(&pointer).map(written).unwrap_or_default();
        let finding = Finding::new(rule, pointer).within(container);
        findings.push(if bytes < FLOOR {
            let (slip_en, slip_zh) = slip(&written, limit);
            finding
                .saying(
                    format!("memory limit {written}{slip_en} is too small to start: {}", fate(bytes).0),
                    format!("内存限制 {written}{slip_zh} 太小，容器无法启动：{}", fate(bytes).1),
                )
                .helped_by(help_en(&written), help_zh(&written))
                .fixed_by(meant(&written))
        } else {
            let crio = subject.facts.memory_floor() == Some(CRIO_FLOOR);
            finding
                .at_most(if crio { Certainty::Likely } else { Certainty::Hint })
                .saying(
                    format!("memory limit {written} is refused by CRI-O with runc (12Mi): CreateContainerError"),
                    format!("内存限制 {written} 低于 CRI-O 加 runc 的下限（12Mi）：CreateContainerError"),
                )
                .helped_by("give at least 12Mi where nodes run CRI-O", "节点使用 CRI-O 时至少给 12Mi")
        });
    }
}

/// The value as it stands in the object.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text, 20),
        other => shown(&other.to_string(), 20),
    }
}

/// What the value means, where it is not what was meant.
fn slip(written: &str, limit: Quantity) -> (String, String) {
    let milli = written.ends_with('m');
    if milli || written.bytes().all(|byte| byte.is_ascii_digit()) {
        let unit = if milli { (" (m = milli)", "（m 是千分之一）") } else { ("", "") };
        return (format!(" = {limit}{}", unit.0), format!(" = {} 字节{}", limit.value(), unit.1));
    }
    (String::new(), String::new())
}

/// What users see. Under one MiB two things can fail first, the token's volume or the sandbox, and both look the same.
fn fate(bytes: i64) -> (&'static str, &'static str) {
    if bytes < 1 << 20 {
        ("hangs in ContainerCreating", "一直停在 ContainerCreating")
    } else {
        ("StartError, exit 128", "StartError，退出码 128")
    }
}

/// The number that the writer may have meant in mebibytes.
fn number(written: &str) -> Option<&str> {
    let number = written.trim_end_matches('m');
    (!number.is_empty() && number.len() < 6 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// The limit that was surely meant: nobody means so few bytes, and enough mebibytes to start with were written.
fn meant(written: &str) -> Option<String> {
    let number = number(written)?;
    number.parse::<u32>().is_ok_and(|number| number >= 16).then(|| format!("{number}Mi"))
}

fn help_en(written: &str) -> String {
    number(written)
        .map_or_else(|| "give at least 16Mi, and what the program needs".to_owned(), |number| format!("write {number}Mi for mebibytes"))
}

fn help_zh(written: &str) -> String {
    number(written).map_or_else(|| "至少给 16Mi，再加上程序本身的需要".to_owned(), |number| format!("兆字节要写成 {number}Mi"))
}
