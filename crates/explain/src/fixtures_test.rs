//! One fixture a cause: the whole output in both languages, and what must hold for all of them.

use crate::{Event, Explanation, Input, KernelKills, explain, render};
use podsight_cause::{Cause, Lang};
use serde_json::Value;
use std::collections::HashMap;

/// The pod and the events of a fixture.
fn read(cause: Cause) -> (Value, Vec<Event>) {
    let path = format!("{}/fixtures/{}.yaml", env!("CARGO_MANIFEST_DIR"), cause.id().replace('-', "_"));
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (documents, problems) = podsight_spec::read(&text);
    assert_eq!(problems, [], "{path}");
    let mut values = documents.into_iter().map(|document| document.value);
    let pod = values.next().unwrap();
    (pod, values.map(|value| Event::from_value(&value, String::new())).collect())
}

fn explained(cause: Cause, lang: Lang) -> Explanation {
    let (pod, events) = read(cause);
    let events: Vec<&Event> = events.iter().collect();
    // The only cause that needs a log: one without a kill of the pod.
    let none = KernelKills::default();
    let kills = (cause == Cause::KilledExternally).then_some(&none);
    explain(&Input { events: &events, kills, lang, ..Input::new(&pod) })
}

/// The text without its styles.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

#[test]
fn every_fixture_is_explained_as_before_in_both_languages() {
    for cause in Cause::ALL {
        let both = [Lang::En, Lang::Zh].map(|lang| plain(&render::text(&explained(*cause, lang), lang)));
        insta::with_settings!({snapshot_path => "../fixtures", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(cause.id().replace('-', "_"), both.join("\n"));
        });
    }
}

#[test]
fn the_first_cause_of_every_fixture_is_its_own() {
    for cause in Cause::ALL {
        let explanation = explained(*cause, Lang::En);
        assert_eq!(explanation.causes[0].cause, *cause);
    }
}

#[test]
fn no_command_holds_a_placeholder_and_every_claim_has_evidence() {
    for cause in Cause::ALL {
        let explanation = explained(*cause, Lang::En);
        let best = &explanation.causes[0];
        assert!(!best.evidence.is_empty(), "{cause} claims without evidence");
        for step in &best.next {
            assert!(step.command.starts_with("kubectl ") && !step.command.contains(['<', '>']), "{cause}: {}", step.command);
        }
    }
}

#[test]
fn advice_differs_from_cause_to_cause() {
    let mut seen: HashMap<String, Cause> = HashMap::new();
    for cause in Cause::ALL {
        let best = explained(*cause, Lang::En).causes.remove(0);
        let advice = format!("{} {:?}", best.summary, best.next);
        assert_eq!(seen.insert(advice, *cause), None, "{cause}");
    }
}

#[test]
fn nothing_advises_a_higher_limit_where_no_memory_kill_is_proven() {
    for cause in Cause::ALL {
        let explanation = explained(*cause, Lang::En);
        for found in &explanation.causes {
            let raises = found.next.iter().any(|step| step.command.contains("--limits=memory"));
            assert!(!raises || found.cause == Cause::OomContainerLimit, "{cause} advises to raise the limit");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_json() {
    for cause in Cause::ALL {
        let [first, second] = [(), ()].map(|()| render::json(&explained(*cause, Lang::Zh)).unwrap());
        assert_eq!(first, second);
    }
}

#[test]
fn evidence_in_the_pod_is_where_its_pointer_says() {
    for cause in Cause::ALL {
        let (pod, _) = read(*cause);
        for evidence in explained(*cause, Lang::En).causes.into_iter().flat_map(|found| found.evidence) {
            let inside = evidence.pointer.starts_with("/status/") || evidence.pointer.starts_with("/spec/");
            // A statement that something is absent points to where it would be.
            let absent = ["no ", "reason", "status", "True", "False"].iter().any(|start| evidence.text.starts_with(start))
                || evidence.text == "Always"
                || evidence.text == "30s";
            assert!(!inside || absent || pod.pointer(&evidence.pointer).is_some(), "{cause}: {} {}", evidence.pointer, evidence.text);
        }
    }
}
