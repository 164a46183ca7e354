//! Objects as the API server sends them, read no further than they are kept. Of `data` the keys are read; the values are passed over in the buffer that they came in.

use kube::Resource;
use kube::api::ObjectMeta;
use kube::core::DynamicResourceScope;
use podsight_cluster::Kind;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// What is read of the metadata. `managedFields` are often larger than the rest of an object.
const METADATA: &[&str] = &["name", "namespace", "resourceVersion", "labels", "annotations"];
/// What is read of the specifications of claims, volumes, nodes, limits and quotas.
const SPEC: &[&str] = &["storageClassName", "volumeName", "selector", "limits", "hard", "scopes", "scopeSelector", "taints", "claimRef"];
/// What is read of their status.
const STATUS: &[&str] = &["phase", "hard", "allocatable", "nodeInfo"];

/// An object.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    metadata: ObjectMeta,
    /// The object, as far as it was read; the values of its `data` are null.
    pub(super) value: Value,
}

/// An object whose metadata are all that is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct SeenMetadata(pub(super) Seen);

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_map(ObjectVisitor)?;
        let text = |field: &str| value.pointer(&format!("/metadata/{field}")).and_then(Value::as_str).map(str::to_owned);
        let metadata = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, value })
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of the API")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            let value = match name.as_ref() {
                "metadata" => fields.next_value_seed(Fields(Some(METADATA)))?,
                "spec" => fields.next_value_seed(Fields(Some(SPEC)))?,
                "status" => fields.next_value_seed(Fields(Some(STATUS)))?,
                "data" | "binaryData" | "stringData" => fields.next_value_seed(Fields(None))?,
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            object.insert(name.into_owned(), value);
        }
        Ok(Value::Object(object))
    }
}

/// These fields of a mapping; or all of them by name, without their values.
struct Fields(Option<&'static [&'static str]>);

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping or null")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            match self.0 {
                Some(wanted) if wanted.contains(&name.as_ref()) => drop(kept.insert(name.into_owned(), fields.next_value()?)),
                Some(_) => drop(fields.next_value::<IgnoredAny>()?),
                None => {
                    fields.next_value::<IgnoredAny>()?;
                    kept.insert(name.into_owned(), Value::Null);
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

/// Where the API server has the objects of a kind.
macro_rules! resource {
    ($type:ty, metadata only: $metadata_only:literal, $($meta:tt)+) => {
        impl Resource for $type {
            type DynamicType = Kind;
            type Scope = DynamicResourceScope;

            fn metadata_api() -> bool {
                $metadata_only
            }

            fn kind(kind: &Kind) -> Cow<'_, str> {
                kind.name().into()
            }

            fn group(kind: &Kind) -> Cow<'_, str> {
                kind.group().into()
            }

            fn version(_: &Kind) -> Cow<'_, str> {
                "v1".into()
            }

            fn plural(kind: &Kind) -> Cow<'_, str> {
                kind.plural().into()
            }

            fn meta(&self) -> &ObjectMeta {
                &self.$($meta)+
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.$($meta)+
            }
        }
    };
}

resource!(Seen, metadata only: false, metadata);
resource!(SeenMetadata, metadata only: true, 0.metadata);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_beyond_what_is_kept() {
        let text = r#"{"kind": "Secret", "metadata": {"name": "db", "namespace": "shop", "resourceVersion": "7", "managedFields": [{"a": 1}]},
            "data": {"password": "aHVudGVyMg=="}, "type": "Opaque"}"#;
        let seen: Seen = serde_json::from_str(text).unwrap();
        assert_eq!(
            seen.value.to_string(),
            r#"{"data":{"password":null},"metadata":{"name":"db","namespace":"shop","resourceVersion":"7"}}"#
        );
        assert_eq!((seen.meta().name.as_deref(), seen.meta().resource_version.as_deref()), (Some("db"), Some("7")));
        assert!(!format!("{seen:?}").contains("aHVudGVyMg"));
    }

    #[test]
    fn odd_objects_are_read_as_far_as_they_go() {
        for text in ["{}", r#"{"metadata": null, "data": null, "spec": {"a": 1}}"#] {
            assert!(serde_json::from_str::<SeenMetadata>(text).is_ok(), "{text}");
        }
        assert!(serde_json::from_str::<Seen>("[]").is_err());
    }
}
