//! Waiting for something to become true.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;

/// The shortest and the longest pause between two questions. Each may start a program, and two processors are soon busy with questions alone.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Asks `answer` until it has one, the longer it takes the less often; fails after `limit`, and at once when `answer` fails or the user asks to stop.
pub fn until<T>(what: &str, limit: Duration, mut answer: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        interrupt::check()?;
        if let Some(found) = answer()? {
            return Ok(found);
        }
        let waited = started.elapsed();
        if waited > limit {
            bail!("{what}: not so after {} s", limit.as_secs());
        }
        let [shortest, longest] = PAUSES;
        sleep((waited / 10).clamp(shortest, longest));
    }
}
