//! The edges that the programs share: telemetry, metrics, admin server, TLS, shutdown, client.

pub mod admin;
pub mod certificate;
#[cfg(feature = "client")]
pub mod client;
pub mod clock;
pub mod crypto;
pub mod metrics;
pub mod serve;
pub mod shutdown;
pub mod telemetry;
pub mod watched;

mod activity;

use std::future::Future;
use std::io;

/// Runs a program on one worker thread.
///
/// The programs answer in microseconds and wait for the rest of the time: a second thread would cost memory and win nothing.
pub fn block_on<F: Future>(program: F) -> io::Result<F::Output> {
    // A review of a large object takes a millisecond. After 61 tasks, as is usual, whoever has come meanwhile would have waited for many.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).event_interval(8).build()?;
    let output = runtime.block_on(program);
    // A blocking task that hangs (a file system that does not answer) must not keep the program from ending.
    runtime.shutdown_background();
    Ok(output)
}
