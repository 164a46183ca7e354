//! Load on a server: at a fixed rate, whatever the server does meanwhile, or as fast as it answers.

use anyhow::{Context as _, Result, bail, ensure};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// An answer that takes longer is an error: the API server has given up by then.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Threads do nothing but wait for sockets.
const STACK_BYTES: usize = 128 * 1024;

/// Load to be put on a server.
#[derive(Clone, Debug)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// How it is trusted.
    pub tls: Arc<ClientConfig>,
    /// The name or address in its certificate.
    pub name: &'static str,
    /// What the answers are to be.
    pub wanted: Wanted,
    /// The requests, sent in turn.
    pub requests: Arc<Vec<Vec<u8>>>,
    /// Connections at a time, each with one request at a time.
    pub connections: usize,
    /// Requests a second; as many as the connections can carry without it.
    pub rate: Option<u32>,
    /// For how long.
    pub duration: Duration,
}

/// What an answer is to be; another one is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A webhook's, which allows.
    Allowed,
    /// An API server's, which has created an object.
    Created,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// From the moment at which each request was due to its whole answer, in ascending order. A request that had to wait for a free
    /// connection has waited: that corrects what is known as coordinated omission.
    pub latencies: Vec<Duration>,
    /// Requests without the wanted answer, and the first reason.
    pub errors: u64,
    /// Why the first request failed.
    pub first_error: Option<String>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
}

impl Load {
    /// Puts the load on the server.
    pub fn run(&self) -> Result<Outcome> {
        let next = AtomicU64::new(0);
        // All connections stand before the clock runs.
        let connections = (0..self.connections).map(|_| Connection::open(self)).collect::<Result<Vec<_>>>()?;
        let start = Instant::now();
        let mut total = Outcome::default();
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for connection in connections {
                let next = &next;
                threads
                    .push(thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || self.drive(connection, next, start))?);
            }
            for thread in threads {
                let Ok(part) = thread.join() else { bail!("a thread of the load panicked") };
                total.latencies.extend(part.latencies);
                total.errors += part.errors;
                total.first_error = total.first_error.take().or(part.first_error);
            }
            Ok(())
        })?;
        total.elapsed = start.elapsed();
        total.latencies.sort_unstable();
        Ok(total)
    }

    fn drive(&self, connection: Connection, next: &AtomicU64, start: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let mut connection = Some(connection);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = match self.rate {
                Some(rate) => {
                    let due = start + Duration::from_nanos(number.saturating_mul(1_000_000_000) / u64::from(rate.max(1)));
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    due
                }
                None => Instant::now(),
            };
            if due.saturating_duration_since(start) >= self.duration {
                return outcome;
            }
            match self.one(&mut connection, number) {
                Ok(()) => outcome.latencies.push(due.elapsed()),
                Err(error) => {
                    connection = None;
                    outcome.errors += 1;
                    outcome.first_error.get_or_insert_with(|| format!("{error:#}"));
                }
            }
        }
    }

    fn one(&self, slot: &mut Option<Connection>, number: u64) -> Result<()> {
        let connection = match slot {
            Some(connection) => connection,
            None => slot.insert(Connection::open(self)?),
        };
        let index = usize::try_from(number).unwrap_or_default() % self.requests.len().max(1);
        let close = connection.exchange(self.requests.get(index).context("no requests")?)?;
        if close {
            *slot = None;
        }
        Ok(())
    }
}

/// One connection, with blocking reads: a timer of the operating system is finer than one of an event loop.
struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    buffer: Vec<u8>,
    wanted: Wanted,
}

impl Connection {
    fn open(load: &Load) -> Result<Self> {
        let socket = TcpStream::connect_timeout(&load.address, TIMEOUT).context("failed to connect")?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        let connection = ClientConnection::new(Arc::clone(&load.tls), ServerName::try_from(load.name)?)?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).context("the TLS handshake failed")?;
        }
        Ok(Self { stream, buffer: Vec::with_capacity(4096), wanted: load.wanted })
    }

    /// Sends a request and reads its answer; gives whether the server closes the connection.
    fn exchange(&mut self, request: &[u8]) -> Result<bool> {
        self.stream.write_all(request).context("failed to send")?;
        self.buffer.clear();
        let mut chunk = [0; 4096];
        loop {
            let count = self.stream.read(&mut chunk).context("failed to read")?;
            ensure!(count > 0, "the server closed the connection");
            self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
            let Some(head_end) = find(&self.buffer, b"\r\n\r\n") else { continue };
            let (head, body) = self.buffer.split_at(head_end + 4);
            let head = std::str::from_utf8(head)?.to_ascii_lowercase();
            let is_whole = match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
                Some(length) => body.len() >= length.parse()?,
                // The API server tells no length of what is longer than 2,048 bytes. There is one answer at a time.
                None => body.ends_with(b"\r\n0\r\n\r\n"),
            };
            if !is_whole {
                continue;
            }
            let line = head.lines().next().unwrap_or_default();
            match self.wanted {
                Wanted::Allowed => {
                    ensure!(line.starts_with("http/1.1 200 "), "not 200: {line}");
                    ensure!(find(body, br#""allowed":true"#).is_some(), "not allowed");
                }
                Wanted::Created => ensure!(line.starts_with("http/1.1 201 "), "not 201: {line}: {}", String::from_utf8_lossy(body)),
            }
            return Ok(head.contains("\r\nconnection: close\r\n"));
        }
    }
}

/// Where `needle` begins in `haystack`.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

impl Outcome {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        count(self.latencies.len()) / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The outcome as JSON, latencies in microseconds.
    pub fn json(&self) -> Value {
        json!({"answers": self.latencies.len(), "errors": self.errors, "first_error": self.first_error, "seconds": self.elapsed.as_secs_f64(),
            "answers_per_second": self.rate().round(), "latency_us": percentiles(&self.latencies)})
    }
}

/// The usual percentiles of sorted durations, in microseconds.
pub fn percentiles(sorted: &[Duration]) -> Value {
    let at = |per_mille: usize| {
        let rank = (sorted.len() * per_mille).div_ceil(1000).max(1) - 1;
        sorted.get(rank).map(|duration| (duration.as_secs_f64() * 10_000_000.0).round() / 10.0)
    };
    json!({"p50": at(500), "p90": at(900), "p99": at(990), "p99.9": at(999), "max": at(1000)})
}

/// A count as a number to calculate with.
pub fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_rank() {
        let sorted: Vec<Duration> = (1..=1000).map(Duration::from_micros).collect();
        assert_eq!(percentiles(&sorted), json!({"p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0}));
        assert_eq!(percentiles(&[Duration::from_micros(7)])["p50"], json!(7.0));
        assert_eq!(percentiles(&[])["p50"], Value::Null);
    }
}
