//! The examples on the rules' pages are run: what `warns` gives exactly one finding, of that rule; what is `clean` gives none.

mod answers;

use podsight_cluster::Cluster;
use podsight_rules::{Certainty, Facts, RULES, Rule, check};
use podsight_spec::{read, workloads};

struct Example {
    kind: String,
    text: String,
}

fn examples(page: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    for line in page.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match &mut open {
            None => {
                if let Some(kind) = line.strip_prefix("```yaml,") {
                    open = Some(Example { kind: kind.to_owned(), text: String::new() });
                }
            }
            Some(_) if line == "```" => examples.extend(open.take()),
            Some(example) => {
                example.text.push_str(line);
                example.text.push('\n');
            }
        }
    }
    examples
}

fn found(rule: &dyn Rule, example: &Example) -> Vec<&'static str> {
    let (documents, problems) = read(example.text.as_bytes());
    assert!(problems.is_empty(), "{}: {problems:?}", rule.id());
    let mut run = podsight_rules::bundle_of(&documents);
    answers::add(&mut run);
    // Nodes are no files of a run: where there are some, all objects of the example are a cluster's.
    let has_nodes = documents.iter().any(|document| document.value.get("kind").is_some_and(|kind| kind == "Node"));
    let cluster = has_nodes.then(|| Cluster::of("default", documents.iter().map(|document| &document.value)));
    let facts: &dyn Facts = cluster.as_ref().map_or(&run, |cluster| cluster);
    let least = if rule.certainty() == Certainty::Hint { Certainty::Hint } else { Certainty::Likely };
    documents
        .iter()
        .flat_map(|document| {
            workloads(&document.value).iter().flat_map(|workload| podsight_rules::check_with(workload, facts)).collect::<Vec<_>>()
        })
        .filter(|finding| finding.certainty >= least && (finding.certainty > Certainty::Hint || finding.rule == rule.id()))
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn examples_do_what_the_pages_say() {
    for rule in RULES {
        let examples = examples(rule.page());
        let mut kinds = Vec::new();
        for example in &examples {
            let want: &[&str] = match example.kind.as_str() {
                "warns" => &[rule.id()],
                "clean" => &[],
                other => panic!("{}: unknown kind of example {other}", rule.id()),
            };
            assert_eq!(found(*rule, example), want, "{} {}\n{}", rule.id(), example.kind, example.text);
            kinds.push(example.kind.as_str());
        }
        assert!(kinds.contains(&"warns") && kinds.contains(&"clean"), "{} has an example of each kind", rule.id());
    }
}

#[test]
fn pages_have_all_sections_and_rules_all_texts() {
    for rule in RULES {
        for section in ["## What it does", "## What happens without a change", "## Example", "## Use instead", "## Known limits"] {
            assert!(rule.page().contains(section), "{} lacks {section}", rule.id());
        }
        for lang in [podsight_cause::Lang::En, podsight_cause::Lang::Zh] {
            assert!(!rule.summary(lang).is_empty());
        }
        assert!(rule.summary(podsight_cause::Lang::Zh) != rule.summary(podsight_cause::Lang::En), "{} is not translated", rule.id());
        // Of what the API server refuses there is no pod that could come to anything.
        assert!(rule.group() == "admission" || !rule.predicts().is_empty(), "{} predicts nothing", rule.id());
        assert!(rule.id().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit()));
    }
    let ids: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), RULES.len());
}

#[test]
fn objects_can_turn_rules_off() {
    for (list, want) in [("memory-tiny", 0), ("image-invalid , memory-tiny", 0), ("all", 0), ("other", 1)] {
        for place in ["metadata", "spec/template/metadata"] {
            let annotations = format!("{{annotations: {{podsight.dev/ignore: '{list}'}}}}");
            let (own, template) = if place == "metadata" { (annotations.as_str(), "{}") } else { ("{}", annotations.as_str()) };
            let text = format!(
                "{{kind: Deployment, metadata: {own}, spec: {{template: {{metadata: {template}, spec: {{containers: [{{name: a, image: b, resources: {{limits: {{memory: 1}}}}}}]}}}}}}}}"
            );
            let (documents, _) = read(text.as_bytes());
            let findings: Vec<_> = workloads(&documents[0].value).iter().flat_map(check).collect();
            let found = findings.iter().filter(|finding| finding.certainty > Certainty::Hint).count();
            assert_eq!(found, want, "{list} {place}");
        }
    }
}
