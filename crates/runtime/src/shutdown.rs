//! How a program ends: readiness off first, then a short wait with connections closing as they are used, then the drain.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// How far a program is on its way to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Running,
    /// It still serves and still accepts, but closes each connection with its next answer: clients go elsewhere without losing a request.
    Draining,
    /// It accepts nothing more, answers what it has begun and ends.
    Closing,
}

/// The hand that ends the program.
#[derive(Debug)]
pub struct Shutdown(watch::Sender<Phase>);

impl Shutdown {
    /// A program that runs.
    pub fn new() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }

    /// What the parts of the program hold.
    pub fn stop(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    /// Goes on to `phase`; never back.
    pub fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|current| {
            let forward = *current < phase;
            *current = (*current).max(phase);
            forward
        });
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

/// What a part of the program holds to learn that it must end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Phase>);

impl Stop {
    /// How far the program is now.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Waits until the program is at `phase` or beyond. A dropped [`Shutdown`] counts as the end.
    pub async fn reached(&mut self, phase: Phase) {
        if self.0.wait_for(|current| *current >= phase).await.is_err() {
            // The owner is gone, so nobody can tell us any more: the end is the only safe reading.
        }
    }

    /// Waits until the program shall end.
    pub async fn closing(&mut self) {
        self.reached(Phase::Closing).await;
    }
}

/// SIGTERM and SIGINT. Made early, so that a signal during the start is not lost.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next signal and gives its name.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_go_forward_only() {
        let shutdown = Shutdown::new();
        let mut stop = shutdown.stop();
        assert_eq!(stop.phase(), Phase::Running);
        shutdown.advance(Phase::Closing);
        shutdown.advance(Phase::Draining);
        assert_eq!(stop.phase(), Phase::Closing);
        stop.closing().await;
    }

    #[tokio::test]
    async fn a_dropped_owner_ends_the_program() {
        let mut stop = Shutdown::new().stop();
        stop.closing().await;
    }
}
