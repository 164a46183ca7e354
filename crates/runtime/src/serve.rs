//! The accept loop: HTTP/1.1, plain or over TLS, with a limit on everything that a peer could stretch.

use crate::activity::{Activity, State, Watched};
use crate::shutdown::{Phase, Stop};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

/// How often the limits of time are looked after; they are late by as much.
const SWEEP_INTERVAL: Duration = Duration::from_millis(250);
/// Read buffer of a connection. A head must fit in it; a body passes through it.
const BUFFER_MAX_BYTES: usize = 64 * 1024;
/// What is read and thrown away after an early answer, so that the peer gets to see the answer and not a reset connection.
const LINGER_MAX_BYTES: usize = 8 * 1024 * 1024;
/// How long it is read and thrown away.
const LINGER_MAX: Duration = Duration::from_secs(1);
/// How long a connection that has not asked yet is waited for at the end of the program.
const FIRST_REQUEST_MAX: Duration = Duration::from_secs(1);

/// What a peer may take of the server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time. One more takes the place of the one that has been idle for longest.
    pub connections: usize,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// From the end of a request's head to the end of the answer. The last resort: handlers have limits of their own.
    pub request: Duration,
    /// Between two requests. Longer than the 90 s of Go's HTTP client: if the server closes first, a request may be lost on the way.
    pub idle: Duration,
    /// The answer after this age closes its connection, so that an API server does not stick to one replica
    /// (before Kubernetes 1.37 it has one connection pool for the whole Service).
    pub age: Duration,
    /// How long the open requests may take at the end of the program.
    pub drain: Duration,
}

impl Limits {
    /// For a server that API servers talk to.
    pub fn webhook() -> Self {
        Self {
            connections: 1024,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(5),
            request: Duration::from_secs(30),
            idle: Duration::from_mins(2),
            age: Duration::from_mins(2),
            drain: Duration::from_secs(10),
        }
    }

    /// For a server that the kubelet and Prometheus talk to.
    pub fn admin() -> Self {
        Self {
            connections: 32,
            idle: Duration::from_secs(30),
            request: Duration::from_secs(10),
            drain: Duration::from_secs(1),
            ..Self::webhook()
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are the label's values")]
enum End {
    closed,
    broken,
    handshake_failed,
    handshake_slow,
    head_slow,
    request_slow,
    idle,
    crowded_out,
    refused,
    panicked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    end: End,
}

/// Metrics of a server's connections.
#[derive(Clone, Debug, Default)]
pub struct ConnectionMetrics {
    open: Gauge,
    ended: Family<EndLabels, Counter>,
}

impl ConnectionMetrics {
    /// Registers them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("connections_open", "Open connections", self.open.clone());
        registry.register("connections_ended", "Connections that ended, by how", self.ended.clone());
    }

    fn end(&self, end: End) {
        self.ended.get_or_create(&EndLabels { end }).inc();
    }
}

/// The address of the client, as an extension of each request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// An extension of a response: it was given before the request was read to the end, so the connection cannot be used again.
#[derive(Clone, Copy, Debug)]
pub struct Unread;

/// One listening server.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub listener: TcpListener,
    /// TLS, or plain HTTP without it.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// The limits of its connections.
    pub limits: Limits,
    /// The metrics of its connections.
    pub metrics: ConnectionMetrics,
    /// When to end.
    pub stop: Stop,
}

struct Slot {
    activity: Arc<Activity>,
    abort: AbortHandle,
}

impl Server {
    /// Serves until the program closes and the connections are done or the time for it is over.
    pub async fn run(mut self, router: axum::Router) {
        let acceptor = self.tls.take().map(TlsAcceptor::from);
        let mut slots: BTreeMap<u64, Slot> = BTreeMap::new();
        let mut tasks: JoinSet<u64> = JoinSet::new();
        let mut next = 0_u64;
        let mut sweep = interval(SWEEP_INTERVAL);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.closing() => break,
                Some(done) = tasks.join_next() => self.forget(&mut slots, done),
                // A server without connections sleeps.
                _ = sweep.tick(), if !slots.is_empty() => self.sweep(&mut slots),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if slots.len() >= self.limits.connections && !self.crowd_out(&mut slots) {
                            self.metrics.end(End::refused);
                            continue;
                        }
                        next += 1;
                        let activity = Activity::new(if acceptor.is_some() { State::Handshake } else { State::Idle });
                        let connection = Connection {
                            peer,
                            activity: Arc::clone(&activity),
                            age: spread(self.limits.age, next),
                            router: router.clone(),
                            metrics: self.metrics.clone(),
                            stop: self.stop.clone(),
                        };
                        let abort = tasks.spawn(connection.run(next, stream, acceptor.clone()));
                        slots.insert(next, Slot { activity, abort });
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: without the pause this loop would spin.
                        tracing::warn!(%error, "Failed to accept a connection.");
                        sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
        drop(self.listener);
        let all_done = async { while tasks.join_next().await.is_some() {} };
        if timeout(self.limits.drain, all_done).await.is_err() {
            tracing::warn!(connections = tasks.len(), "Gave up waiting for open connections.");
        }
    }

    fn forget(&self, slots: &mut BTreeMap<u64, Slot>, done: Result<u64, tokio::task::JoinError>) {
        match done {
            Ok(number) => drop(slots.remove(&number)),
            Err(error) => {
                if error.is_panic() {
                    self.metrics.end(End::panicked);
                }
                slots.retain(|_, slot| !slot.abort.is_finished());
            }
        }
    }

