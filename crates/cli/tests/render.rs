//! Helm charts and kustomizations in `podsight check`, with the real programs where they are.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test ends at its first error, and its helpers with it")]

use std::path::Path;
use std::process::Command;

const TEMPLATE: &str = "apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
spec:
  containers:
  - name: main
    image: {{ .Values.image }}
    resources:
      limits:
        memory: 128m
";

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: main\n    image: nginx:1.27\n    resources:\n      limits: {memory: 64Mi}\n";

fn podsight(folder: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_podsight")).current_dir(folder).env("LC_ALL", "C").args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn chart() -> tempfile::TempDir {
    folder(&[
        ("shop/Chart.yaml", "apiVersion: v2\nname: the-shop\nversion: 1.0.0\n"),
        ("shop/values.yaml", "image: example.com/Shop:1\n"),
        ("shop/templates/pod.yaml", TEMPLATE),
        ("shop/templates/more.yaml", "{{- if .Values.more }}\n{{ include \"x\" . }}\n{{- end }}\n"),
    ])
}

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("version").output().is_ok();
    if !found {
        println!("skipped: there is no {program} on the PATH");
    }
    found
}

#[test]
fn a_chart_is_no_broken_file() {
    let chart = chart();
    let (out, err, code) = podsight(chart.path(), &["check", "."]);
    assert_eq!(err, "./shop: a Helm chart: give --render to check what it makes\n");
    assert_eq!((out.as_str(), code), ("nothing found in 0 workloads of 4 files\n", Some(0)));
}

#[test]
fn what_cannot_be_rendered_is_a_problem() {
    let chart = chart();
    let mut command = Command::new(env!("CARGO_BIN_EXE_podsight"));
    let output =
        command.current_dir(chart.path()).env("PATH", chart.path()).args(["check", "--render", "-o", "json", "shop"]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = answer.get("problems").unwrap();
    let want =
        serde_json::json!([{"file": "shop/Chart.yaml", "line": null, "message": "cannot be rendered: there is no helm on the PATH"}]);
    assert_eq!(*problems, want);
}

#[test]
fn a_chart_is_checked_as_what_it_makes() {
    if !is_there("helm") {
        return;
    }
    let chart = chart();
    let (out, err, code) = podsight(chart.path(), &["check", "--render", "-o", "github", "shop"]);
    let lines: Vec<&str> = out.lines().map(|line| line.split("::Pod").next().unwrap_or_default()).collect();
    // The image's line holds a template: where it comes from in the file is not known.
    let want = [
        "::error file=shop/templates/pod.yaml,title=image-invalid",
        "::error file=shop/templates/pod.yaml,line=11,col=17,title=memory-tiny",
    ];
    assert_eq!(lines, want);
    assert_eq!((err.as_str(), code), ("", Some(1)));
}

#[test]
fn a_kustomization_is_checked_as_what_it_makes() {
    if !is_there("kubectl") && !is_there("kustomize") {
        return;
    }
    // The base is sound and the overlay breaks it; another overlay mends what is broken in its base.
    let patch =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec: {containers: [{name: main, resources: {limits: {memory: LIMIT}}}]}\n";
    let overlay = "resources: [../base]\npatches: [{path: patch.yaml}]\n";
    let run = folder(&[
        ("a/base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("a/base/pod.yaml", POD),
        ("a/broken/kustomization.yaml", overlay),
        ("a/broken/patch.yaml", &patch.replace("LIMIT", "64m")),
        ("b/base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("b/base/pod.yaml", &POD.replace("64Mi", "64m")),
        ("b/mended/kustomization.yaml", overlay),
        ("b/mended/patch.yaml", &patch.replace("LIMIT", "64Mi")),
    ]);
    let (out, _, code) = podsight(run.path(), &["check", "--render", "-o", "json", "b"]);
    assert_eq!(code, Some(0), "{out}");
    let (out, _, code) = podsight(run.path(), &["check", "--render", "-o", "json", "a"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    let files: Vec<_> = answer
        .get("findings")
        .and_then(serde_json::Value::as_array)
        .unwrap()
        .iter()
        .map(|finding| finding.get("file").unwrap().as_str().unwrap())
        .collect();
    assert_eq!(code, Some(1), "{out}");
    assert!(files.contains(&"a/base/pod.yaml") && answer.get("problems") == Some(&serde_json::json!([])), "{out}");
}
