//! Label selectors: as kubectl's `-l` has them, for pods in files, and as workloads have them, for kubectl.

use anyhow::{Context as _, bail};
use serde_json::Value;

/// What the labels of a pod have to be (`apimachinery/pkg/labels: Parse`).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    /// Whether the label must have one of the values; without values whether it must be there.
    wanted: bool,
    values: Option<Vec<String>>,
}

impl std::str::FromStr for Selector {
    type Err = anyhow::Error;

    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = split(text).with_context(|| format!("the selector `{text}` has a bracket too many or too few"))?;
        let requirements: anyhow::Result<Vec<Requirement>> = parts
            .iter()
            .map(|part| requirement(part).with_context(|| format!("`{part}` in the selector `{text}` is no requirement")))
            .collect();
        Ok(Self(requirements?))
    }
}

impl Selector {
    /// Whether an object has such labels.
    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = object.get("metadata").and_then(|meta| meta.get("labels"));
        self.0.iter().all(|requirement| {
            let label = labels.and_then(|labels| labels.get(&requirement.key)).and_then(Value::as_str);
            let fits = match (&requirement.values, label) {
                (None, label) => label.is_some(),
                (Some(_), None) => false,
                (Some(values), Some(label)) => values.iter().any(|value| value == label),
            };
            fits == requirement.wanted
        })
    }
}

/// The parts between the commas that stand in no bracket.
fn split(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        match c {
            '(' | ')' if inside == (c == '(') => return None,
            '(' | ')' => inside = c == '(',
            ',' if !inside => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut()?.push(c);
    }
    (!inside).then(|| parts.into_iter().map(|part| part.trim().to_owned()).collect())
}

fn requirement(part: &str) -> Option<Requirement> {
    let of = |key: &str, wanted: bool, values: Option<Vec<String>>| {
        let key = key.trim();
        (!key.is_empty() && !key.contains([' ', '(', ')', '!', '='])).then(|| Requirement { key: key.to_owned(), wanted, values })
    };
    let one = |value: &str| Some(vec![value.trim().to_owned()]);
    if let Some((key, value)) = part.split_once("!=") {
        return of(key, false, one(value));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return of(key, true, one(value));
    }
    if let Some((head, list)) = part.split_once('(') {
        let values = list.strip_suffix(')')?.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, operator) = head.trim().rsplit_once(' ')?;
        return match operator {
            "in" => of(key, true, Some(values)),
            "notin" => of(key, false, Some(values)),
            _ => None,
        };
    }
    match part.strip_prefix('!') {
        Some(key) => of(key, false, None),
        None => of(part, true, None),
    }
}

/// The selector of a workload in the words of kubectl: a `LabelSelector`, or a set of labels as Services have it.
pub(super) fn of_workload(selector: &Value) -> anyhow::Result<String> {
    let mut parts = Vec::new();
    let formal = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
    let labels = if formal { selector.get("matchLabels") } else { Some(selector) };
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        parts.push(format!("{key}={}", value.as_str().with_context(|| format!("the label {key} of the selector is no text"))?));
    }
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = expression.get("key").and_then(Value::as_str).context("an expression of the selector has no key")?;
        let values: Vec<&str> =
            expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let values = values.join(",");
        parts.push(match expression.get("operator").and_then(Value::as_str) {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("Exists") => key.to_owned(),
            Some("DoesNotExist") => format!("!{key}"),
            other => bail!("the selector has the operator {}, which is not known", other.unwrap_or("nothing")),
        });
    }
    Ok(parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects_as_kubectl_does() {
        let pod = json!({"metadata": {"labels": {"app": "web", "tier": "front", "empty": ""}}});
        for (selector, matches) in [
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app=web,tier=back", false),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (db, web)", true),
            ("app notin (db,web)", false),
            ("other notin (db)", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("empty=", true),
            ("app in (db),tier", false),
        ] {
            assert_eq!(selector.parse::<Selector>().unwrap().matches(&pod), matches, "{selector}");
        }
    }

    #[test]
    fn refuses_what_kubectl_refuses() {
        for selector in ["", "=web", "app in db", "app in (db", "app)", "app within (db)", "a b=c", "app=web,"] {
            assert!(selector.parse::<Selector>().is_err(), "{selector}");
        }
    }

    #[test]
    fn a_workloads_selector_in_kubectls_words() {
        let selector = json!({"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}, {"key": "app", "operator": "Exists"}]});
        assert_eq!(of_workload(&selector).unwrap(), "app=web,tier in (a,b),!old,app");
        assert_eq!(of_workload(&json!({"app": "db"})).unwrap(), "app=db");
        assert!(of_workload(&json!({"matchExpressions": [{"key": "a", "operator": "Near"}]})).is_err());
    }
}
