//! The memory limit of the Go runtime.

use super::Size;
use podsight_spec::{Container, EnvValue};

/// `GOMEMLIMIT`, where it is a size.
pub(crate) fn memory_limit(container: &Container<'_>) -> Option<Size> {
    let EnvValue::Literal(value, number) = container.env("GOMEMLIMIT") else { return None };
    let bytes = bytes(value)?;
    Some(Size { bytes, written: value.to_owned(), pointer: container.at(&format!("/env/{number}/value")) })
}

/// A size as the Go runtime reads it (`parseByteCount` in runtime/string.go): digits and one of B, KiB, MiB, GiB, TiB.
pub(crate) fn bytes(value: &str) -> Option<i64> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at_checked(digits)?;
    let shift = match unit {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(1 << shift)
}
