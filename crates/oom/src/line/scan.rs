//! Small steps over bytes.

/// A decimal number at the start, and what comes after it.
pub(super) fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = bytes.split_at_checked(digits)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The same, with a minus sign.
pub(super) fn signed(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (minus, rest) = match bytes.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let (value, rest) = number(rest)?;
    let value = i64::try_from(value).ok()?;
    Some((if minus { -value } else { value }, rest))
}

/// The same, as a process id or user id.
pub(super) fn id(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (value, rest) = number(bytes)?;
    Some((u32::try_from(value).ok()?, rest))
}

/// What comes before and after the first `needle`.
pub(super) fn split_once<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(bytes, needle)?;
    Some((bytes.get(..at)?, bytes.get(at + needle.len()..)?))
}

/// What comes before and after the last `needle`.
pub(super) fn rsplit_once<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::rfind(bytes, needle)?;
    Some((bytes.get(..at)?, bytes.get(at + needle.len()..)?))
}

/// The number after the first `key`.
pub(super) fn value(bytes: &[u8], key: &[u8]) -> Option<i64> {
    let (_, rest) = split_once(bytes, key)?;
    signed(rest).map(|(value, _)| value)
}

/// Whether the path `below` is `path` or lies below it.
pub(super) fn is_below(below: &[u8], path: &[u8]) -> bool {
    path == b"/" || below.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
