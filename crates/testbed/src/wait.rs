//! Waiting for something to become true.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::interrupt;

/// Asks `answer` until it has one; fails after `limit`, and at once when `answer` fails or the user asks to stop.
pub fn until<T>(what: &str, limit: Duration, mut answer: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        interrupt::check()?;
        if let Some(found) = answer()? {
            return Ok(found);
        }
        if started.elapsed() > limit {
            bail!("{what}: not so after {} s", limit.as_secs());
        }
        sleep(Duration::from_millis(100));
    }
}
