//! Label selectors of namespaces, as `k8s.io/apimachinery/pkg/apis/meta/v1` has them.

use serde_json::Value;
use std::collections::BTreeMap;

/// The API server gives every namespace this label, with its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The labels of a namespace.
pub type Labels = BTreeMap<String, String>;

/// A label selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads a selector; what is wrong with it is told with the pointer to the value from here.
    pub(crate) fn of(value: &Value) -> Result<Self, (String, String)> {
        let wrong = |pointer: &str, message: &str| Err((pointer.to_owned(), message.to_owned()));
        let Value::Object(fields) = value else {
            return wrong("", "`selector` must be a label selector, such as `{matchLabels: {env: prod}}`");
        };
        let mut requirements = Vec::new();
        for (key, value) in fields {
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("matchLabels", Value::Object(labels)) => {
                    for (label, value) in labels {
                        let Value::String(value) = value else {
                            return wrong("/matchLabels", "a label's value must be a text: put it in quotes");
                        };
                        requirements.push(Requirement { key: label.clone(), condition: Condition::In(vec![value.clone()]) });
                    }
                }
                ("matchExpressions", Value::Array(expressions)) => {
                    for (number, expression) in expressions.iter().enumerate() {
                        requirements
                            .push(requirement(expression).map_err(|message| (format!("/matchExpressions/{number}"), message.to_owned()))?);
                    }
                }
                ("matchLabels", _) => return wrong("/matchLabels", "`matchLabels` must be a mapping of labels to values"),
                ("matchExpressions", _) => return wrong("/matchExpressions", "`matchExpressions` must be a list"),
                _ => {
                    return wrong(
                        &format!("/{}", key.replace('~', "~0").replace('/', "~1")),
                        "a label selector has `matchLabels` and `matchExpressions`, nothing else",
                    );
                }
            }
        }
        Ok(Self(requirements))
    }

    /// Whether it selects the namespace. Where the labels are not known it selects by the name alone, and what asks for more selects nothing.
    pub(crate) fn selects(&self, namespace: &str, labels: Option<&Labels>) -> bool {
        self.0.iter().all(|requirement| {
            let value = match labels {
                _ if requirement.key == NAME_LABEL => Some(namespace),
                Some(labels) => labels.get(&requirement.key).map(String::as_str),
                None => return false,
            };
            match (&requirement.condition, value) {
                (Condition::In(values), Some(value)) => values.iter().any(|one| one == value),
                (Condition::NotIn(values), Some(value)) => values.iter().all(|one| one != value),
                (Condition::NotIn(_) | Condition::DoesNotExist, None) | (Condition::Exists, Some(_)) => true,
                (Condition::In(_) | Condition::Exists, None) | (Condition::DoesNotExist, Some(_)) => false,
            }
        })
    }
}

fn requirement(expression: &Value) -> Result<Requirement, &'static str> {
    let text = |key: &str| expression.get(key).and_then(Value::as_str);
    let key = text("key").ok_or("an expression needs a `key`")?.to_owned();
    let values = expression.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let values: Vec<String> = values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
    let condition = match text("operator") {
        Some("In") if !values.is_empty() => Condition::In(values),
        Some("NotIn") if !values.is_empty() => Condition::NotIn(values),
        Some("Exists") => Condition::Exists,
        Some("DoesNotExist") => Condition::DoesNotExist,
        Some("In" | "NotIn") => return Err("`In` and `NotIn` need `values`"),
        _ => return Err("`operator` must be In, NotIn, Exists or DoesNotExist"),
    };
    Ok(Requirement { key, condition })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects_as_kubernetes_does() {
        let labels: Labels = [("env", "prod"), ("team", "a")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        for (selector, with_labels, without) in [
            (json!({}), true, true),
            (json!({"matchLabels": {"env": "prod"}}), true, false),
            (json!({"matchLabels": {"env": "prod", "team": "b"}}), false, false),
            (json!({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}), true, true),
            (json!({"matchExpressions": [{"key": "env", "operator": "In", "values": ["test", "prod"]}]}), true, false),
            (json!({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}), false, false),
            (json!({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["x"]}]}), true, false),
            (json!({"matchExpressions": [{"key": "env", "operator": "Exists"}]}), true, false),
            (json!({"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]}), false, false),
            (json!({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}), true, false),
            (json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["shop"]}]}), false, false),
        ] {
            let read = Selector::of(&selector).unwrap();
            assert_eq!(read.selects("shop", Some(&labels)), with_labels, "{selector}");
            assert_eq!(read.selects("shop", None), without, "{selector}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (selector, pointer) in [
            (json!("env=prod"), ""),
            (json!({"matchLabel": {}}), "/matchLabel"),
            (json!({"matchLabels": {"env": 1}}), "/matchLabels"),
            (json!({"matchLabels": []}), "/matchLabels"),
            (json!({"matchExpressions": {}}), "/matchExpressions"),
            (json!({"matchExpressions": [{"key": "a", "operator": "in", "values": ["b"]}]}), "/matchExpressions/0"),
            (json!({"matchExpressions": [{"key": "a", "operator": "In"}]}), "/matchExpressions/0"),
            (json!({"matchExpressions": [7]}), "/matchExpressions/0"),
        ] {
            assert_eq!(Selector::of(&selector).unwrap_err().0, pointer, "{selector}");
        }
    }
}
