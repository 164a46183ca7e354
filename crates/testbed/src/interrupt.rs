//! Ctrl-C and the polite signals: noticed at the next wait, so that the testbed is taken down in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static REQUESTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Starts to listen. Call once, before anything is started.
pub fn listen() -> Result<()> {
    let flag = Arc::clone(REQUESTED.get_or_init(Arc::default));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).context("listen for Ctrl-C")?;
    }
    Ok(())
}

/// Whether the user asked to stop.
pub fn requested() -> bool {
    REQUESTED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Fails once the user asked to stop: for use in every loop that waits.
pub fn check() -> Result<()> {
    if requested() {
        bail!("interrupted");
    }
    Ok(())
}
