//! Wall clocks of a log's lines, as far as two of them can be compared.

use std::cmp::Ordering;

const HOUR_USEC: u64 = 3_600_000_000;

/// When a line was written.
pub(crate) enum Moment<'a> {
    /// Since boot.
    Usec(u64),
    /// ISO 8601 or seconds of the epoch: the text sorts as the times do.
    Sorts(&'a [u8]),
    /// A month by its name, and what stands beside it.
    Named(Named<'a>),
}

pub(crate) struct Named<'a> {
    year: Option<u64>,
    month: Month<'a>,
    day: u64,
    clock_usec: u64,
}

#[derive(PartialEq, Eq)]
enum Month<'a> {
    Number(u64),
    /// In a language that is not known here: only the same month can be compared.
    Name(&'a [u8]),
}

impl Moment<'_> {
    /// The order of two moments; `None` where they are of two forms, or nobody can tell.
    pub(crate) fn compared_with(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Usec(one), Self::Usec(other)) => Some(one.cmp(other)),
            (Self::Sorts(one), Self::Sorts(other)) if one.len() == other.len() => Some(one.cmp(other)),
            (Self::Named(one), Self::Named(other)) => one.compared_with(other),
            _ => None,
        }
    }
}

impl Named<'_> {
    fn compared_with(&self, other: &Self) -> Option<Ordering> {
        let year = self.year.zip(other.year).map_or(Ordering::Equal, |(one, other)| one.cmp(&other));
        let month = match (&self.month, &other.month) {
            (Month::Number(one), Month::Number(other)) => Some(one.cmp(other)),
            (one, other) => (one == other).then_some(Ordering::Equal),
        };
        if year != Ordering::Equal {
            return Some(year);
        }
        Some(month?.then(self.day.cmp(&other.day)).then(self.clock_usec.cmp(&other.clock_usec)))
    }
}

/// The moment of a wall clock as a log writes it.
pub(crate) fn moment(time: &[u8]) -> Option<Moment<'_>> {
    let time = time.trim_ascii();
    // `Wed 2025-11-12 20:13:52 UTC`: the day of the week says nothing of the order.
    let from_digit = time.iter().position(u8::is_ascii_digit).and_then(|at| time.get(at..))?;
    let sorts = from_digit.get(4) == Some(&b'-') || from_digit.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if sorts {
        return Some(Moment::Sorts(from_digit));
    }
    named(time).map(Moment::Named)
}

fn named(time: &[u8]) -> Option<Named<'_>> {
    let mut month = None;
    let mut numbers: [Option<u64>; 2] = [None; 2];
    let (mut year, mut clock_usec, mut afternoon) = (None, None, None);
    for word in time.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if let Some(usec) = clock(word) {
            clock_usec = Some(usec);
            continue;
        }
        let name = word.iter().take_while(|byte| !byte.is_ascii_digit()).count();
        let (name, digits) = word.split_at_checked(name)?;
        let value = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        match (name, value) {
            (b"AM" | b"am", _) => afternoon = Some(false),
            (b"PM" | b"pm", _) => afternoon = Some(true),
            (b"", Some(value)) if value >= 1000 => year = Some(value),
            (b"", Some(value)) => *numbers.iter_mut().find(|number| number.is_none())? = Some(value),
            // `11月`
            (b"", None) => {
                let number = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
                month = Some(Month::Number(std::str::from_utf8(digits.get(..number)?).ok()?.parse().ok()?));
            }
            _ if name.len() > 2 && name.iter().all(u8::is_ascii_uppercase) => {}
            // A day of the week comes before the month, so that the month has the last word. `Aug12` has both in one.
            _ => {
                month = Some(month_of(name));
                if let Some(value) = value {
                    *numbers.iter_mut().find(|number| number.is_none())? = Some(value);
                }
            }
        }
    }
    // `Thg 11 12 03:54:03`: the month is a number with a word in front.
    let (month, day) = match numbers {
        [Some(month), Some(day)] => (Month::Number(month), day),
        [Some(day), None] => (month?, day),
        _ => return None,
    };
    let clock_usec = match (afternoon, clock_usec?) {
        (Some(true), usec) if usec < 12 * HOUR_USEC => usec + 12 * HOUR_USEC,
        (Some(false), usec) if usec >= 12 * HOUR_USEC => usec - 12 * HOUR_USEC,
        (_, usec) => usec,
    };
    Some(Named { year, month, day, clock_usec })
}

fn month_of(name: &[u8]) -> Month<'_> {
    const MONTHS: [&[u8]; 12] = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let found = MONTHS.iter().zip(1..).find(|(month, _)| name.eq_ignore_ascii_case(month));
    found.map_or(Month::Name(name), |(_, number)| Month::Number(number))
}

/// `01:26`, `01:26:57` and `01:26:57.123456`.
fn clock(word: &[u8]) -> Option<u64> {
    let (word, fraction) = match memchr::memchr2(b'.', b',', word) {
        Some(at) => (word.get(..at)?, word.get(at + 1..)?),
        None => (word, &b""[..]),
    };
    let mut usec = 0_u64;
    let mut parts = 0;
    for part in word.split(|byte| *byte == b':') {
        let value: u64 = std::str::from_utf8(part).ok().filter(|part| part.len() == 2)?.parse().ok()?;
        usec = usec * 60 + value;
        parts += 1;
    }
    usec = match parts {
        2 => usec * 60,
        3 => usec,
        _ => return None,
    } * 1_000_000;
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    digits
        .zip([100_000, 10_000, 1000, 100, 10, 1])
        .try_fold(usec, |usec, (digit, place)| digit.is_ascii_digit().then(|| usec + u64::from(digit - b'0') * place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn order(one: &str, other: &str, expected: Option<Ordering>) {
        let compared = moment(one.as_bytes()).zip(moment(other.as_bytes())).and_then(|(one, other)| one.compared_with(&other));
        assert_eq!(compared, expected, "{one} | {other}");
    }

    #[test]
    fn names_do_not_sort_but_what_they_mean_does() {
        for (one, other) in [
            ("Sep 30 01:00:00", "Oct 15 02:00:00"),
            ("Oct  5 01:00:00", "Oct 15 01:00:00"),
            ("Wed Nov  5 01:00:00 2025", "Tue Nov 11 02:00:00 2025"),
            ("Tue Dec 30 01:00:00 2025", "Thu Jan  1 02:00:00 2026"),
            ("11月 27 01:26:57.123456", "11月 27 01:26:57.123457"),
            ("9月 27 01:26:57", "11月 2 01:26:57"),
            ("Thg 11 12 03:54:01", "Thg 12 01 03:54:01"),
            ("Ср ноя 12 03:54:01 2025", "Пт ноя 14 03:54:01 2025"),
            ("Wed 12 Nov 2025 11:54:01 AM UTC", "Wed 12 Nov 2025 03:54:01 PM UTC"),
            ("Aug12 03:54", "Aug12 03:55"),
            ("Wed 2025-11-12 20:13:52 UTC", "Tue 2025-11-18 20:13:52 UTC"),
            ("2025-01-21T08:46:30,287197+00:00", "2025-01-21T08:46:30,287198+00:00"),
            ("1732670817.000001", "1732670817.000002"),
        ] {
            order(one, other, Some(Ordering::Less));
            order(other, one, Some(Ordering::Greater));
        }
    }

    #[test]
    fn what_cannot_be_compared_is_not() {
        order("Ср окт 30 03:54:01 2025", "Ср ноя 12 03:54:01 2025", None);
        order("Nov 27 01:26:57", "2025-11-27T01:26:57Z", None);
        assert!(moment(b"yesterday").is_none());
    }
}
