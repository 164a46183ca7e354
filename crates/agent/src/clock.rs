//! The clocks, read at the edge only.

use jiff::{SignedDuration, Timestamp};
use nix::time::{ClockId, clock_gettime};
use podsight_evidence::id::BootId;
use std::fs;
use std::path::Path;

/// A time stamp of the log is further from now than the log is behind: the wall clock was set, or the kernel's own clock has drifted.
const LIVE_DRIFT: SignedDuration = SignedDuration::from_secs(600);

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the edge: everything below takes the time as a value")]
pub fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// When a record of so many microseconds since boot was written, as far as the clocks of this moment tell.
///
/// The log's clock is `local_clock()`: it stands still during suspend and is not corrected by NTP, as is `CLOCK_MONOTONIC_RAW`.
pub fn at(usec: Option<u64>, now: Timestamp) -> Timestamp {
    let age = || {
        let since_boot = clock_gettime(ClockId::CLOCK_MONOTONIC_RAW).ok()?;
        let since_boot = SignedDuration::new(since_boot.tv_sec(), i32::try_from(since_boot.tv_nsec()).ok()?);
        since_boot.checked_sub(SignedDuration::from_micros(i64::try_from(usec?).ok()?))
    };
    match age() {
        Some(age) if age.is_positive() => now.checked_sub(age).unwrap_or(now),
        _ => now,
    }
}

/// When a record that was read as soon as it was there was written: by its own time stamp, unless that cannot be.
pub fn at_live(usec: Option<u64>, now: Timestamp) -> Timestamp {
    let told = at(usec, now);
    if now.duration_since(told) > LIVE_DRIFT { now } else { told }
}

/// The boot's id. It is readable by everybody and the same in every container.
pub fn boot_id(proc: &Path) -> Option<BootId> {
    fs::read_to_string(proc.join("sys/kernel/random/boot_id")).ok()?.parse().ok()
}
