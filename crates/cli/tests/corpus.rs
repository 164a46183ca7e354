//! Real manifests, and manifests that are known to fail: what is found in them is what should be. The corpus lies beside the checkout, or where
//! `PODSIGHT_CORPUS` says; without it these tests are skipped.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends at its first error, and its helpers with it")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What people really apply.
const REAL: [&str; 16] = [
    "argo-cd",
    "argo-rollouts",
    "argo-workflows",
    "bank-of-anthos",
    "calico",
    "ingress-nginx",
    "istio-samples",
    "k8s-addons",
    "kube-prometheus",
    "kubernetes-examples",
    "longhorn",
    "metrics-server",
    "microservices-demo-gcp",
    "node-problem-detector",
    "rook",
    "sock-shop",
];

/// Well-kept projects: a finding in them is surely wrong.
const SOUND: [&str; 4] = ["argo-cd", "kube-prometheus", "ingress-nginx", "metrics-server"];

fn manifests() -> Option<PathBuf> {
    let corpus = std::env::var_os("PODSIGHT_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    let manifests = corpus.join("manifests");
    if manifests.is_dir() {
        return Some(manifests);
    }
    println!("skipped: there is no corpus beside the checkout");
    None
}

fn check(path: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_podsight")).args(["check", "-o", "json"]).arg(path).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn real_manifests_are_left_alone_but_for_what_was_reviewed() {
    let Some(manifests) = manifests() else { return };
    let reviewed: BTreeSet<(String, String)> = include_str!("reviewed.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split('\t');
            let (file, rule, why) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap());
            assert!(!why.is_empty(), "{line}");
            (file.to_owned(), rule.to_owned())
        })
        .collect();
    let mut found = BTreeSet::new();
    for folder in REAL.iter().filter(|folder| manifests.join(folder).is_dir()) {
        let answer = check(&manifests.join(folder));
        for finding in answer.get("findings").and_then(Value::as_array).unwrap() {
            let file = Path::new(text(finding, "file")).strip_prefix(&manifests).unwrap().to_string_lossy().into_owned();
            found.insert((file, text(finding, "rule").to_owned()));
        }
    }
    assert_eq!(found, reviewed);
    assert!(!found.iter().any(|(file, _)| SOUND.iter().any(|folder| file.starts_with(&format!("{folder}/")))));
}

#[test]
fn failing_manifests_are_found() {
    let Some(manifests) = manifests() else { return };
    let expected = std::fs::read_to_string(manifests.join("EXPECTED.tsv")).unwrap();
    // Rows that only a cluster's facts, the API server or a guess could tell.
    let beyond = [
        "needs cluster",
        "cluster look-up",
        "needs PVC",
        "else cluster",
        "not in bundle",
        "not in the bundle",
        "rejected",
        "low-confidence",
    ];
    let mut rows = 0;
    for line in expected.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, "ground-truth", _, "yes", predicts, note] = cells.as_slice() else { continue };
        if beyond.iter().any(|words| note.contains(words) || predicts.contains(words)) {
            continue;
        }
        rows += 1;
        let answer = check(&manifests.join(file));
        assert!(!answer.get("findings").and_then(Value::as_array).unwrap().is_empty(), "nothing found in {file}: {predicts}");
    }
    assert!(rows > 0);
}

#[test]
fn one_run_takes_everything() {
    let Some(manifests) = manifests() else { return };
    let answer = check(&manifests);
    let summary = |field: &str| answer.pointer(&format!("/summary/{field}")).and_then(Value::as_u64).unwrap();
    assert!(summary("files") > 1_000 && summary("workloads") > 500 && summary("problems") > 0, "{}", answer.get("summary").unwrap());
}
