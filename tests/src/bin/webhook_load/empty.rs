//! A webhook that answers "allowed" at once, to hold the real one against.

use anyhow::{Context as _, Result};
use podsight_tests::authority::Authority;
use podsight_tests::load::find;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// It serves as long as the program runs.
pub(crate) struct Empty {
    pub(crate) address: SocketAddr,
    /// The authority of its certificate, in PEM.
    pub(crate) authority: String,
}

impl Empty {
    pub(crate) fn start() -> Result<Self> {
        let authority = Authority::new()?;
        let pair = authority.issue_for("127.0.0.1")?;
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).context("read a key")?;
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).context("read a certificate")?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).context("use a certificate")?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("listen")?;
        listener.set_nonblocking(true).context("listen")?;
        let address = listener.local_addr().context("listen")?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        thread::spawn(move || podsight_runtime::block_on(serve(listener, acceptor)));
        Ok(Self { address, authority: authority.certificate() })
    }
}

async fn serve(listener: std::net::TcpListener, acceptor: TlsAcceptor) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (socket, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move { drop(answer(socket, acceptor).await) });
    }
}

/// Answers on one connection until its end.
async fn answer(socket: TcpStream, acceptor: TlsAcceptor) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = acceptor.accept(socket).await?;
    let mut buffer = Vec::new();
    loop {
        let Some((end, uid)) = request(&buffer) else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let body =
            format!(r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{{"uid":"{uid}","allowed":true}}}}"#);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        buffer.drain(..end);
        stream.write_all([head, body].concat().as_bytes()).await?;
        stream.flush().await?;
    }
}

/// Where the first request ends, if it is there whole, and the UID of its review.
fn request(buffer: &[u8]) -> Option<(usize, String)> {
    let head_end = find(buffer, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(buffer.get(..head_end)?).ok()?.to_ascii_lowercase();
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let body = buffer.get(head_end..head_end + length)?;
    // The request's own UID is the first in what the API server sends.
    let rest = body.get(find(body, br#""uid":""#)? + 7..)?;
    Some((head_end + length, String::from_utf8_lossy(rest.split(|&byte| byte == b'"').next()?).into_owned()))
}
