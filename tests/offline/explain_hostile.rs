//! The fuzz target of `podsight explain` on the fixtures of all causes and on damaged copies of them, without a fuzzer.

use crate::fuzz_targets::targets::explain as target;
use anyhow::{Context as _, Result};
use podsight_testbed::folders;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::sync::LazyLock;

/// The pods of the fixtures, each with its events.
fn fixtures() -> Result<Vec<Vec<Value>>> {
    let folder = folders::repository()?.join("crates/explain/fixtures");
    let mut fixtures = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let (documents, _) = podsight_spec::read(&fs::read(&path)?);
            fixtures.push(documents.into_iter().map(|document| document.value).collect());
        }
    }
    fixtures.sort_by_key(|documents: &Vec<Value>| documents.first().map(Value::to_string));
    Ok(fixtures)
}

fn bytes(documents: &[Value]) -> Vec<u8> {
    documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn every_fixture() -> Result<()> {
    let fixtures = fixtures()?;
    assert!(fixtures.len() > 60, "{}", fixtures.len());
    for documents in fixtures {
        target::explain(&bytes(&documents));
    }
    Ok(())
}

/// What API servers, transcripts and people leave in the place of a field.
const DAMAGE: [&str; 12] = [
    "null",
    "{}",
    "[]",
    "[null]",
    "\"\"",
    "-1",
    "18446744073709551615",
    "1e308",
    "true",
    "\"\\u001b[31m\\u202e<script>\"",
    "[[[]]]",
    "{\"reason\":\"x y\",\"message\":null,\"exitCode\":-2147483648}",
];

/// The place `at` steps into a document, counted over all its fields.
fn place<'v>(value: &'v mut Value, at: &mut usize) -> Option<&'v mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Object(fields) => fields.values_mut().find_map(|field| place(field, at)),
        Value::Array(entries) => entries.iter_mut().find_map(|entry| place(entry, at)),
        _ => None,
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Array(entries) => entries.iter().map(size).sum(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fixtures whose fields are gone, null, of another type, or of another fixture.
    #[test]
    fn damaged_fixtures(
        fixture in any::<prop::sample::Index>(),
        damages in proptest::collection::vec((any::<prop::sample::Index>(), 0..DAMAGE.len() + 1, any::<prop::sample::Index>()), 1..5),
    ) {
        static FIXTURES: LazyLock<Vec<Vec<Value>>> = LazyLock::new(|| fixtures().unwrap_or_default());
        let mut documents = json!(fixture.get(&FIXTURES));
        for (at, damage, other) in damages {
            let mut at = at.index(size(&documents));
            let with = match DAMAGE.get(damage) {
                Some(damage) => serde_json::from_str(damage).unwrap_or_default(),
                None => json!(other.get(&FIXTURES)),
            };
            if let Some(found) = place(&mut documents, &mut at) {
                *found = with;
            }
        }
        let documents = match documents {
            Value::Array(documents) => documents,
            other => vec![other],
        };
        target::explain(&bytes(&documents));
    }

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        target::explain(&data);
    }
}
