//! Amounts by the resource's name, and what a LimitRange and a `ResourceQuota` ask for.

use podsight_spec::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// Amounts by the name of the resource: `memory`, `limits.cpu`, `example.com/gpu`.
pub type Resources = BTreeMap<String, Quantity>;

/// The most entries of one list that are kept: objects of the API have a handful.
const MOST: usize = 256;

/// A LimitRange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitRange {
    /// Its name.
    pub name: String,
    /// `spec.limits`.
    pub items: Vec<LimitRangeItem>,
}

/// What one item of a LimitRange is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitType {
    /// Each container.
    Container,
    /// The pod as a whole.
    Pod,
    /// Claims.
    PersistentVolumeClaim,
}

/// One item of a LimitRange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitRangeItem {
    /// What it is about.
    pub applies_to: LimitType,
    /// The most.
    pub max: Resources,
    /// The least.
    pub min: Resources,
    /// The limit of containers that have none.
    pub default_limit: Resources,
    /// The request of containers that have none.
    pub default_request: Resources,
    /// How many times the request the limit may be.
    pub max_ratio: Resources,
}

impl LimitRange {
    /// Reads the object. Defaults that the API server fills in are filled in (`SetDefaults_LimitRangeItem`).
    pub fn of(object: &Value) -> Self {
        let items = object.pointer("/spec/limits").and_then(Value::as_array).into_iter().flatten().take(MOST);
        Self { name: name(object), items: items.filter_map(LimitRangeItem::of).collect() }
    }
}

impl LimitRangeItem {
    fn of(item: &Value) -> Option<Self> {
        let applies_to = match item.get("type").and_then(Value::as_str)? {
            "Container" => LimitType::Container,
            "Pod" => LimitType::Pod,
            "PersistentVolumeClaim" => LimitType::PersistentVolumeClaim,
            _ => return None,
        };
        let amounts = |field: &str| resources(item.get(field));
        let (max, min) = (amounts("max"), amounts("min"));
        let (mut default_limit, mut default_request) = (amounts("default"), amounts("defaultRequest"));
        if applies_to == LimitType::Container {
            fill(&mut default_limit, &max);
            fill(&mut default_request, &default_limit);
            fill(&mut default_request, &min);
        }
        Some(Self { applies_to, max, min, default_limit, default_request, max_ratio: amounts("maxLimitRequestRatio") })
    }
}

/// A `ResourceQuota`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceQuota {
    /// Its name.
    pub name: String,
    /// What all objects together may take.
    pub hard: Resources,
    /// Which pods it counts: those that match all of these.
    pub scopes: Vec<Scope>,
}

/// Which pods a `ResourceQuota` counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `Terminating`, `BestEffort`, `PriorityClass` and so on.
    pub name: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub operator: String,
    /// For `In` and `NotIn`.
    pub values: Vec<String>,
}

impl ResourceQuota {
    /// Reads the object.
    pub fn of(object: &Value) -> Self {
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |pointer: &str| object.pointer(pointer).and_then(Value::as_array).into_iter().flatten().take(MOST);
        let mut scopes: Vec<Scope> = list("/spec/scopes")
            .filter_map(Value::as_str)
            .map(|name| Scope { name: name.to_owned(), operator: "Exists".to_owned(), values: Vec::new() })
            .collect();
        scopes.extend(list("/spec/scopeSelector/matchExpressions").map(|expression| {
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten().take(MOST);
            Scope {
                name: text(expression, "scopeName"),
                operator: text(expression, "operator"),
                values: values.filter_map(Value::as_str).map(str::to_owned).collect(),
            }
        }));
        // What is enforced is what the quota's controller has taken over into the status.
        let hard = object.pointer("/status/hard").or_else(|| object.pointer("/spec/hard"));
        Self { name: name(object), hard: resources(hard), scopes }
    }
}

/// The amounts of an object of amounts. What is no quantity is left out.
pub(crate) fn resources(value: Option<&Value>) -> Resources {
    let fields = value.and_then(Value::as_object).into_iter().flatten().take(MOST);
    fields.filter_map(|(name, amount)| Some((name.clone(), Quantity::of(amount)?))).collect()
}

fn fill(target: &mut Resources, from: &Resources) {
    for (name, amount) in from {
        target.entry(name.clone()).or_insert(*amount);
    }
}

fn name(object: &Value) -> String {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_are_filled_in_as_the_api_server_does() {
        let object = json!({"metadata": {"name": "l"}, "spec": {"limits": [
            {"type": "Container", "max": {"memory": "1Gi"}, "min": {"cpu": "10m"}},
            {"type": "Pod", "max": {"memory": "2Gi"}}, {"type": "Odd"}]}});
        let range = LimitRange::of(&object);
        let gi = |count: i64| Quantity::from_units(count << 30);
        assert_eq!(range.items.len(), 2);
        assert_eq!(range.items[0].default_limit["memory"], gi(1));
        assert_eq!(range.items[0].default_request["memory"], gi(1));
        assert_eq!(range.items[0].default_request["cpu"].milli_value(), 10);
        assert!(range.items[1].default_limit.is_empty());
    }

    #[test]
    fn quotas_enforce_what_their_status_says() {
        let quota = ResourceQuota::of(&json!({"metadata": {"name": "q"}, "status": {"hard": {"pods": 1}},
            "spec": {"hard": {"pods": 9}, "scopes": ["Terminating"],
                "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}}}));
        assert_eq!(quota.hard["pods"].value(), 1);
        assert_eq!(quota.scopes.iter().map(|scope| scope.name.as_str()).collect::<Vec<_>>(), ["Terminating", "PriorityClass"]);
    }
}
