//! The heap options of the Java virtual machine (`HotSpot`; the others take the same).

use super::{Size, line};
use podsight_spec::{Container, EnvValue, shell};
use serde_json::Value;
use std::collections::BTreeSet;

/// What a JVM is told about its memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Heap {
    /// `-Xmx`, `-XX:MaxHeapSize`
    pub(crate) largest: Option<Size>,
    /// `-Xms`, `-XX:InitialHeapSize`
    pub(crate) initial: Option<Size>,
    /// `-XX:MaxDirectMemorySize`
    pub(crate) direct: Option<Size>,
    /// `-XX:MaxRAMPercentage`, which counts only without `-Xmx`
    pub(crate) percentage: Option<Percentage>,
}

/// A share of the container's memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Percentage {
    pub(crate) value: f64,
    pub(crate) written: String,
    pub(crate) pointer: String,
}

/// What the JVM reads itself, weakest first: options of `JAVA_TOOL_OPTIONS` stand before the launcher's, those of `_JAVA_OPTIONS` behind all.
const WEAKEST: [&str; 2] = ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"];
const STRONGEST: &str = "_JAVA_OPTIONS";

/// How many variables of start scripts are looked at: for each one all of the environment is.
const MOST_VARIABLES: usize = 16;

/// Whether a variable holds options that a start script puts on the command line, as those of Tomcat, Kafka, Elasticsearch, Maven and most images do.
fn is_script_variable(name: &str) -> bool {
    !WEAKEST.contains(&name)
        && name != STRONGEST
        && [
            "JAVA_OPTS",
            "JAVA_OPTIONS",
            "JVM_OPTS",
            "JVM_OPTIONS",
            "JAVA_ARGS",
            "JVM_ARGS",
            "JAVA_OPTS_APPEND",
            "HEAP_OPTS",
            "CATALINA_OPTS",
            "GRADLE_OPTS",
            "MAVEN_OPTS",
            "SBT_OPTS",
            "JAVA_MEM_OPTS",
            "JAVA_PARAMS",
        ]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

/// What the container's JVM is told, or `None` if nothing speaks of one. Of several values the strongest is taken; one that is unknown hides the weaker ones.
pub(crate) fn heap(container: &Container<'_>) -> Option<Heap> {
    let mut heap = Heap::default();
    let mut found = false;
    // From the weakest to the strongest, each overwriting what it sets.
    for name in WEAKEST {
        found |= from_variable(container, name, &mut heap);
    }
    let mut seen = BTreeSet::new();
    for entry in container.value.get("env").and_then(Value::as_array).into_iter().flatten() {
        if seen.len() == MOST_VARIABLES {
            break;
        }
        if let Some(name) = entry.get("name").and_then(Value::as_str)
            && is_script_variable(name)
            && seen.insert(name)
        {
            found |= from_variable(container, name, &mut heap);
        }
    }
    for word in line::programs(container).iter().flatten() {
        found |= option(&word.text, word.literal, || word.pointer(), &mut heap);
    }
    found |= from_variable(container, STRONGEST, &mut heap);
    found.then_some(heap)
}

fn from_variable(container: &Container<'_>, name: &str, heap: &mut Heap) -> bool {
    match container.env(name) {
        EnvValue::Literal(value, number) => {
            // The JVM splits at blanks and honours quotes; so do the scripts.
            let words = shell::words(value).unwrap_or_else(|| value.split_ascii_whitespace().map(str::to_owned).collect());
            let mut found = false;
            for word in &words {
                found |= option(word, !word.contains('$'), || container.at(&format!("/env/{number}/value")), heap);
            }
            found
        }
        // Set, but not known here: what it says hides what is weaker.
        EnvValue::Unknown if is_set(container, name) => {
            *heap = Heap::default();
            false
        }
        EnvValue::Unknown | EnvValue::Absent => false,
    }
}

fn is_set(container: &Container<'_>, name: &str) -> bool {
    container
        .value
        .get("env")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|entry| entry.get("name").and_then(Value::as_str) == Some(name))
}

