//! `podsight check`, `rules` and `completions` as a user runs them: whole outputs and exit codes.

#![expect(clippy::unwrap_used, reason = "a test ends at its first error, and its helpers with it")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TINY: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: main\n    image: nginx:1.27\n    resources:\n      limits:\n        memory: 128m\n";
const SOUND: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: main, image: \"nginx:1.27\"}]}\n";

fn podsight(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podsight"));
    command.current_dir(folder).env("LC_ALL", "C").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn run(folder: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    let output = podsight(folder).args(args).output().unwrap();
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

#[test]
fn shows_where_and_what_like_a_compiler() {
    let folder = folder(&[("a.yaml", TINY), ("b.yaml", SOUND)]);
    let (out, err, code) = run(folder.path(), &["check", "."]);
    insta::assert_snapshot!("text", out);
    assert_eq!((err.as_str(), code), ("", Some(1)));
}

#[test]
fn speaks_chinese() {
    let folder = folder(&[("a.yaml", TINY)]);
    let (out, _, _) = run(folder.path(), &["check", "--lang", "zh", "a.yaml"]);
    insta::assert_snapshot!("chinese", out);
    let output = podsight(folder.path()).args(["check", "a.yaml"]).env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), out);
}

#[test]
fn gives_the_json_of_the_contract() {
    let folder = folder(&[("a.yaml", TINY), ("b.yaml", "a: [\n")]);
    let (out, _, code) = run(folder.path(), &["check", "-o", "json", "a.yaml", "b.yaml"]);
    insta::assert_snapshot!("json", out);
    assert_eq!(code, Some(1));
    assert_eq!(run(folder.path(), &["check", "-o", "json", "a.yaml", "b.yaml"]).0, out, "the same input gives the same bytes");
}

#[test]
fn other_formats_hold_the_same_finding() {
    let folder = folder(&[("a b.yaml", TINY)]);
    let of = |format| run(folder.path(), &["check", "-o", format]).0;
    insta::assert_snapshot!("github", of("github"));
    insta::assert_snapshot!("markdown", of("markdown"));
    insta::assert_snapshot!("junit", of("junit"));
    let sarif: serde_json::Value = serde_json::from_str(&of("sarif")).unwrap();
    let result = sarif.pointer("/runs/0/results/0").unwrap();
    let rules = sarif.pointer("/runs/0/tool/driver/rules").and_then(serde_json::Value::as_array).unwrap();
    let index = usize::try_from(result.get("ruleIndex").and_then(serde_json::Value::as_u64).unwrap()).unwrap();
    assert_eq!(rules.get(index).and_then(|rule| rule.get("id")), result.get("ruleId"));
    let mut result = result.clone();
    // Its place in the catalogue changes with each rule.
    result.as_object_mut().unwrap().remove("ruleIndex");
    insta::assert_snapshot!("sarif", serde_json::to_string_pretty(&result).unwrap());
}

#[test]
fn exit_status_says_how_it_went() {
    let folder = folder(&[("bad.yaml", TINY), ("good.yaml", SOUND), ("broken.yaml", "a: ["), ("empty/x.txt", "")]);
    for (args, want) in [
        (&["check", "bad.yaml"][..], 1),
        (&["check", "good.yaml"], 0),
        (&["check", "bad.yaml", "--fail-on", "never"], 0),
        (&["check", "bad.yaml", "--skip", "memory-tiny"], 0),
        (&["check", "good.yaml", "--profile", "hygiene"], 0),
        (&["check", "good.yaml", "--profile", "hygiene", "--fail-on", "hint"], 1),
        (&["check", "broken.yaml"], 2),
        (&["check", "broken.yaml", "good.yaml"], 0),
        (&["check", "absent.yaml"], 2),
        (&["check", "absent.yaml", "bad.yaml"], 1),
        (&["check", "empty"], 2),
        (&["check", "--only", "nonsense"], 2),
        (&["check", "--nonsense"], 2),
        (&["rules", "nonsense"], 2),
        (&["rules"], 0),
        (&["--help"], 0),
        (&[], 2),
    ] {
        let (out, err, code) = run(folder.path(), args);
        assert_eq!(code, Some(want), "{args:?}\n{out}{err}");
    }
    let (_, err, _) = run(folder.path(), &["check", "--only", "memory-tinny"]);
    assert!(err.contains("did you mean 'memory-tiny'?"), "{err}");
}

#[test]
fn reads_standard_input() {
    let folder = folder(&[]);
    let mut child =
        podsight(folder.path()).args(["check", "-o", "github", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(TINY.as_bytes()).unwrap();
    let Output { stdout, status, .. } = child.wait_with_output().unwrap();
    assert!(String::from_utf8(stdout).unwrap().starts_with("::error file=-,line=11,col=17,title=memory-tiny::Pod/a[main]: "));
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_folder_of_templates_gives_one_short_problem_a_file() {
    let template = "{{- if .Values.on }}\nkind: Pod\nmetadata: {name: {{ .Release.Name }}}\n---\n{{ include \"x\" . }}\n{{- end }}\n";
    let folder = folder(&[("chart/templates/a.yaml", template), ("chart/templates/b.yaml", template), ("c.yaml", SOUND)]);
    let (out, _, code) = run(folder.path(), &["check"]);
    insta::assert_snapshot!("templates", out);
    assert_eq!(code, Some(0));
}

#[test]
fn files_of_one_run_know_each_other() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: main\n    image: nginx:1.27\n    envFrom: [{configMapRef: {name: app-config}}]\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app-configuration}\ndata: {a: b}\n";
    let folder = folder(&[("one/a-pod.yaml", pod), ("one/map.yaml", map), ("two/pod.yaml", pod)]);
    let (out, _, _) = run(folder.path(), &["check", "-o", "github"]);
    insta::assert_snapshot!("near-miss", out);
    // The right object elsewhere in the run is what is meant.
    std::fs::write(folder.path().join("three.yaml"), map.replace("app-configuration", "app-config")).unwrap();
    assert_eq!(run(folder.path(), &["check", "-o", "github"]).0, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = folder(&[]);
    let mut child = podsight(folder.path()).args(["rules", "-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status.code()), ("", Some(0)));
}

#[cfg(unix)]
#[test]
fn calls_itself_as_kubectl_calls_it() {
    let folder = folder(&[]);
    let plugin = folder.path().join("kubectl-podsight");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_podsight"), &plugin).unwrap();
    let output = Command::new(&plugin).args(["check", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("Usage: kubectl podsight check [OPTIONS] [PATH]..."), "{help}");
}

#[test]
fn writes_completions_for_each_shell() {
    let folder = folder(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (out, _, code) = run(folder.path(), &["completions", shell]);
        assert!(code == Some(0) && out.contains("podsight") && out.contains("check"), "{shell}");
    }
}

#[test]
fn lists_the_rules_and_shows_a_page() {
    let folder = folder(&[]);
    let (list, _, _) = run(folder.path(), &["rules"]);
    assert!(list.starts_with("RULE ") && list.contains("\nmemory-tiny ") && list.contains("certain"), "{list}");
    let (page, _, _) = run(folder.path(), &["rules", "memory-tiny"]);
    assert!(page.starts_with("# memory-tiny\n") && page.contains("## Use instead"), "{page}");
    let (json, _, _) = run(folder.path(), &["rules", "-o", "json", "memory-tiny"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.pointer("/rules/0/predicts/0").and_then(serde_json::Value::as_str), Some("memory-limit-below-start"));
}
