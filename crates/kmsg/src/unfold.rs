//! Files in which the whole log is one JSON value.

use serde_json::Value;
use std::borrow::Cow;

/// The log with a line for each entry. Most logs are so and come back as they are.
///
/// It reads an array that is written without newlines, and what `aws ec2 get-console-output` prints: an object with the log in `Output`.
pub fn unfolded(log: &[u8]) -> Cow<'_, [u8]> {
    let start = log.trim_ascii_start();
    let may = start.starts_with(b"[{") || start.starts_with(b"{") && memchr::memmem::find(start, b"\"Output\"").is_some();
    if !may {
        return Cow::Borrowed(log);
    }
    match serde_json::from_slice::<Value>(log) {
        Ok(Value::Array(entries)) => {
            let mut lines = entries.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into_bytes();
            lines.push(b'\n');
            Cow::Owned(lines)
        }
        Ok(Value::Object(mut fields)) => match fields.remove("Output") {
            Some(Value::String(output)) => Cow::Owned(output.into_bytes()),
            _ => Cow::Borrowed(log),
        },
        _ => Cow::Borrowed(log),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_becomes_lines() {
        assert_eq!(&*unfolded(b"[{\"MESSAGE\":\"a\"},{\"MESSAGE\":\"b\"}]\n"), b"{\"MESSAGE\":\"a\"}\n{\"MESSAGE\":\"b\"}\n");
        assert_eq!(
            &*unfolded(b"{\n    \"InstanceId\": \"i-0\",\n    \"Output\": \"[    1.0] a\\r\\n[    2.0] b\"\n}"),
            b"[    1.0] a\r\n[    2.0] b"
        );
    }

    #[test]
    fn all_else_stays_as_it_is() {
        for log in ["", "[    1.0] a\n", "{\"MESSAGE\":\"a\"}\n{\"MESSAGE\":\"b\"}\n", "[{\"MESSAGE\"", "{\"Output\":1}"] {
            assert!(matches!(unfolded(log.as_bytes()), Cow::Borrowed(_)), "{log}");
        }
    }
}