/// Reads one option; whether it was one of the heap.
fn option(word: &str, literal: bool, pointer: impl Fn() -> String, heap: &mut Heap) -> bool {
    let size =
        |value: &str| literal.then(|| bytes(value)).flatten().map(|bytes| Size { bytes, written: word.to_owned(), pointer: pointer() });
    if let Some(value) = word.strip_prefix("-Xmx").or_else(|| word.strip_prefix("-XX:MaxHeapSize=")) {
        heap.largest = size(value);
        // An unknown size hides the percentage, as a known one does.
        heap.percentage = None;
    } else if let Some(value) = word.strip_prefix("-Xms").or_else(|| word.strip_prefix("-XX:InitialHeapSize=")) {
        heap.initial = size(value);
    } else if let Some(value) = word.strip_prefix("-XX:MaxDirectMemorySize=") {
        heap.direct = size(value);
    } else if let Some(value) = word.strip_prefix("-XX:MaxRAMPercentage=") {
        let value = literal.then(|| value.trim_matches('"').parse::<f64>().ok()).flatten().filter(|value| (0.0..=100.0).contains(value));
        heap.percentage = value.map(|value| Percentage { value, written: word.to_owned(), pointer: pointer() });
    } else {
        return false;
    }
    true
}

/// A size as the JVM reads it (`atojulong`): digits and one of k, m, g, t in either case.
pub(crate) fn bytes(value: &str) -> Option<i64> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits)?;
    let shift = match unit {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        "t" | "T" => 40,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use podsight_spec::workloads;
    use serde_json::json;

    fn largest(container: &Value) -> Option<i64> {
        let value = json!({"kind": "Pod", "spec": {"containers": [container]}});
        let containers = workloads(&value)[0].containers();
        heap(&containers[0]).and_then(|heap| heap.largest).map(|size| size.bytes >> 20)
    }

    #[test]
    fn the_strongest_source_wins() {
        let tool = json!({"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1m -Xmx2m"});
        let opts = json!({"name": "KAFKA_HEAP_OPTS", "value": "-Xms1m -Xmx3m"});
        let last = json!({"name": "_JAVA_OPTIONS", "value": "-Xmx5m"});
        assert_eq!(largest(&json!({"env": [tool]})), Some(2));
        assert_eq!(largest(&json!({"env": [opts, tool]})), Some(3));
        assert_eq!(largest(&json!({"env": [opts, tool], "args": ["-Xmx4m"]})), Some(4));
        assert_eq!(largest(&json!({"env": [last, opts, tool], "args": ["-Xmx4m"]})), Some(5));
        assert_eq!(largest(&json!({"command": ["sh", "-c", "exec java -Xmx6m -jar a"], "env": [tool]})), Some(6));
    }

    #[test]
    fn what_is_unknown_hides_the_weaker() {
        let tool = json!({"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1m"});
        assert_eq!(largest(&json!({"env": [tool, {"name": "JAVA_OPTS", "valueFrom": {}}]})), None);
        assert_eq!(largest(&json!({"env": [tool], "args": ["-Xmx$(HEAP)"]})), None);
        assert_eq!(largest(&json!({"env": [tool], "command": ["sh", "-c", "java -Xmx${HEAP}m"]})), None);
        assert_eq!(largest(&json!({"env": [{"name": "X", "value": "-Xmx1m"}]})), None);
    }

    #[test]
    fn reads_sizes_as_the_jvm() {
        assert_eq!(
            [bytes("1g"), bytes("512M"), bytes("1024"), bytes("1.5g"), bytes("1gb"), bytes(""), bytes("99999999999999999999g")],
            [Some(1 << 30), Some(512 << 20), Some(1024), None, None, None, None]
        );
    }
}
