//! Alerts and the dashboard: they name what exists, and Prometheus' own tool finds them right.

use crate::{generated, objects, repository};
use anyhow::{Context as _, Result, ensure};
use podsight_testbed::command;
use podsight_tests::checkers;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

const FOLDER: &str = "deploy/observability";

/// Series of the API server that tell of its calls (`pkg/admission/metrics` of k8s.io/apiserver), and what Prometheus itself adds.
const FOREIGN: [&str; 2] = ["apiserver_admission_webhook_admission_duration_seconds_bucket", "apiserver_admission_webhook_fail_open_count"];

/// Words of `PromQL` that labels in parentheses follow.
const GROUPINGS: [&str; 6] = ["by", "group_left", "group_right", "ignoring", "on", "without"];

/// Words of `PromQL` that stand alone.
const KEYWORDS: [&str; 6] = ["and", "atan2", "bool", "offset", "or", "unless"];

fn rules() -> Result<Vec<Value>> {
    let [file] = <[Value; 1]>::try_from(objects::documents(&format!("{FOLDER}/rules.yaml"))?).ok().context("one document")?;
    let groups = file.get("groups").and_then(Value::as_array).context("no groups")?;
    Ok(groups.iter().filter_map(|group| group.get("rules")?.as_array()).flatten().cloned().collect())
}

/// The dashboard's queries, each with the title of its panel.
fn queries() -> Result<Vec<(String, String)>> {
    let dashboard: Value =
        serde_json::from_str(&repository::read(&format!("{FOLDER}/dashboard.json"))?).context("the dashboard is no JSON")?;
    let mut all = Vec::new();
    for panel in dashboard.get("panels").and_then(Value::as_array).context("no panels")? {
        let title = panel.get("title").and_then(Value::as_str).context("a panel without a title")?;
        for target in panel.get("targets").and_then(Value::as_array).into_iter().flatten() {
            all.push((title.to_owned(), target.get("expr").and_then(Value::as_str).context("a target without a query")?.to_owned()));
        }
    }
    ensure!(all.len() > 20, "too few queries");
    Ok(all)
}

/// The words and signs of a query, without its texts, label matchers and ranges.
fn tokens(query: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut inside = Vec::new();
    let mut is_word = false;
    for letter in query.chars() {
        let is_word_letter = letter.is_ascii_alphanumeric() || letter == '_';
        match (inside.last().copied(), letter) {
            (Some(end), letter) if letter == end => drop(inside.pop()),
            (_, '"') => inside.push('"'),
            (inner, '{') if inner != Some('"') => inside.push('}'),
            (inner, '[') if inner != Some('"') => inside.push(']'),
            (None, letter) if is_word_letter && is_word => tokens.last_mut().into_iter().for_each(|word| word.push(letter)),
            (None, letter) if !letter.is_whitespace() => tokens.push(letter.to_string()),
            (Some(_) | None, _) => {}
        }
        is_word = is_word_letter && inside.is_empty();
    }
    tokens
}

/// The series that a query names: its words that are no function, no keyword, no number and no label of a grouping.
fn series(query: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut tokens = tokens(query).into_iter().peekable();
    while let Some(token) = tokens.next() {
        let next = tokens.peek().map_or("", String::as_str);
        if GROUPINGS.contains(&token.as_str()) && next == "(" {
            while tokens.next_if(|token| token != ")").is_some() {}
        } else if token.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && !KEYWORDS.contains(&token.as_str())
            && next != "("
            && !GROUPINGS.contains(&next)
        {
            found.insert(token);
        }
    }
    found
}

#[test]
fn series_are_told_from_all_else_in_a_query() {
    let named = |query: &str| series(query).into_iter().collect::<Vec<_>>();
    assert_eq!(named("sum by (le) (rate(a_bucket{x=~\".*}b\\\\.c\"}[$__rate_interval])) or vector(0)"), ["a_bucket"]);
    assert_eq!(named("histogram_quantile(0.99, sum(a) without (b)) > 0.5 and on (c) d offset 5m"), ["a", "d"]);
    assert_eq!(named("sum(a == bool 0) / b{c=\"d\"}"), ["a", "b"]);
}

