//! Lenient views of JSON: what is missing, null or of the wrong type is empty.

use jiff::Timestamp;
use serde_json::Value;

static NULL: Value = Value::Null;

/// Reads fields without ever failing.
pub(crate) trait View {
    /// The field, or null.
    fn get_or_null(&self, key: &str) -> &Value;
    /// The text of the field, or nothing.
    fn text(&self, key: &str) -> &str;
    /// The integer of the field; a text of digits counts too, as transcripts have it.
    fn integer(&self, key: &str) -> Option<i64>;
    /// Whether the field says true.
    fn is_true(&self, key: &str) -> bool;
    /// The entries of the list, or none.
    fn list(&self, key: &str) -> &[Value];
    /// The time of the field, RFC 3339 or as `kubectl describe` prints it.
    fn time(&self, key: &str) -> Option<Timestamp>;
}

impl View for Value {
    fn get_or_null(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }

    fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Self::as_str).unwrap_or_default()
    }

    fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Self::Number(number) => number.as_i64(),
            Self::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn is_true(&self, key: &str) -> bool {
        match self.get(key) {
            Some(Self::Bool(truth)) => *truth,
            Some(Self::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    fn list(&self, key: &str) -> &[Value] {
        self.get(key).and_then(Self::as_array).map_or(&[], Vec::as_slice)
    }

    fn time(&self, key: &str) -> Option<Timestamp> {
        time(self.text(key))
    }
}

/// Reads a time. The zero time of Go and the epoch stand for no time at all.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    if text.is_empty() {
        return None;
    }
    let time = text.parse::<Timestamp>().ok().or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))?;
    (time.as_second() > 0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wrong_types_are_empty() {
        let value = json!({"a": 5, "b": "x", "c": null, "d": [1], "e": "7", "f": 1.5});
        assert_eq!(value.text("a"), "");
        assert_eq!(value.integer("b"), None);
        assert_eq!(value.integer("e"), Some(7));
        assert_eq!(value.integer("f"), None);
        assert_eq!(value.list("b"), &[] as &[Value]);
        assert_eq!(value.get_or_null("c").get_or_null("d"), &Value::Null);
        assert!(!value.is_true("b"));
    }

    #[test]
    fn reads_both_ways_to_write_a_time() {
        assert_eq!(time("2026-11-22T10:00:00Z"), time("Sun, 22 Nov 2026 11:00:00 +0100"));
        assert!(time("2026-11-22T10:00:00Z").is_some());
        assert_eq!(time("1970-01-01T00:00:00Z"), None);
        assert_eq!(time("0001-01-01T00:00:00Z"), None);
        assert_eq!(time("yesterday"), None);
    }
}
