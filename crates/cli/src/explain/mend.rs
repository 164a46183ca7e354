//! JSON that was cut off.

use serde_json::Value;

/// Reads a value whose end is missing: what was complete before the cut, with the open brackets closed.
pub(super) fn mend(bytes: &[u8]) -> Option<Value> {
    let mut open = Vec::new();
    // The last place at which everything before is complete, and the brackets that are open there.
    let mut sound: Option<(usize, Vec<u8>)> = None;
    let (mut in_string, mut escaped) = (false, false);
    for (place, byte) in bytes.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' => {
                open.push(b'}');
                sound = Some((place + 1, open.clone()));
            }
            b'[' => {
                open.push(b']');
                sound = Some((place + 1, open.clone()));
            }
            b'}' | b']' => {
                open.pop();
                sound = Some((place + 1, open.clone()));
            }
            // Everything before a comma is complete.
            b',' => sound = Some((place, open.clone())),
            _ => {}
        }
        if open.len() > 120 {
            return None;
        }
    }
    let (end, open) = sound?;
    let mut text = bytes.get(..end)?.to_vec();
    text.extend(open.iter().rev());
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_what_was_complete() {
        assert_eq!(mend(br#"{"a": {"b": 1, "c": "x"#), Some(json!({"a": {"b": 1}})));
        assert_eq!(mend(br#"{"a": [1, {"b": "]}"}, 3"#), Some(json!({"a": [1, {"b": "]}"}]})));
        assert_eq!(mend(br#"{"a": "#), Some(json!({})));
        assert_eq!(mend(b"\"x"), None);
    }
}