    /// Ends the connections that take too long.
    fn sweep(&self, slots: &mut BTreeMap<u64, Slot>) {
        slots.retain(|_, slot| {
            let (state, since) = slot.activity.get();
            let (limit, end) = match state {
                State::Handshake => (self.limits.handshake, End::handshake_slow),
                State::Idle => (self.limits.idle, End::idle),
                State::Head => (self.limits.head, End::head_slow),
                State::Request => (self.limits.request, End::request_slow),
                State::Finish => (self.limits.head, End::broken),
            };
            let over = since > limit;
            if over && !slot.abort.is_finished() {
                slot.abort.abort();
                self.metrics.end(end);
            }
            !over
        });
    }

    /// Ends the connection that has been at nothing for longest; false where all of them are at work.
    fn crowd_out(&self, slots: &mut BTreeMap<u64, Slot>) -> bool {
        let idle = slots.iter().filter_map(|(number, slot)| match slot.activity.get() {
            (State::Request, _) => None,
            (_, since) => Some((since, *number)),
        });
        let Some(slot) = idle.max().and_then(|(_, number)| slots.remove(&number)) else { return false };
        slot.abort.abort();
        self.metrics.end(End::crowded_out);
        true
    }
}

/// Connections that were made together shall not end together: the age is spread by a fifth.
fn spread(age: Duration, number: u64) -> Duration {
    // Successive multiples of the golden ratio fall evenly; see Knuth, TAOCP 3, 6.4.
    let fraction = u32::try_from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48).unwrap_or_default();
    age.mul_f64(1.0 - 0.2 * f64::from(fraction) / 65536.0)
}

/// One connection.
struct Connection {
    peer: SocketAddr,
    activity: Arc<Activity>,
    age: Duration,
    router: axum::Router,
    metrics: ConnectionMetrics,
    stop: Stop,
}

/// Counts a connection as open as long as it lives, however it ends.
struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Connection {
    async fn run(self, number: u64, stream: TcpStream, acceptor: Option<TlsAcceptor>) -> u64 {
        let metrics = self.metrics.clone();
        metrics.open.inc();
        let _open = Open(metrics.open.clone());
        // Answers are single small writes. Where the option cannot be set they are late, not wrong.
        drop(stream.set_nodelay(true));
        let end = match acceptor {
            None => self.http(stream).await,
            Some(acceptor) => match acceptor.accept(stream).await {
                Ok(stream) => {
                    self.activity.set(State::Idle);
                    self.http(stream).await
                }
                Err(error) => {
                    tracing::debug!(peer = %self.peer, %error, "The TLS handshake failed.");
                    End::handshake_failed
                }
            },
        };
        metrics.end(end);
        number
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) -> End {
        let Self { peer, activity, age, router, stop, .. } = self;
        let io = TokioIo::new(Watched { stream, activity: Arc::clone(&activity) });
        let mut phase = stop.clone();
        let on_request = Arc::clone(&activity);
        let asked = Arc::new(AtomicBool::new(false));
        let is_asked = Arc::clone(&asked);
        let service = service_fn(move |mut request: Request<Incoming>| {
            on_request.set(State::Request);
            is_asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            let activity = Arc::clone(&on_request);
            let stop = stop.clone();
            let mut router = router.clone();
            Box::pin(async move {
                let mut response: Response<axum::body::Body> = match router.call(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
                let unread = response.extensions().get::<Unread>().is_some();
                if unread {
                    activity.set_unread();
                }
                if unread || activity.age() > age || stop.phase() > Phase::Running {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                activity.set(State::Idle);
                Ok::<_, Infallible>(response)
            })
        });
        // The limits of time are the sweep's: hyper's own timer for the head would also cut idle connections.
        let mut connection = http1::Builder::new().max_buf_size(BUFFER_MAX_BYTES).serve_connection(io, service);
        let mut closing = false;
        let mut end = pin!(async move {
            phase.closing().await;
            // Whoever has just connected is about to ask.
            if !asked.load(Ordering::Relaxed) {
                sleep(FIRST_REQUEST_MAX).await;
            }
        });
        let result = loop {
            tokio::select! {
                // The connection first: a request that has come is answered before the end is looked at.
                biased;
                result = poll_fn(|context| connection.poll_without_shutdown(context)) => break result,
                () = &mut end, if !closing => {
                    closing = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        activity.set(State::Finish);
        let stream = connection.into_parts().io.into_inner().stream;
        finish(stream, activity.unread()).await;
        match result {
            Ok(()) => End::closed,
            Err(error) => {
                tracing::debug!(%peer, %error, "A connection broke.");
                End::broken
            }
        }
    }
}

/// Says goodbye, and after an early answer reads on for a while: unread bytes would make the kernel reset the connection, and the
/// peer might lose the answer with it.
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, unread: bool) {
    let goodbye = async {
        if stream.shutdown().await.is_err() || !unread {
            return;
        }
        let mut buffer = vec![0; 16 * 1024];
        let mut total = 0;
        while total < LINGER_MAX_BYTES {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => total += count,
            }
        }
    };
    if timeout(LINGER_MAX, goodbye).await.is_err() {
        // The peer had its time.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_spread_evenly_over_a_fifth() {
        let mut ages: Vec<u128> = (1..=100).map(|number| spread(Duration::from_secs(100), number).as_millis()).collect();
        assert!(ages.iter().all(|age| (80_000..=100_000).contains(age)), "{ages:?}");
        ages.sort_unstable();
        assert!(ages.windows(2).all(|pair| pair[1] - pair[0] < 600), "{ages:?}");
    }
}
