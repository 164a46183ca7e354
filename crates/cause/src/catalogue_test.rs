//! The catalogue against the table of causes that the outside measures with.

use crate::{Cause, Lang, Predictable};
use std::collections::HashSet;
use std::path::PathBuf;

/// The measuring table, beside the checkout or where `PODSIGHT_CORPUS` says; absent on most machines.
fn table() -> Option<String> {
    let folder = std::env::var_os("PODSIGHT_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus")), PathBuf::from);
    std::fs::read_to_string(folder.join("causes.tsv")).ok()
}

#[test]
fn the_catalogue_is_the_table() {
    let Some(table) = table() else {
        println!("skipped: no corpus on this machine");
        return;
    };
    let ours: Vec<String> = Cause::ALL
        .iter()
        .map(|cause| {
            let predictable = match cause.predictable() {
                Predictable::Yes => "yes",
                Predictable::Partly => "partly",
                Predictable::No => "no",
            };
            format!("{}\t{}\t{}\t{predictable}", cause.id(), cause.group().id(), cause.meaning(Lang::En))
        })
        .collect();
    let theirs: Vec<String> = table.lines().skip(1).map(|line| line.split('\t').take(4).collect::<Vec<_>>().join("\t")).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn every_meaning_is_written_in_both_languages_and_once() {
    let mut seen = HashSet::new();
    for cause in Cause::ALL {
        let (en, zh) = (cause.meaning(Lang::En), cause.meaning(Lang::Zh));
        assert!(en.is_ascii() && en.ends_with('.'), "{cause}: {en}");
        assert!(zh.ends_with('。') && zh.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count() >= 6, "{cause}: {zh}");
        assert!(seen.insert(en) && seen.insert(zh), "{cause} says what another cause says");
    }
}

#[test]
fn ids_round_trip() {
    for cause in Cause::ALL {
        assert_eq!(Cause::from_id(cause.id()), Some(*cause));
    }
    assert_eq!(Cause::from_id("no-such-cause"), None);
}
