//! Whatever a file or an object holds, reading and judging it ends, gives bounded answers and does not panic.

use podsight_rules::{bundle_of, check_with, shown};
use podsight_spec::{Document, ImageRef, Quantity, read, shell, workloads};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Reads and judges a file as `podsight check` does.
fn judge(bytes: &[u8]) -> usize {
    let (documents, problems) = read(bytes);
    judge_documents(&documents) + problems.len()
}

fn judge_documents(documents: &[Document]) -> usize {
    let bundle = bundle_of(documents);
    let mut count = 0;
    for document in documents {
        for workload in workloads(&document.value) {
            for finding in check_with(&workload, &bundle) {
                assert!(!finding.message_en.contains(char::is_control) && !finding.message_zh.contains(char::is_control), "{finding:?}");
                assert!(finding.message_en.chars().count() < 200 && finding.help_en.chars().count() < 400, "{finding:?}");
                document.position(&format!("{}{}", workload.object_pointer, finding.pointer));
                count += 1;
            }
        }
    }
    count
}

/// Any value at all, with a liking for the names that the rules look at.
fn any_value() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 44] = [
        "kind",
        "metadata",
        "name",
        "namespace",
        "annotations",
        "labels",
        "spec",
        "template",
        "containers",
        "initContainers",
        "image",
        "command",
        "args",
        "env",
        "value",
        "valueFrom",
        "configMapKeyRef",
        "key",
        "envFrom",
        "resources",
        "limits",
        "requests",
        "memory",
        "volumes",
        "emptyDir",
        "medium",
        "sizeLimit",
        "volumeMounts",
        "mountPath",
        "subPath",
        "livenessProbe",
        "readinessProbe",
        "exec",
        "httpGet",
        "port",
        "host",
        "ports",
        "lifecycle",
        "preStop",
        "postStart",
        "sleep",
        "seconds",
        "securityContext",
        "items",
    ];
    const TEXTS: [&str; 20] = [
        "Pod",
        "Deployment",
        "List",
        "CronJob",
        "128m",
        "-1",
        "1Ei",
        "sh",
        "-c",
        "exit 1",
        "$(",
        "'",
        "busybox",
        "Nginx:",
        "\u{1b}[31m\n",
        "\u{202e}",
        "-Xmx99999999999999999999g",
        "JAVA_OPTS",
        "Memory",
        "",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(&NAMES[..]), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        judge(&bytes);
    }

    #[test]
    fn any_text_of_yaml_s_own_characters(text in "[-a-z:{}\\[\\]&*!|>'\"%@`#?, \n\t<\u{feff}]{0,200}") {
        judge(text.as_bytes());
    }

    #[test]
    fn any_object(pod in any_value(), kind in proptest::sample::select(&["Pod", "Deployment", "CronJob", "Rollout", "Other", "List"][..])) {
        for value in [
            json!({"kind": kind, "spec": pod}),
            json!({"kind": kind, "metadata": pod, "spec": {"template": {"spec": pod}}}),
            json!({"kind": kind, "items": [pod], "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}),
            json!({"kind": kind, "spec": {"containers": [pod, pod], "volumes": [pod]}}),
        ] {
            judge_documents(&[Document::from_value(value)]);
        }
    }

    #[test]
    fn any_text_as_image_quantity_script_and_message(text in any::<String>()) {
        let _image = ImageRef::parse(&text).is_ok();
        let _quantity = Quantity::parse(&text).map(|quantity| quantity.to_string());
        let _commands = shell::parse(&text).commands.len();
        prop_assert!(shown(&text, 10).chars().count() <= 10);
        prop_assert!(!shown(&text, 10).contains(char::is_control));
    }

    #[test]
    fn positions_lie_in_the_text(text in "[-a-z:{}\\[\\], \né]{0,120}", pointer in "(/[a-z0-9]{0,3}){0,4}") {
        for document in read(text.as_bytes()).0 {
            if let Some(span) = document.span(&pointer) {
                prop_assert!(document.text().get(span).is_some());
            }
        }
    }
}

#[test]
fn large_objects_are_judged_in_bounds() {
    let container = |n: usize| {
        json!({"name": format!("c{n}"), "image": format!("Example/{n}:"), "command": ["sh", "-c", "echo $(a; b) && (c); ".repeat(100)],
            "env": (0..50).map(|v| json!({"name": format!("V{v}"), "value": "x".repeat(100)})).collect::<Vec<_>>(),
            "resources": {"limits": {"memory": "128m"}}, "volumeMounts": [{"name": "none", "mountPath": "/a"}]})
    };
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": (0..500).map(container).collect::<Vec<_>>()}});
    let text = serde_json::to_string(&pod).unwrap_or_default();
    assert!(text.len() > 3 << 20);
    assert!(judge(text.as_bytes()) >= 1_000);
    // The same as YAML, 7 MiB of it.
    let mut yaml = String::from("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n");
    let mut number = 0;
    while yaml.len() < 7 << 20 {
        number += 1;
        yaml.push_str("  - name: c");
        yaml.push_str(&number.to_string());
        yaml.push_str("\n    image: Nginx\n    env:\n    - {name: A, value: '");
        yaml.push_str(&"y".repeat(10_000));
        yaml.push_str("'}\n");
    }
    assert!(judge(yaml.as_bytes()) >= number);
}

#[test]
fn work_grows_with_the_size_alone() {
    // At these sizes a rule that reads all of it again for each piece would take minutes.
    for piece in ["{", "[", "a;", "{ a;", "${", "$(", "x=", "a && "] {
        let script = piece.repeat(60_000 / piece.len());
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "a", "image": "a/b:1", "command": ["sh", "-c", script]}]}});
        judge_documents(&[Document::from_value(pod)]);
    }
    let many = 20_000;
    let numbered = |of: &dyn Fn(usize) -> Value| (0..many).map(of).collect::<Vec<_>>();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "volumes": numbered(&|n| json!({"name": format!("v{n}"), "configMap": {"name": "c"}})),
        "containers": [{"name": "a", "image": "a/b:1",
            "env": numbered(&|n| json!({"name": format!("A{n}_JAVA_OPTS"), "value": "-Xmx1g"})),
            "volumeMounts": numbered(&|n| json!({"name": format!("v{}", many - 1 - n), "mountPath": format!("/m{n}"), "subPath": "x"}))}]}});
    judge_documents(&[Document::from_value(pod)]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "volumes": [{"name": "v", "configMap": {"name": "c", "items": numbered(&|n| json!({"key": "k", "path": format!("p{n}")}))}}],
        "containers": [{"name": "a", "image": "a/b:1",
            "volumeMounts": (0..2_000).map(|n| json!({"name": "v", "mountPath": format!("/m{n}"), "subPath": "p0"})).collect::<Vec<_>>()}]}});
    judge_documents(&[Document::from_value(pod)]);
}
