//! An HTTP/1.1 client that can misbehave: it sends the bytes that it is given.

use crate::authority::SERVER_NAME;
use anyhow::{Context as _, Result, bail};
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Whether the server closes the connection after it.
    pub close: bool,
    /// The body.
    pub body: String,
}

/// One connection.
#[derive(Debug)]
pub struct Client<S> {
    /// The stream.
    pub stream: S,
    buffer: Vec<u8>,
}

impl Client<TcpStream> {
    /// Connects without TLS.
    pub async fn plain(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("failed to connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }
}

impl Client<TlsStream<TcpStream>> {
    /// Connects over TLS.
    pub async fn tls(address: SocketAddr, config: &Arc<ClientConfig>) -> Result<Self> {
        let stream = Client::plain(address).await?.stream;
        let name = ServerName::try_from(SERVER_NAME)?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await.context("the TLS handshake failed")?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// The certificate that the server showed.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        Some(self.stream.get_ref().1.peer_certificates()?.first()?.clone().into_owned())
    }
}

impl<S: AsyncRead + Unpin> Client<S> {
    /// A client over any stream, or over its reading half.
    pub fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Reads one answer.
    pub async fn response(&mut self) -> Result<Response> {
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8(self.buffer.drain(..head_end).collect())?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let field = |name: &str| head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()));
        let length: usize = field("content-length").context("no length")?.parse()?;
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let body = String::from_utf8(self.buffer.drain(..length).collect())?;
        Ok(Response { status, close: field("connection").as_deref() == Some("close"), body })
    }

    async fn fill(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await.context("failed to read")? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Sends a GET request and reads the answer.
    pub async fn get(&mut self, path: &str) -> Result<Response> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {SERVER_NAME}\r\n\r\n").as_bytes()).await?;
        self.response().await
    }

    /// Sends a POST request and reads the answer.
    pub async fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> Result<Response> {
        self.send(&request(path, body.as_ref())).await?;
        self.response().await
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await.context("failed to send")?;
        self.stream.flush().await.context("failed to send")
    }

    /// Waits until the server closes the connection; an error if it sends something first.
    pub async fn closed(&mut self) -> Result<()> {
        let mut byte = [0];
        match self.stream.read(&mut byte).await {
            Ok(0) | Err(_) => Ok(()),
            Ok(_) => bail!("the server sent something"),
        }
    }
}

/// A POST request as an API server sends it.
pub fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path}?timeout=2s HTTP/1.1\r\nHost: {SERVER_NAME}:443\r\nUser-Agent: kube-apiserver-admission\r\n\
         Content-Length: {length}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
