//! The catalogue of rules: every one complete.

use anyhow::Result;
use podsight_cause::Lang;
use podsight_rules::RULES;
use std::collections::BTreeSet;

#[test]
fn every_rule_is_complete() -> Result<()> {
    let is_kebab = |id: &str| {
        !id.is_empty() && id.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
    };
    let files = crate::repository::files()?;
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for rule in RULES {
        let id = rule.id();
        let mut want = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{id}: {what}"));
            }
        };
        want(is_kebab(id), "the id is not kebab-case");
        want(seen.insert(id), "the id is taken");
        // Of what the API server refuses there is no pod that could come to anything.
        want(rule.group() == "admission" || !rule.predicts().is_empty(), "it predicts nothing");
        want(!rule.summary(Lang::En).is_empty(), "no English summary");
        want(rule.summary(Lang::Zh) != rule.summary(Lang::En), "no Chinese summary");
        for section in ["## What it does", "## What happens without a change", "```yaml,warns", "```yaml,clean"] {
            want(rule.page().contains(section), section);
        }
        want(files.contains(&format!("docs/rules/{id}.md")), "no page under docs/rules: run `cargo xtask gen`");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
