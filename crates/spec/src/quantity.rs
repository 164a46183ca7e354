//! Quantities such as `64Mi`, `0.5` or `128m`, as `k8s.io/apimachinery/pkg/api/resource` reads them.

use serde_json::Value;
use std::fmt;

/// An amount in thousand-millionths (the smallest step that Kubernetes keeps), exact up to 10^29 and saturating above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity {
    nanos: i128,
}

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// There is nothing to read, or something that is no digit stands where one is due.
    #[error("quantities are a number and at most one suffix, such as 64Mi or 0.5")]
    Format,
    /// The suffix is none of n u m k M G T P E Ki Mi Gi Ti Pi Ei or an exponent.
    #[error("unknown suffix: one of m k M G T P E Ki Mi Gi Ti Pi Ei is possible, case matters")]
    Suffix,
}

const NANOS: i128 = 1_000_000_000;

/// More digits than these do not fit; what stands left of them saturates, what stands right of them rounds up.
const EXACT_FRACTION_DIGITS: usize = 18;

#[derive(Clone, Copy)]
enum Suffix {
    /// A power of ten.
    Ten(i32),
    /// A power of two.
    Two(u32),
}

impl Quantity {
    /// A whole number of units (bytes, cores).
    pub const fn from_units(units: i64) -> Self {
        Self { nanos: units as i128 * NANOS }
    }

    /// Reads a text, as `resource.ParseQuantity` does.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..)),
            Some(b'+') => (false, text.get(1..)),
            _ => (false, Some(text)),
        };
        let rest = rest.unwrap_or_default();
        let (whole, rest) = digits(rest);
        let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
        let suffix = suffix(rest)?;
        // No digit at all is zero, unless the original cannot take its short way for small numbers and reads the empty number in earnest.
        if whole.is_empty() && fraction.is_empty() && matches!(suffix, Suffix::Two(50..) | Suffix::Ten(..-9)) {
            return Err(QuantityError::Format);
        }
        let nanos = match suffix {
            Suffix::Ten(exponent) => decimal(whole, fraction, exponent),
            Suffix::Two(exponent) => binary(whole, fraction, exponent),
        };
        Ok(Self { nanos: if negative { nanos.saturating_neg() } else { nanos } })
    }

    /// The quantity of a value in an object: a text or a bare number. `None` where it is neither, or no quantity.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text).ok(),
            Value::Number(number) => Self::parse(&number.to_string()).ok(),
            _ => None,
        }
    }

    /// The number of units, rounded away from zero, saturating: what `Quantity.Value()` gives for all that is not less than nothing.
    pub fn value(self) -> i64 {
        let quotient = self.nanos / NANOS;
        let rounded = match self.nanos % NANOS {
            0 => quotient,
            rest if rest > 0 => quotient + 1,
            _ => quotient - 1,
        };
        clamp(rounded)
    }

    /// Thousandths of a unit, rounded away from zero, saturating: what `Quantity.MilliValue()` gives for all that is not less than nothing.
    pub fn milli_value(self) -> i64 {
        let quotient = self.nanos / 1_000_000;
        let rounded = match self.nanos % 1_000_000 {
            0 => quotient,
            rest if rest > 0 => quotient + 1,
            _ => quotient - 1,
        };
        clamp(rounded)
    }

    /// Both together, saturating.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { nanos: self.nanos.saturating_add(other.nanos) }
    }

    /// So many times the amount, saturating.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { nanos: self.nanos.saturating_mul(i128::from(count)) }
    }

    /// The number of units, as near as a float comes.
    #[expect(clippy::cast_precision_loss, reason = "Kubernetes compares ratios of floats as well")]
    pub fn to_f64(self) -> f64 {
        self.nanos as f64 / NANOS as f64
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }
}

/// The shortest common form for people: `512Mi`, `1.5Gi`, `128 bytes`, rounded to three digits.
impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const STEPS: [(i64, &str); 5] = [(1 << 50, "Pi"), (1 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
        let bytes = self.value();
        for (step, name) in STEPS {
            if bytes % step == 0 && bytes != 0 {
                return write!(formatter, "{}{name}", bytes / step);
            }
            if bytes >= step {
                let hundredths = i128::from(bytes) * 100 / i128::from(step);
                let (units, rest) = (hundredths / 100, hundredths % 100);
                return match rest {
                    0 => write!(formatter, "{units}{name}"),
                    rest if rest % 10 == 0 => write!(formatter, "{units}.{}{name}", rest / 10),
                    rest if units < 100 => write!(formatter, "{units}.{rest:02}{name}"),
                    _ => write!(formatter, "{units}{name}"),
                };
            }
        }
        write!(formatter, "{bytes} byte{}", if bytes == 1 { "" } else { "s" })
    }
}

