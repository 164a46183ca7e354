//! One report a namespace. Values in, values out.

use super::found::Found;
use super::kind::ReportKind;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The name of each report.
pub(super) const NAME: &str = "podsight";
/// By which ours are found and told from others'.
pub(super) const LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "podsight");
/// How many results a report had no room for.
const OMITTED: &str = "podsight.dev/omitted";
/// Results of one report. Each has some 2 KiB at the very most, and the API server takes 1.5 MiB.
const RESULTS_MAX: usize = 400;

/// What was found so far, by namespace.
#[derive(Debug, Default)]
pub(super) struct Reports(BTreeMap<String, Namespace>);

#[derive(Debug, Default)]
struct Namespace {
    found: BTreeSet<Found>,
    fail: usize,
    warn: usize,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    summary: Value,
    results: Vec<Value>,
    omitted: usize,
}

impl Reports {
    /// Adds what was found in an object.
    pub(super) fn add(&mut self, namespace: &str, found: Vec<Found>) {
        if found.is_empty() {
            return;
        }
        let here = self.0.entry(namespace.to_owned()).or_default();
        for finding in found {
            let count = if finding.is_only_likely { &mut here.warn } else { &mut here.fail };
            let is_full = here.found.len() >= RESULTS_MAX;
            // The last one in order makes room, so that what is kept does not depend on the order in which the objects come.
            if here.found.insert(finding) {
                *count += 1;
                if is_full {
                    here.found.pop_last();
                }
            }
        }
    }

    /// The reports by namespace.
    pub(super) fn finish(self) -> BTreeMap<String, Content> {
        let content = |(namespace, here): (String, Namespace)| {
            let results: Vec<Value> = here.found.iter().map(|found| found.result(&namespace)).collect();
            let omitted = (here.fail + here.warn).saturating_sub(results.len());
            // Whoever looks was asked about failures alone: what is well is not counted.
            let summary = json!({"pass": 0, "fail": here.fail, "warn": here.warn, "error": 0, "skip": 0});
            (namespace, Content { summary, results, omitted })
        };
        self.0.into_iter().map(content).collect()
    }
}

impl Content {
    /// The object.
    pub(super) fn object(&self, kind: ReportKind, namespace: &str, owner: Option<&Value>) -> Value {
        let mut metadata =
            json!({"name": NAME, "namespace": namespace, "labels": {"app.kubernetes.io/name": "podsight", LABEL.0: LABEL.1}});
        if let Some(fields) = metadata.as_object_mut() {
            if let Some(owner) = owner {
                fields.insert("ownerReferences".to_owned(), json!([owner]));
            }
            if self.omitted > 0 {
                fields.insert("annotations".to_owned(), json!({OMITTED: self.omitted.to_string()}));
            }
        }
        let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind(), "metadata": metadata, "summary": self.summary, "results": self.results});
        if let (ReportKind::OpenReports, Some(fields)) = (kind, object.as_object_mut()) {
            fields.insert("source".to_owned(), json!("podsight"));
        }
        object
    }

    /// Whether an object says the same already.
    pub(super) fn is_said_by(&self, object: &Value, owner: Option<&Value>) -> bool {
        let omitted = object.pointer("/metadata/annotations").and_then(|annotations| annotations.get(OMITTED)).and_then(Value::as_str);
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let expected = if self.omitted > 0 { Some(self.omitted.to_string()) } else { None };
        object.get("summary") == Some(&self.summary)
            && object.get("results").and_then(Value::as_array) == Some(&self.results)
            && omitted == expected.as_deref()
            && owner.is_none_or(|owner| owners == std::slice::from_ref(owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, is_only_likely: bool) -> Found {
        Found {
            is_only_likely,
            kind: "Pod".to_owned(),
            name: name.to_owned(),
            container: None,
            rule: "memory-tiny",
            message: format!("Pod/{name}: too small [memory-tiny]"),
            api_version: "v1".to_owned(),
            uid: format!("u-{name}"),
        }
    }

    #[test]
    fn a_report_of_either_kind() {
        let mut reports = Reports::default();
        reports.add("shop", vec![found("b", true), found("a", false)]);
        reports.add("empty", vec![]);
        let finished = reports.finish();
        assert_eq!(finished.keys().collect::<Vec<_>>(), ["shop"]);
        let owner = json!({"kind": "ClusterRole", "name": "podsight-reports"});
        let content = &finished["shop"];
        let object = content.object(ReportKind::OpenReports, "shop", Some(&owner));
        assert_eq!(
            object,
            json!({"apiVersion": "openreports.io/v1alpha1", "kind": "Report",
                "metadata": {"name": "podsight", "namespace": "shop", "ownerReferences": [owner],
                    "labels": {"app.kubernetes.io/name": "podsight", "app.kubernetes.io/managed-by": "podsight"}},
                "source": "podsight", "summary": {"pass": 0, "fail": 1, "warn": 1, "error": 0, "skip": 0},
                "results": [found("a", false).result("shop"), found("b", true).result("shop")]})
        );
        let older = content.object(ReportKind::PolicyReport, "shop", None);
        assert_eq!(
            (&older["apiVersion"], &older["kind"], older.get("source")),
            (&json!("wgpolicyk8s.io/v1alpha2"), &json!("PolicyReport"), None)
        );
        assert!(content.is_said_by(&object, Some(&owner)) && content.is_said_by(&older, None));
        assert!(!content.is_said_by(&older, Some(&owner)), "it is to be owned");
        for pointer in ["/summary/fail", "/results/0/message", "/results/1"] {
            let mut other = object.clone();
            *other.pointer_mut(pointer).unwrap() = json!(7);
            assert!(!content.is_said_by(&other, Some(&owner)), "{pointer}");
        }
    }

    #[test]
    fn results_are_bounded_counted_and_the_same_in_any_order() {
        let all: Vec<Found> = (0..3 * RESULTS_MAX).map(|number| found(&format!("{number:05}"), number % 2 == 0)).collect();
        let [mut forwards, mut backwards] = [Reports::default(), Reports::default()];
        for (found, other) in all.iter().zip(all.iter().rev()) {
            forwards.add("shop", vec![found.clone()]);
            backwards.add("shop", vec![other.clone()]);
        }
        let (forwards, backwards) = (forwards.finish(), backwards.finish());
        assert_eq!(forwards, backwards);
        let content = &forwards["shop"];
        assert_eq!(content.results.len(), RESULTS_MAX);
        assert!(content.results.iter().all(|result| result["result"] == "fail"), "the certain ones first");
        assert_eq!((content.summary["fail"].as_u64(), content.summary["warn"].as_u64()), (Some(600), Some(600)));
        let object = content.object(ReportKind::OpenReports, "shop", None);
        assert_eq!(object["metadata"]["annotations"], json!({"podsight.dev/omitted": "800"}));
        assert!(content.is_said_by(&object, None));
        let mut other = object;
        other["metadata"]["annotations"] = json!({});
        assert!(!content.is_said_by(&other, None));
    }
}
