//! `heap-setting-invalid`

use crate::rule::{Subject, declare_rule};
use crate::runtime::{golang, jvm, line};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::{Container, EnvValue, shell};

declare_rule! {
    /// ## What it does
    ///
    /// Finds memory settings that the runtime refuses: `-Xmx512Mi` (the JVM knows k, m, g, t), `-Xms` above `-Xmx`, `GOMEMLIMIT=512Mi` (Go knows B, KiB, MiB, GiB,
    /// TiB), `--max-old-space-size=512m` (Node.js wants a number of MiB).
    ///
    /// ## What happens without a change
    ///
    /// The program ends before its first line: "Invalid maximum heap size", "Initial heap size set to a larger value than the maximum heap size" (exit code 1),
    /// "malformed GOMEMLIMIT" (2), "illegal value for flag" (9); `CrashLoopBackOff`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: api}
    /// spec:
    ///   containers:
    ///   - {name: api, image: "example.com/api:1.0", env: [{name: GOMEMLIMIT, value: 512Mi}]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: api}
    /// spec:
    ///   containers:
    ///   - {name: api, image: "example.com/api:1.0", env: [{name: GOMEMLIMIT, value: 512MiB}]}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Values that are filled in at the start are not judged. Go programs older than 1.19 do not read `GOMEMLIMIT`.
    HeapSettingInvalid {
        id: "heap-setting-invalid", group: "memory", certainty: Likely, predicts: [AppConfigError, CommandSyntaxError],
        en: "a heap setting that the runtime refuses", zh: "运行时拒绝的堆设置", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        if let EnvValue::Literal(value, number) = container.env("GOMEMLIMIT")
            && !value.is_empty()
            && value != "off"
            && golang::bytes(value).is_none()
        {
            let pointer = container.at(&format!("/env/{number}/value"));
            findings.push(
                Finding::new(rule, pointer)
                    .within(container)
                    .saying(
                        format!("a Go program ends with exit 2: GOMEMLIMIT {} is malformed", shown(value, 24)),
                        format!("Go 程序会以 2 退出：GOMEMLIMIT {} 格式错误", shown(value, 24)),
                    )
                    .helped_by(
                        "write a whole number with B, KiB, MiB, GiB or TiB, such as 512MiB",
                        "写整数加 B、KiB、MiB、GiB 或 TiB，例如 512MiB",
                    )
                    // `512Mi` is Kubernetes' way to write it.
                    .fixed_by(Some(format!("{value}B")).filter(|meant| value.ends_with('i') && golang::bytes(meant).is_some())),
            );
        }
        for (word, pointer) in jvm_words(container) {
            let value = word.strip_prefix("-Xmx").or_else(|| word.strip_prefix("-Xms"));
            if let Some(value) = value
                && jvm::bytes(value).is_none()
            {
                findings.push(
                    Finding::new(rule, pointer.clone())
                        .within(container)
                        .saying(
                            format!("the JVM ends with exit 1: {} is no size", shown(&word, 30)),
                            format!("JVM 会以 1 退出：{} 不是有效大小", shown(&word, 30)),
                        )
                        .helped_by("write a whole number with k, m, g or t, such as -Xmx512m", "写整数加 k、m、g 或 t，例如 -Xmx512m")
                        .fixed_by(jvm_size(value).and_then(|meant| within(subject, &pointer, &word, &word.replace(value, &meant)))),
                );
            }
        }
        if let Some(heap) = jvm::heap(container)
            && let (Some(initial), Some(largest)) = (&heap.initial, &heap.largest)
            && initial.bytes > largest.bytes
        {
            findings.push(
                Finding::new(rule, initial.pointer.clone())
                    .within(container)
                    .saying(
                        format!("the JVM ends with exit 1: {} is above {}", shown(&initial.written, 30), shown(&largest.written, 30)),
                        format!("JVM 会以 1 退出：{} 大于 {}", shown(&initial.written, 30), shown(&largest.written, 30)),
                    )
                    .helped_by("-Xms must not be above -Xmx", "-Xms 不能大于 -Xmx"),
            );
        }
        node_sizes(rule, subject, container, findings);
    }
}

