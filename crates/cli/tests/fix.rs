//! `podsight check --fix` as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test ends at its first error, and its helpers with it")]

use std::path::Path;
use std::process::Command;

const FILE: &str = "# The shop.
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
    - name: main   # serves
      image: example.com/Shop:V2
      env:
        - {name: PORT, value: 8080}
      resources:
        limits:
          memory: 256m   # enough
";

fn podsight(folder: &Path, args: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_podsight")).current_dir(folder).env("LC_ALL", "C").args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn the_difference_comes_first_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, FILE).unwrap();
    let (out, err, code) = podsight(folder.path(), &["check", "--fix", "shop.yaml"]);
    insta::assert_snapshot!(out, @r#"
    --- a/shop.yaml
    +++ b/shop.yaml
    @@ -5,9 +5,9 @@
     spec:
       containers:
         - name: main   # serves
    -      image: example.com/Shop:V2
    +      image: example.com/shop:V2
           env:
    -        - {name: PORT, value: 8080}
    +        - {name: PORT, value: "8080"}
           resources:
             limits:
    -          memory: 256m   # enough
    +          memory: 256Mi   # enough
    "#);
    assert_eq!((err.as_str(), code), ("3 of 3 findings can be mended: podsight check --fix=write does it\n", Some(1)));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FILE);
    // What is printed is fit for patch.
    let patched =
        Command::new("patch").args(["-p1", "--dry-run", "-i", "-"]).current_dir(folder.path()).stdin(std::process::Stdio::piped()).spawn();
    if let Ok(mut patch) = patched {
        std::io::Write::write_all(&mut patch.stdin.take().unwrap(), out.as_bytes()).unwrap();
        assert!(patch.wait().unwrap().success());
    }
}

#[test]
fn what_is_written_is_found_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, format!("\u{feff}{}", FILE.replace('\n', "\r\n"))).unwrap();
    let (out, err, code) = podsight(folder.path(), &["check", "--fix=write", "."]);
    assert_eq!((out.as_str(), err.as_str(), code), ("nothing found in 1 workload of 1 file\n", "./shop.yaml: 3 changes\n", Some(0)));
    let want = FILE.replace("Shop:", "shop:").replace("8080", "\"8080\"").replace("256m", "256Mi").replace('\n', "\r\n");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("\u{feff}{want}"));
    let (_, err, code) = podsight(folder.path(), &["check", "--fix=write", "-"]);
    assert!(err.contains("standard input cannot be changed") && code == Some(2), "{err}");
}
