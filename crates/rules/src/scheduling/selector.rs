//! Node selectors and required node affinity, as `component-helpers/scheduling/corev1/nodeaffinity` matches them.

use crate::facts::Node;
use serde_json::Value;

/// Whether the node has what the pod's selector and its required affinity ask for. What cannot be read is taken for a match.
pub(super) fn matches(pod: &Value, node: &Node) -> bool {
    let labels = pod.get("nodeSelector").and_then(Value::as_object).into_iter().flatten();
    for (key, value) in labels {
        if value.as_str().is_some_and(|value| node.labels.get(key).map(String::as_str) != Some(value)) {
            return false;
        }
    }
    let terms = pod.pointer("/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms");
    terms.and_then(Value::as_array).is_none_or(|terms| terms.iter().any(|term| term_matches(term, node)))
}

/// All of a term must match; an empty term matches nothing.
fn term_matches(term: &Value, node: &Node) -> bool {
    let list = |field: &str| term.get(field).and_then(Value::as_array).filter(|list| !list.is_empty());
    let (labels, fields) = (list("matchExpressions"), list("matchFields"));
    if labels.is_none() && fields.is_none() {
        return false;
    }
    labels.into_iter().flatten().all(|expression| matches_value(expression, |key| node.labels.get(key).map(String::as_str)))
        && fields
            .into_iter()
            .flatten()
            .all(|expression| matches_value(expression, |key| if key == "metadata.name" { Some(node.name.as_str()) } else { None }))
}

fn matches_value<'n>(expression: &Value, value: impl Fn(&str) -> Option<&'n str>) -> bool {
    let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
    let values = || expression.get("values").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let found = value(text("key"));
    let number = |text: &str| text.parse::<i64>().ok();
    match text("operator") {
        "In" => found.is_some_and(|found| values().any(|value| value == found)),
        "NotIn" => found.is_none_or(|found| values().all(|value| value != found)),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        "Gt" => compare(found.and_then(number), values().next().and_then(number), |found, bound| found > bound),
        "Lt" => compare(found.and_then(number), values().next().and_then(number), |found, bound| found < bound),
        _ => true,
    }
}

fn compare(found: Option<i64>, bound: Option<i64>, relation: impl Fn(i64, i64) -> bool) -> bool {
    match (found, bound) {
        (Some(found), Some(bound)) => relation(found, bound),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operators() {
        let node = Node::of(&json!({"metadata": {"name": "n1", "labels": {"zone": "a", "cores": "8"}}}));
        let term = |expression: Value| json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [expression]}}}});
        let label = |key: &str, operator: &str, values: Value| {
            term(json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}))
        };
        for (pod, want) in [
            (json!({}), true),
            (json!({"nodeSelector": {"zone": "a"}}), true),
            (json!({"nodeSelector": {"zone": "a", "disk": "ssd"}}), false),
            (label("zone", "In", json!(["b", "a"])), true),
            (label("zone", "In", json!(["b"])), false),
            (label("zone", "NotIn", json!(["a"])), false),
            (label("disk", "NotIn", json!(["a"])), true),
            (label("disk", "Exists", json!(null)), false),
            (label("disk", "DoesNotExist", json!(null)), true),
            (label("cores", "Gt", json!(["4"])), true),
            (label("cores", "Lt", json!(["4"])), false),
            (label("zone", "Gt", json!(["4"])), false),
            (label("zone", "Odd", json!(["4"])), true),
            (term(json!({})), false),
            (term(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]})), true),
            (term(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]})), false),
        ] {
            assert_eq!(matches(&pod, &node), want, "{pod}");
        }
    }
}
