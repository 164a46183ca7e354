//! A claim, as far as it decides whether its pods can start.

use serde_json::Value;

/// What stands behind a `PersistentVolumeClaim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It has a volume, or names one: its class decides nothing any more.
    Bound,
    /// It waits for a volume of the default class, or of any.
    WithoutClass,
    /// It waits for a volume of this class.
    OfClass(String),
    /// It asks for no class (`""`): somebody makes its volume by hand.
    ByHand,
}

impl Claim {
    /// Reads the object, or a template of one.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        if text("/status/phase") == Some("Bound") || text("/spec/volumeName").is_some_and(|name| !name.is_empty()) {
            return Self::Bound;
        }
        // The annotation is older than the field and is still obeyed.
        let annotation = object.get("metadata").and_then(|metadata| metadata.get("annotations"));
        let annotation = annotation.and_then(|all| all.get("volume.beta.kubernetes.io/storage-class")).and_then(Value::as_str);
        // A selector, or a data source of another kind, is for whoever made the volume.
        if object.pointer("/spec/selector").is_some_and(|selector| !selector.is_null()) {
            return Self::ByHand;
        }
        match annotation.or_else(|| text("/spec/storageClassName")) {
            None => Self::WithoutClass,
            Some("") => Self::ByHand,
            Some(class) => Self::OfClass(class.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn classes() {
        for (object, want) in [
            (json!({"spec": {}}), Claim::WithoutClass),
            (json!({"spec": {"storageClassName": ""}}), Claim::ByHand),
            (json!({"spec": {"storageClassName": "fast"}}), Claim::OfClass("fast".to_owned())),
            (json!({"spec": {"storageClassName": "fast", "volumeName": "v"}}), Claim::Bound),
            (json!({"spec": {"storageClassName": "fast"}, "status": {"phase": "Bound"}}), Claim::Bound),
            (json!({"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": "old"}}}), Claim::OfClass("old".to_owned())),
        ] {
            assert_eq!(Claim::of(&object), want, "{object}");
        }
    }
}