#[test]
fn queries_name_only_metrics_that_exist() -> Result<()> {
    let mut known = generated::series()?;
    known.extend(FOREIGN.map(str::to_owned));
    let mut queries = queries()?;
    for rule in rules()? {
        queries.push((rule["alert"].to_string(), rule["expr"].as_str().context("an alert without an expression")?.to_owned()));
    }
    let mut unknown = Vec::new();
    let mut named = BTreeSet::new();
    for (title, query) in &queries {
        for series in series(query) {
            if !known.contains(&series) {
                unknown.push(format!("{title}: {series}"));
            }
            named.insert(series);
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    // What a program counts and nobody looks at is not worth counting.
    let unseen: Vec<&String> = known
        .iter()
        .filter(|series| !["_sum", "_count", "process_open_fds"].iter().any(|end| series.ends_with(end)) && !named.contains(*series))
        .collect();
    assert!(unseen.is_empty(), "the dashboard shows nothing of {unseen:#?}");
    Ok(())
}

#[test]
fn promtool_takes_every_query_of_the_dashboard() -> Result<()> {
    let Some(promtool) = checkers::find("promtool")? else { return Ok(()) };
    let rules: Vec<Value> = queries()?
        .into_iter()
        .enumerate()
        .map(|(index, (_, query))| json!({"record": format!("query:{index}"), "expr": query.replace("$__rate_interval", "5m")}))
        .collect();
    let count = rules.len();
    let folder = tempfile::tempdir().context("make a folder")?;
    let file = folder.path().join("queries.json");
    fs::write(&file, json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string()).context("write the queries")?;
    let said = command::run(Command::new(promtool).args(["check", "rules"]).arg(&file))?;
    assert!(said.contains(&format!("SUCCESS: {count} rules found")), "{said}");
    Ok(())
}

#[test]
fn promtool_finds_the_alerts_right() -> Result<()> {
    let Some(promtool) = checkers::find("promtool")? else { return Ok(()) };
    let folder = repository::root().join(FOLDER);
    let run = |arguments: &[&str]| command::run(Command::new(&promtool).current_dir(&folder).args(arguments));
    let checked = run(&["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"])?;
    assert!(checked.contains(&format!("SUCCESS: {} rules found", rules()?.len())), "{checked}");
    run(&["test", "rules", "rules.test.yaml"])?;
    Ok(())
}

#[test]
fn every_alert_has_a_runbook_and_is_tested_both_ways() -> Result<()> {
    let tests = objects::documents(&format!("{FOLDER}/rules.test.yaml"))?;
    let cases: Vec<&Value> = tests
        .iter()
        .flat_map(|file| file["tests"].as_array().into_iter().flatten())
        .flat_map(|test| test["alert_rule_test"].as_array().into_iter().flatten())
        .collect();
    let list = repository::read("docs/runbooks/README.md")?;
    let mut runbooks = BTreeSet::from(["docs/runbooks/README.md".to_owned()]);
    for rule in rules()? {
        let name = rule["alert"].as_str().context("a rule that is no alert")?;
        let runbook = rule["annotations"]["runbook"].as_str().with_context(|| format!("{name} has no runbook"))?;
        let text = repository::read(runbook).with_context(|| format!("{name}: {runbook} is not there"))?;
        for part in ["## What it means", "## What to look at", "## What to do"] {
            assert!(text.contains(part), "{runbook} has no `{part}`");
        }
        assert!(list.contains(&format!("`{name}`")), "docs/runbooks/README.md does not name {name}");
        runbooks.insert(runbook.to_owned());
        let fires = |case: &&&Value| case["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
        let of_rule: Vec<&Value> = cases.iter().copied().filter(|case| case["alertname"] == name).collect();
        assert!(of_rule.iter().any(|case| fires(&case)), "no test shows that {name} fires");
        assert!(of_rule.iter().any(|case| !fires(&case)), "no test shows that {name} can be silent");
    }
    let files: BTreeSet<String> = repository::files()?.into_iter().filter(|path| path.starts_with("docs/runbooks/")).collect();
    assert_eq!(files, runbooks, "runbooks without an alert, or the other way round");
    Ok(())
}

#[test]
fn the_rules_of_the_operator_are_those_of_the_file() -> Result<()> {
    let [object] = <[Value; 1]>::try_from(objects::documents(&format!("{FOLDER}/prometheus-rule.yaml"))?).ok().context("one object")?;
    let [file] = <[Value; 1]>::try_from(objects::documents(&format!("{FOLDER}/rules.yaml"))?).ok().context("one document")?;
    assert_eq!(object["spec"], file);
    Ok(())
}
