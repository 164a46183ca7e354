//! Memory as Kubernetes writes it.

/// Bytes as the largest binary unit of which there is at least one, rounded down: `31Mi`.
///
/// It is for reading: 32,560 KiB are shown as `31Mi`.
pub fn show(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    for (size, unit) in UNITS {
        // 1,536 Mi say more than 1 Gi.
        if bytes >= size && (bytes.is_multiple_of(size) || bytes / size >= 10 || size <= 1 << 20) {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

/// KiB, as the kernel counts, to the same form.
pub fn show_kib(kib: u64) -> String {
    show(kib.saturating_mul(1024))
}

/// The bytes of a quantity such as `32Mi`, `1.5G`, `128e6` or `100m`, rounded up as `Quantity.Value()` does (apimachinery `pkg/api/resource`).
///
/// It serves to compare limits. What the API server would not have stored gives `None`.
pub fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(digits)?;
    if number.len() > 30 {
        return None;
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mantissa: u128 = format!("{whole}{fraction}").parse().ok()?;
    let fraction_digits = u32::try_from(fraction.len()).ok()?;
    let (multiplier, divisor): (u128, u128) = match suffix {
        "" => (1, 1),
        "m" => (1, 1_000),
        "u" => (1, 1_000_000),
        "n" => (1, 1_000_000_000),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let size = 10_u128.checked_pow(power.unsigned_abs())?;
            if power < 0 { (1, size) } else { (size, 1) }
        }
    };
    let divisor = divisor.checked_mul(10_u128.checked_pow(fraction_digits)?)?;
    u64::try_from(mantissa.checked_mul(multiplier)?.div_ceil(divisor)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_a_user_would_write() {
        for (given, shown) in [
            (0, "0"),
            (512, "512"),
            (1024, "1Ki"),
            (32 << 20, "32Mi"),
            (32_560 * 1024, "31Mi"),
            (1 << 30, "1Gi"),
            (1536 << 20, "1536Mi"),
            (20 << 30, "20Gi"),
            (u64::MAX, "16777215Ti"),
        ] {
            assert_eq!(show(given), shown);
        }
    }

    #[test]
    fn reads_what_the_api_server_stores() {
        for (text, expected) in [
            ("32Mi", Some(32 << 20)),
            ("1.5Gi", Some(3 << 29)),
            ("128M", Some(128_000_000)),
            ("128e6", Some(128_000_000)),
            ("1E3", Some(1_000)),
            ("1E", Some(1_000_000_000_000_000_000)),
            ("100m", Some(1)),
            ("134217728", Some(134_217_728)),
            ("", None),
            ("Mi", None),
            ("1.2.3", None),
            ("-1", None),
            ("16Ei", None),
            ("1e99", None),
            ("é", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
