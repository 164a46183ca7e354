//! The object of a review as a JSON value, without the parts that no rule reads and bounded in size.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// Values in an object. 500 containers of 100 fields each are half of it; a value takes some 100 bytes, so it bounds the memory.
const VALUES_MAX: u32 = 100_000;

/// What makes the object too large to be looked at.
const TOO_LARGE: &str = "too many values";

/// Why an object could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectError {
    /// More than [`VALUES_MAX`] values.
    TooLarge,
    /// Deeper than `serde_json` goes (128), or a number beyond all bounds.
    Unreadable,
}

/// An object of a review, or why it could not be read.
pub(crate) type Object = Result<Value, ObjectError>;

/// An object that is read where it stands, as by [`read`].
#[derive(Debug)]
pub(crate) struct Embedded(pub(crate) Value);

impl<'de> Deserialize<'de> for Embedded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { place: Place::Object, left: &Cell::new(VALUES_MAX) }.deserialize(deserializer).map(Self)
    }
}

/// Reads an object. `status`, `metadata.managedFields` and the last applied configuration, often the larger part, are left out.
pub(crate) fn read(raw: &RawValue) -> Object {
    let left = Cell::new(VALUES_MAX);
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    ValueSeed { place: Place::Object, left: &left }
        .deserialize(&mut deserializer)
        .map_err(|_| if left.get() == 0 { ObjectError::TooLarge } else { ObjectError::Unreadable })
}

/// Where in the object a value stands, as far as it matters for what is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Object,
    Metadata,
    Annotations,
    Elsewhere,
}

impl Place {
    /// The place of the value of `key`, or nothing if it is left out.
    fn of(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Object, "status")
            | (Self::Metadata, "managedFields")
            | (Self::Annotations, "kubectl.kubernetes.io/last-applied-configuration") => None,
            (Self::Object, "metadata") => Some(Self::Metadata),
            (Self::Metadata, "annotations") => Some(Self::Annotations),
            _ => Some(Self::Elsewhere),
        }
    }
}

struct ValueSeed<'l> {
    place: Place,
    left: &'l Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            None | Some(0) => {
                self.left.set(0);
                Err(D::Error::custom(TOO_LARGE))
            }
            Some(left) => {
                self.left.set(left);
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(ValueSeed { place: Place::Elsewhere, left: self.left })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.place.of(&key) {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(place) => {
                    let value = map.next_value_seed(ValueSeed { place, left: self.left })?;
                    drop(values.insert(key.into_owned(), value));
                }
            }
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> Result<Value, ObjectError> {
        read(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn leaves_out_what_no_rule_reads() {
        let text = r#"{"kind":"Pod","metadata":{"name":"a","managedFields":[{"f:a":{}}],"annotations":{
            "kubectl.kubernetes.io/last-applied-configuration":"{}","podsight.dev/ignore":"all"}},
            "spec":{"status":1,"n":-1,"f":1.5,"u":18446744073709551615,"t":true,"z":null,"e":"a\nb","metadata":{"managedFields":2}},"status":{"phase":"Running"}}"#;
        assert_eq!(
            parse(text),
            Ok(json!({"kind": "Pod", "metadata": {"name": "a", "annotations": {"podsight.dev/ignore": "all"}},
                "spec": {"status": 1, "n": -1, "f": 1.5, "u": u64::MAX, "t": true, "z": null, "e": "a\nb", "metadata": {"managedFields": 2}}}))
        );
    }

    #[test]
    fn is_bounded() {
        assert_eq!(parse(&format!("[{}1]", "1,".repeat(99_997))).unwrap().as_array().unwrap().len(), 99_998);
        assert_eq!(parse(&format!("[{}1]", "1,".repeat(99_998))), Err(ObjectError::TooLarge));
        assert_eq!(parse(&format!("{}1{}", "[".repeat(200), "]".repeat(200))), Err(ObjectError::Unreadable));
        assert_eq!(parse("1e999"), Err(ObjectError::Unreadable));
    }
}
