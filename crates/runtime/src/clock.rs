//! The wall clock, read at the edge only.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, negative before.
#[expect(clippy::disallowed_methods, reason = "this is the edge: everything below takes the time as a value")]
pub fn unix_seconds() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    }
}
