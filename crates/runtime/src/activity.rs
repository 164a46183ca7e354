//! What a connection is doing and since when, readable from outside of its task.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The TLS handshake.
    Handshake,
    /// Nothing: between two requests.
    Idle,
    /// The head of a request has begun.
    Head,
    /// A request is being read and answered.
    Request,
    /// The last answer is out.
    Finish,
}

/// One word that says what a connection is doing and since when.
#[derive(Debug)]
pub(crate) struct Activity {
    born: Instant,
    /// Milliseconds since `born`, and the state in the lowest three bits.
    word: AtomicU64,
    /// Whether an answer was given before its request was read to the end.
    unread: AtomicBool,
}

impl Activity {
    pub(crate) fn new(state: State) -> Arc<Self> {
        Arc::new(Self { born: Instant::now(), word: AtomicU64::new(state as u64), unread: AtomicBool::new(false) })
    }

    /// How old the connection is.
    pub(crate) fn age(&self) -> Duration {
        self.born.elapsed()
    }

    /// Notes that the connection does something else from now on.
    pub(crate) fn set(&self, state: State) {
        let millis = u64::try_from(self.age().as_millis()).unwrap_or(u64::MAX >> 3);
        self.word.store(millis << 3 | state as u64, Ordering::Relaxed);
    }

    /// What the connection is doing, and for how long.
    pub(crate) fn get(&self) -> (State, Duration) {
        let word = self.word.load(Ordering::Relaxed);
        let state = match word & 7 {
            0 => State::Handshake,
            1 => State::Idle,
            2 => State::Head,
            3 => State::Request,
            _ => State::Finish,
        };
        (state, self.age().saturating_sub(Duration::from_millis(word >> 3)))
    }

    pub(crate) fn set_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    pub(crate) fn unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }
}

/// A stream that notes when the first bytes of a request come.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    pub(crate) stream: S,
    pub(crate) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before && self.activity.get().0 == State::Idle {
            self.activity.set(State::Head);
        }
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
