//! Settings of the language's runtime that follow from the memory limit.

use crate::change::{Change, GO_MEMORY_LIMIT, JVM_RAM_PERCENTAGE};
use crate::container::Target;
use podsight_spec::EnvValue;
use serde_json::{Value, json};

/// Go collects in earnest from here on: the rest is for what its runtime does not count. In hundredths of the limit.
const GO_HUNDREDTHS: u64 = 90;
/// A limit below this leaves no room for a soft limit that helps, in bytes.
const GO_LEAST_BYTES: u64 = 16 << 20;
/// Without a setting a JVM takes a quarter of the limit for its heap; the rest is for threads, code and classes.
const JVM_OPTION: &str = "-XX:MaxRAMPercentage=75";
/// A limit below this leaves too little beside so large a heap, in bytes.
const JVM_LEAST_BYTES: u64 = 512 << 20;
/// Where the JVM looks for options, whoever starts it.
const JVM_VARIABLE: &str = "JAVA_TOOL_OPTIONS";
/// What sets the heap's size, in whatever variable or argument.
const HEAP_SETTINGS: [&str; 4] = ["-Xmx", "MaxRAM", "MaxHeapSize", "-Xms"];

/// Plans the setting of the declared runtime under this limit in bytes.
pub(crate) fn plan(target: &Target<'_>, limit: Option<u64>, changes: &mut Vec<Change>, operations: &mut Vec<Value>) {
    let Some(limit) = limit else { return };
    match target.runtime() {
        Some("go") if limit >= GO_LEAST_BYTES && target.is_on(GO_MEMORY_LIMIT) => go(target, limit, changes, operations),
        Some("java" | "jvm") if limit >= JVM_LEAST_BYTES && target.is_on(JVM_RAM_PERCENTAGE) => jvm(target, changes, operations),
        _ => {}
    }
}

fn go(target: &Target<'_>, limit: u64, changes: &mut Vec<Change>, operations: &mut Vec<Value>) {
    let wanted = format!("{}MiB", (u128::from(limit) * u128::from(GO_HUNDREDTHS) / 100) >> 20);
    let (en, zh) = (format!("set GOMEMLIMIT to {wanted}, 90% of the limit"), format!("已把 GOMEMLIMIT 设为 {wanted}，即限制的 90%"));
    match target.container.env("GOMEMLIMIT") {
        EnvValue::Absent => add(target, "GOMEMLIMIT", &wanted, GO_MEMORY_LIMIT, (en, zh), changes, operations),
        // Ours, of a limit that was another.
        EnvValue::Literal(value, number) if value != wanted && is_ours(target, value) => {
            replace(target, number, value, &wanted, GO_MEMORY_LIMIT, (en, zh), changes, operations);
        }
        _ => {}
    }
}

fn jvm(target: &Target<'_>, changes: &mut Vec<Change>, operations: &mut Vec<Value>) {
    if may_set_heap(target) {
        return;
    }
    let messages = (format!("added {JVM_OPTION} to {JVM_VARIABLE}"), format!("已在 {JVM_VARIABLE} 中加入 {JVM_OPTION}"));
    match target.container.env(JVM_VARIABLE) {
        EnvValue::Absent => add(target, JVM_VARIABLE, JVM_OPTION, JVM_RAM_PERCENTAGE, messages, changes, operations),
        EnvValue::Literal(value, number) => {
            let wanted = format!("{} {JVM_OPTION}", value.trim_end());
            replace(target, number, value, wanted.trim_start(), JVM_RAM_PERCENTAGE, messages, changes, operations);
        }
        EnvValue::Unknown => {}
    }
}

/// Whether something sets the heap's size, or could: a variable of Java whose value is not here.
fn may_set_heap(target: &Target<'_>) -> bool {
    let sets = |text: &str| HEAP_SETTINGS.iter().any(|setting| text.contains(setting));
    let entries = target.value.get("env").and_then(Value::as_array).into_iter().flatten();
    let in_environment = entries.into_iter().any(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_java = ["JAVA", "JVM", "JDK", "OPTS"].iter().any(|part| text("name").contains(part));
        let is_unknown = entry.get("valueFrom").is_some() || text("value").contains("$(");
        sets(text("value")) || (is_java && is_unknown)
    });
    in_environment || target.container.line().into_iter().any(sets)
}

/// Whether the value was written by an earlier change.
fn is_ours(target: &Target<'_>, value: &str) -> bool {
    let is_value = |to: &Value| to == value || to.get("value").is_some_and(|to| to == value);
    target.recorded.iter().any(|entry| entry.rule == GO_MEMORY_LIMIT && is_value(&entry.to))
}

fn add(
    target: &Target<'_>,
    name: &str,
    value: &str,
    rule: &'static str,
    (en, zh): (String, String),
    changes: &mut Vec<Change>,
    operations: &mut Vec<Value>,
) {
    let entry = json!({"name": name, "value": value});
    let number = match target.value.get("env") {
        None | Some(Value::Null) => {
            operations.push(json!({"op": "add", "path": target.container.at("/env"), "value": [entry]}));
            0
        }
        Some(Value::Array(entries)) => {
            operations.push(json!({"op": "add", "path": target.container.at("/env/-"), "value": entry}));
            entries.len()
        }
        Some(_) => return,
    };
    changes.push(target.change(&format!("/env/{number}"), Value::Null, entry, rule, en, zh));
}

#[expect(clippy::too_many_arguments, reason = "a private function that spares two copies of the same lines")]
fn replace(
    target: &Target<'_>,
    number: usize,
    from: &str,
    to: &str,
    rule: &'static str,
    (en, zh): (String, String),
    changes: &mut Vec<Change>,
    operations: &mut Vec<Value>,
) {
    let change = target.change(&format!("/env/{number}/value"), json!(from), json!(to), rule, en, zh);
    operations.push(json!({"op": "add", "path": change.path, "value": change.to}));
    changes.push(change);
}
