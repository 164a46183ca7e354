//! A registry that has nothing to give, each repository in a way of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Where containerd finds it.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    /// Loopback with a port: asked without TLS too.
    pub(crate) plain: String,
    /// Loopback without one: asked with TLS only, which nobody speaks there.
    pub(crate) without_tls: String,
}

impl Registry {
    /// Starts it; it lasts as long as the test.
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen as a registry")?;
        let plain = listener.local_addr().context("listen as a registry")?.to_string();
        serve(listener);
        // Another run of the tests on this machine may have the first.
        let mut listeners = (1..=254).filter_map(|last| TcpListener::bind(SocketAddr::from(([127, 77, 0, last], 443))).ok());
        let listener = listeners.next().context("listen at port 443 of a loopback address")?;
        let without_tls = listener.local_addr().context("listen as a registry")?.ip().to_string();
        serve(listener);
        Ok(Self { plain, without_tls })
    }
}

fn serve(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            // Who goes away in the middle of an answer has no need of it.
            thread::spawn(move || drop(answer(stream)));
        }
    });
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let host = stream.local_addr()?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") && request.first() != Some(&TLS_HANDSHAKE) {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend(buffer.iter().take(read)),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let json = "Content-Type: application/json\r\n".to_owned();
    let (status, headers, body) = if path.starts_with("/v2/absent/") {
        ("404 Not Found", json, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
    } else if path.starts_with("/v2/private/") {
        let challenge = format!("{json}WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"registry\"\r\n");
        ("401 Unauthorized", challenge, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
    } else if path.starts_with("/token") {
        ("401 Unauthorized", json, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
    } else if path.starts_with("/v2/limited/") {
        ("429 Too Many Requests", json, r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#)
    } else {
        ("400 Bad Request", String::new(), "")
    };
    // To HEAD an answer has no body.
    let shown = if request.starts_with("HEAD ") { "" } else { body };
    write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{shown}", body.len())
}