fn clamp(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// The leading digits and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn suffix(text: &str) -> Result<Suffix, QuantityError> {
    let exponent = match text {
        "" => Suffix::Ten(0),
        "n" => Suffix::Ten(-9),
        "u" => Suffix::Ten(-6),
        "m" => Suffix::Ten(-3),
        "k" => Suffix::Ten(3),
        "M" => Suffix::Ten(6),
        "G" => Suffix::Ten(9),
        "T" => Suffix::Ten(12),
        "P" => Suffix::Ten(15),
        "E" => Suffix::Ten(18),
        "Ki" => Suffix::Two(10),
        "Mi" => Suffix::Two(20),
        "Gi" => Suffix::Two(30),
        "Ti" => Suffix::Two(40),
        "Pi" => Suffix::Two(50),
        "Ei" => Suffix::Two(60),
        _ => {
            // Letters first, then a sign and digits: anything else is malformed before its suffix is looked at.
            let letters = text.bytes().take_while(|byte| b"eEinumkKMGTP".contains(byte)).count();
            let after = text.get(letters..).unwrap_or_default();
            let number = after.strip_prefix(['+', '-']).unwrap_or(after);
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(QuantityError::Format);
            }
            let exponent = text.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
            let exponent = exponent.parse::<i64>().map_err(|_| QuantityError::Suffix)?;
            Suffix::Ten(i32::try_from(exponent).unwrap_or(if exponent < 0 { i32::MIN } else { i32::MAX }))
        }
    };
    Ok(exponent)
}

/// `whole.fraction × 10^exponent` in nanos, rounded up.
fn decimal(whole: &str, fraction: &str, exponent: i32) -> i128 {
    let mut nanos: i128 = 0;
    let mut lost = false;
    // The power of ten, in nanos, of the digit that comes next.
    let mut place = i64::from(exponent) + 9 + i64::try_from(whole.len()).unwrap_or(i64::MAX) - 1;
    for digit in whole.bytes().chain(fraction.bytes()).map(|byte| i128::from(byte - b'0')) {
        if digit != 0 {
            if place < 0 {
                lost = true;
            } else {
                let power = u32::try_from(place).ok().and_then(|place| 10_i128.checked_pow(place)).unwrap_or(i128::MAX);
                nanos = nanos.saturating_add(power.saturating_mul(digit));
            }
        }
        place -= 1;
    }
    nanos.saturating_add(i128::from(lost))
}

/// `whole.fraction × 2^exponent` in nanos, rounded up, at most `i64::MAX` units as Kubernetes caps it.
fn binary(whole: &str, fraction: &str, exponent: u32) -> i128 {
    let unit = 1_i128 << exponent;
    let whole = whole.bytes().fold(0_i128, |sum, byte| sum.saturating_mul(10).saturating_add(i128::from(byte - b'0')));
    let kept = fraction.get(..EXACT_FRACTION_DIGITS).unwrap_or(fraction);
    let lost = fraction.get(EXACT_FRACTION_DIGITS..).unwrap_or_default().bytes().any(|byte| byte != b'0');
    // At most 10^18 × 2^60 < 2^120, then divided before it is multiplied further.
    let scaled = kept.bytes().fold(0_i128, |sum, byte| sum * 10 + i128::from(byte - b'0')) * unit;
    let places = u32::try_from(kept.len()).unwrap_or(0);
    let (part, rest) = if places <= 9 {
        (scaled * 10_i128.pow(9 - places), 0)
    } else {
        let divisor = 10_i128.pow(places - 9);
        (scaled / divisor, scaled % divisor)
    };
    whole
        .saturating_mul(unit)
        .saturating_mul(NANOS)
        .saturating_add(part)
        .saturating_add(i128::from(rest != 0 || lost))
        .min(i128::from(i64::MAX) * NANOS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<i64, QuantityError> {
        Quantity::parse(text).map(Quantity::value)
    }

    #[test]
    fn reads_what_kubernetes_reads() {
        for (text, want) in [
            ("0", 0),
            ("128", 128),
            ("128m", 1),
            ("1000m", 1),
            ("500000m", 500),
            ("64Mi", 64 << 20),
            ("1.5Gi", 3 << 29),
            ("0.5Mi", 1 << 19),
            ("1E", 1_000_000_000_000_000_000),
            ("1Ei", 1 << 60),
            ("8Ei", i64::MAX),
            ("9Ei", i64::MAX),
            ("1e3", 1000),
            ("1E3", 1000),
            ("12E-1", 2),
            ("1e-10", 1),
            ("1n", 1),
            ("-1.5", -2),
            ("+5k", 5000),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775807Ki", i64::MAX),
            (".", 0),
            ("-", 0),
            ("Gi", 0),
            ("1.", 1),
            (".5Gi", 1 << 29),
            ("0.000000000000000000001", 1),
        ] {
            assert_eq!(value(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn refuses_what_kubernetes_refuses() {
        for (text, want) in [
            ("", QuantityError::Format),
            ("64MB", QuantityError::Format),
            ("64mb", QuantityError::Format),
            ("64 Mi", QuantityError::Format),
            ("1,5Gi", QuantityError::Format),
            ("1K", QuantityError::Suffix),
            ("1KI", QuantityError::Format),
            ("1mi", QuantityError::Suffix),
            ("1g", QuantityError::Format),
            ("1e", QuantityError::Suffix),
            ("１Mi", QuantityError::Format),
            ("Pi", QuantityError::Format),
            (".e-10", QuantityError::Format),
        ] {
            assert_eq!(value(text), Err(want), "{text}");
        }
    }

    #[test]
    fn shows_amounts_as_people_write_them() {
        for (text, want) in [
            ("512Mi", "512Mi"),
            ("1536Mi", "1.5Gi"),
            ("1G", "953Mi"),
            ("1", "1 byte"),
            ("128m", "1 byte"),
            ("100M", "95.36Mi"),
            ("0", "0 bytes"),
            ("2Gi", "2Gi"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), want);
        }
    }
}
