//! Files with what was found in them mended, and the difference as `diff -u` writes it.

use podsight_rules::shown;
use podsight_spec::{Document, Edit, read};
use serde_json::Value;
use similar::TextDiff;

/// So many edits of one file are tried one by one where they do not go together.
const MOST_ALONE: usize = 200;

/// A file's text with edits made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// How many edits were made.
    pub edits: usize,
}

/// The text with the edits, none of which may change anything but its own value: an edit that would is left out. `None` where none is left.
pub fn fixed(text: &str, edits: &[Edit]) -> Option<Fixed> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    edits.dedup_by(|one, other| one.range == other.range && one.text == other.text);
    if edits.is_empty() {
        return None;
    }
    if let Some(text) = applied(text, &edits) {
        return Some(Fixed { text, edits: edits.len() });
    }
    let mut kept: Vec<&Edit> = Vec::new();
    let mut best = None;
    for edit in edits.into_iter().take(MOST_ALONE) {
        kept.push(edit);
        match applied(text, &kept) {
            Some(text) => best = Some(text),
            None => drop(kept.pop()),
        }
    }
    best.map(|text| Fixed { text, edits: kept.len() })
}

/// The difference between two texts of a file, with three lines around each change, fit for `patch -p1`.
pub fn diff(file: &str, old: &str, new: &str) -> String {
    let file = shown(file, 400);
    let file = file.trim_start_matches("./").trim_start_matches('/');
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(&format!("a/{file}"), &format!("b/{file}")).to_string()
}

/// The text with all edits, if their places do not overlap and nothing else changes by them.
fn applied(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut new = String::with_capacity(text.len() + 16 * edits.len());
    let mut end = 0;
    for edit in edits {
        new.push_str(text.get(end..edit.range.start)?);
        new.push_str(&edit.text);
        end = edit.range.end;
    }
    new.push_str(text.get(end..)?);
    let (mut wanted, problems) = read(text.as_bytes());
    let (got, problems_left) = read(new.as_bytes());
    for edit in edits {
        let at = wanted.iter().rposition(|document| document.start() <= edit.range.start)?;
        *wanted.get_mut(at)?.value.pointer_mut(&edit.pointer)? = edit.value.clone();
    }
    let values = |documents: &[Document]| documents.iter().map(|document| document.value.clone()).collect::<Vec<Value>>();
    (problems == problems_left && values(&wanted) == values(&got)).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use podsight_rules::check;
    use podsight_spec::workloads;

    /// The edits of all findings in a file, as `podsight check --fix` takes them.
    fn edits(text: &str) -> Vec<Edit> {
        let mut edits = Vec::new();
        for document in &read(text.as_bytes()).0 {
            for workload in workloads(&document.value) {
                edits.extend(check(&workload).into_iter().filter_map(|finding| crate::Item::new("a", document, &workload, finding).edit));
            }
        }
        edits
    }

    const FILE: &str = "# A file.
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: main            # the first
      image: 'docker://example.com/app:V1'
      imagePullPolicy: ifnotpresent
      env: [{name: PORT, value: 8080}, {name: ON, value: yes}]   # numbers
      resources:
        limits: {memory: 128m}
---
kind: List
items:
- {kind: Pod, spec: {containers: [{name: b, image: \"Me/App:V1\", resources: {limits: {memory: 512 MiB}}}]}}
";

    #[test]
    fn what_is_fixed_is_found_no_more_and_all_else_stays() {
        let fixed = fixed(FILE, &edits(FILE)).unwrap();
        let want = FILE
            .replace("docker://", "")
            .replace("Me/App", "me/app")
            .replace("ifnotpresent", "IfNotPresent")
            .replace("value: 8080", "value: \"8080\"")
            .replace("value: yes", "value: \"yes\"")
            .replace("128m", "128Mi")
            .replace("512 MiB", "512Mi");
        assert_eq!(fixed.text.lines().collect::<Vec<_>>(), want.lines().collect::<Vec<_>>());
        assert_eq!(fixed.edits, 7);
        assert!(edits(&fixed.text).is_empty());
    }

    #[test]
    fn an_edit_that_would_change_more_is_left_out() {
        let (documents, _) = read(b"a: 1\nb: 2\n");
        let good = documents[0].rewrite("/a", "x").unwrap();
        let mut bad = documents[0].rewrite("/b", "y").unwrap();
        bad.text = "y\nc: z".to_owned();
        let fixed = fixed("a: 1\nb: 2\n", &[bad.clone(), good]).unwrap();
        assert_eq!((fixed.text.as_str(), fixed.edits), ("a: x\nb: 2\n", 1));
        assert_eq!(super::fixed("a: 1\nb: 2\n", &[bad.clone()]), None);
        assert_eq!(super::fixed("short", &[bad]), None);
    }

    #[test]
    fn a_difference_is_fit_for_patch() {
        assert_eq!(diff("./a\n.yaml", "1\n2\n", "1\n3\n"), "--- a/a\\n.yaml\n+++ b/a\\n.yaml\n@@ -1,2 +1,2 @@\n 1\n-2\n+3\n");
    }
}
