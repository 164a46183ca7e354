//! The keys of ConfigMaps and Secrets, where the object says them.

use serde_json::Value;

/// Labels and annotations by which a controller is asked to fill in certificates, under keys of its own.
const INJECTED: [&str; 5] = [
    "config.openshift.io/inject-trusted-cabundle",
    "service.beta.openshift.io/inject-cabundle",
    "service.alpha.openshift.io/inject-cabundle",
    "cert-manager.io/inject-ca-from",
    "trust.cert-manager.io/hash",
];

/// The keys of a ConfigMap or Secret; `None` where somebody else fills them in: an object without data, the token of a service account, certificates.
pub fn keys_of(object: &Value) -> Option<impl Iterator<Item = &str>> {
    const FIELDS: [&str; 3] = ["data", "binaryData", "stringData"];
    let is_token = object.get("type").and_then(Value::as_str) == Some("kubernetes.io/service-account-token");
    let is_injected = ["labels", "annotations"].iter().any(|field| {
        let marks = object.get("metadata").and_then(|metadata| metadata.get(field));
        marks.is_some_and(|marks| INJECTED.iter().any(|mark| marks.get(mark).is_some()))
    });
    let has_data = FIELDS.iter().any(|field| object.get(field).is_some_and(Value::is_object));
    let known = has_data && !is_token && !is_injected;
    let maps = FIELDS.into_iter().filter_map(|field| object.get(field)).filter_map(Value::as_object);
    known.then(|| maps.flat_map(|map| map.keys().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_that_others_fill_in_are_unknown() {
        let keys = |object: &Value| keys_of(object).map(|keys| keys.map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(keys(&json!({"data": {"a": ""}, "binaryData": {"b": ""}})), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(keys(&json!({"data": {}})), Some(vec![]));
        for object in [
            json!({"kind": "ConfigMap"}),
            json!({"type": "kubernetes.io/service-account-token", "data": {"a": ""}}),
            json!({"metadata": {"labels": {"config.openshift.io/inject-trusted-cabundle": "true"}}, "data": {"a": ""}}),
            json!({"metadata": {"annotations": {"service.beta.openshift.io/inject-cabundle": "true"}}, "data": {"a": ""}}),
        ] {
            assert_eq!(keys(&object), None, "{object}");
        }
    }
}