/// The words that a JVM reads for certain: its own variables, and the line of a program named java.
fn jvm_words(container: &Container<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for name in ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"] {
        if let EnvValue::Literal(value, number) = container.env(name) {
            let pointer = container.at(&format!("/env/{number}/value"));
            found.extend(shell::words(value).unwrap_or_default().into_iter().map(|word| (word, pointer.clone())));
        }
    }
    for program in line::programs(container) {
        if program.first().is_some_and(|name| name.literal && line::base_name(&name.text) == "java") {
            // Behind `-jar` and the class the words are the program's own.
            let options = program.into_iter().skip(1).take_while(|word| word.text.starts_with('-') && word.text != "-jar");
            found.extend(options.filter(|word| word.literal).map(|word| {
                let pointer = word.pointer();
                (word.text.into_owned(), pointer)
            }));
        }
    }
    found
}

fn node_sizes(rule: &dyn Rule, subject: &Subject<'_>, container: &Container<'_>, findings: &mut Vec<Finding>) {
    let mut words: Vec<(String, String)> = Vec::new();
    if let EnvValue::Literal(value, number) = container.env("NODE_OPTIONS") {
        let pointer = container.at(&format!("/env/{number}/value"));
        words.extend(shell::words(value).unwrap_or_default().into_iter().map(|word| (word, pointer.clone())));
    }
    for program in line::programs(container) {
        if program.first().is_some_and(|name| name.literal && matches!(line::base_name(&name.text), "node" | "nodejs")) {
            words.extend(program.into_iter().filter(|word| word.literal).map(|word| {
                let pointer = word.pointer();
                (word.text.into_owned(), pointer)
            }));
        }
    }
    for (word, pointer) in words {
        let Some(value) = word.strip_prefix("--max-old-space-size=").or_else(|| word.strip_prefix("--max_old_space_size=")) else {
            continue;
        };
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            findings.push(
                Finding::new(rule, pointer.clone())
                    .within(container)
                    .saying(
                        format!("Node.js ends with exit 9: {} is no number", shown(&word, 40)),
                        format!("Node.js 会以 9 退出：{} 不是数字", shown(&word, 40)),
                    )
                    .helped_by(
                        "write the number of MiB without a unit, such as --max-old-space-size=384",
                        "写不带单位的 MiB 数，例如 --max-old-space-size=384",
                    )
                    .fixed_by(mebibytes(value).and_then(|meant| within(subject, &pointer, &word, &word.replace(value, meant)))),
            );
        }
    }
}

/// The JVM's way to write a size that other programs read: `512Mi` and `512MB` are `512m`.
fn jvm_size(value: &str) -> Option<String> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits)?;
    let letter = unit.chars().next()?;
    let meant = format!("{number}{}", letter.to_ascii_lowercase());
    let known = ["i", "b", "ib"].iter().any(|rest| unit.get(1..).is_some_and(|unit| unit.eq_ignore_ascii_case(rest)));
    (known && digits > 0 && jvm::bytes(&meant).is_some()).then_some(meant)
}

/// The number of a size in mebibytes.
fn mebibytes(value: &str) -> Option<&str> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits)?;
    let known = ["m", "mb", "mi", "mib"].iter().any(|known| unit.eq_ignore_ascii_case(known));
    (known && digits > 0).then_some(number)
}

/// The whole text at the pointer with the word in it replaced, where the word stands in it once.
fn within(subject: &Subject<'_>, pointer: &str, word: &str, meant: &str) -> Option<String> {
    let text = subject.workload.object.pointer(pointer)?.as_str()?;
    (text.matches(word).count() == 1).then(|| text.replacen(word, meant, 1))
}
