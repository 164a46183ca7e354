//! Each rule's fixtures: every pod of `bad.yaml` has a finding of the rule, none of `good.yaml` has one, and what is said is in `bad.snap`.

mod answers;

use podsight_cause::Lang;
use podsight_cluster::Cluster;
use podsight_rules::{Finding, RULES, Rule, bundle_of, check_with};
use podsight_spec::{read, workloads};
use std::fmt::Write as _;
use std::path::PathBuf;

fn folder(rule: &dyn Rule) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(rule.group()).join(rule.id().replace('-', "_"))
}

/// The findings of the rule in each workload of a fixture.
fn findings(rule: &dyn Rule, name: &str) -> Vec<Vec<Finding>> {
    let path = folder(rule).join(name);
    let bytes = std::fs::read(&path).unwrap_or_default();
    let (documents, problems) = read(&bytes);
    assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    let mut run = bundle_of(&documents);
    answers::add(&mut run);
    // Nodes are no files of a run: where there are some, all objects of the fixture are a cluster's.
    let has_nodes = documents.iter().any(|document| document.value.get("kind").is_some_and(|kind| kind == "Node"));
    let cluster = has_nodes.then(|| Cluster::of("default", documents.iter().map(|document| &document.value)));
    let mut found = Vec::new();
    for document in &documents {
        for workload in workloads(&document.value) {
            let all = match &cluster {
                Some(cluster) => check_with(&workload, cluster),
                None => check_with(&workload, &run),
            };
            found.push(all.into_iter().filter(|finding| finding.rule == rule.id()).collect());
        }
    }
    assert!(!found.is_empty(), "{} runs no pod", path.display());
    found
}

#[test]
fn bad_is_found_and_good_is_not() {
    for rule in RULES {
        for (number, found) in findings(*rule, "bad.yaml").iter().enumerate() {
            assert!(!found.is_empty(), "{}: nothing found in pod {number} of bad.yaml", rule.id());
            assert!(found.iter().all(|finding| finding.certainty <= rule.certainty()), "{}: surer than its rule", rule.id());
            assert!(
                found.iter().flat_map(|finding| finding.predicts).all(|cause| rule.predicts().contains(cause)),
                "{}: predicts more than its rule",
                rule.id()
            );
        }
        for (number, found) in findings(*rule, "good.yaml").iter().enumerate() {
            assert!(found.is_empty(), "{}: pod {number} of good.yaml: {found:#?}", rule.id());
        }
    }
}

#[test]
fn says_what_the_snapshots_say() {
    for rule in RULES {
        let mut text = String::new();
        for finding in findings(*rule, "bad.yaml").iter().flatten() {
            writeln!(text, "{} {} {:?}", finding.pointer, finding.certainty.id(), finding.predicts).unwrap();
            for lang in [Lang::En, Lang::Zh] {
                writeln!(text, "  {}\n    {}", finding.message(lang), finding.help(lang)).unwrap();
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder(*rule));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("bad", text));
    }
}

#[test]
fn messages_are_short_plain_and_complete() {
    for rule in RULES {
        for finding in findings(*rule, "bad.yaml").iter().flatten() {
            for lang in [Lang::En, Lang::Zh] {
                let message = finding.message(lang);
                assert!(!message.is_empty() && !finding.help(lang).is_empty(), "{}", rule.id());
                assert!(!message.contains(char::is_control) && !message.ends_with('.'), "{message:?}");
            }
            // With `Deployment/checkout[server]: ` in front and the id behind it stays within what the API server's warnings are meant to be.
            let length = finding.message(Lang::En).chars().count() + rule.id().len() + 28;
            assert!(length <= 140, "{length}: {}", finding.message(Lang::En));
            assert_ne!(finding.message(Lang::En), finding.message(Lang::Zh));
        }
    }
}
