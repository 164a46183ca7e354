//! What a Service and kube-proxy are to pods: one address, behind it the replicas that are ready.

use anyhow::{Context as _, Result};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// A replica: where it serves, where it tells whether it is ready, and what it told last.
#[derive(Clone, Debug)]
struct Endpoint {
    serving: SocketAddr,
    admin: SocketAddr,
    is_ready: bool,
}

/// The address of all replicas. It lives as long as the test.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) port: u16,
    endpoints: Arc<Mutex<Vec<Endpoint>>>,
}

impl Front {
    pub(super) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("listen in front of the replicas")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let endpoints: Arc<Mutex<Vec<Endpoint>>> = Arc::default();
        let shared = Arc::clone(&endpoints);
        thread::spawn(move || podsight_runtime::block_on(serve(listener, shared)));
        Ok(Self { port, endpoints })
    }

    pub(super) fn add(&self, serving: SocketAddr, admin: SocketAddr) {
        lock(&self.endpoints).push(Endpoint { serving, admin, is_ready: false });
    }

    pub(super) fn remove(&self, serving: SocketAddr) {
        lock(&self.endpoints).retain(|endpoint| endpoint.serving != serving);
    }

    /// How many replicas are ready.
    pub(super) fn ready(&self) -> usize {
        lock(&self.endpoints).iter().filter(|endpoint| endpoint.is_ready).count()
    }
}

fn lock(endpoints: &Mutex<Vec<Endpoint>>) -> std::sync::MutexGuard<'_, Vec<Endpoint>> {
    endpoints.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: std::net::TcpListener, endpoints: Arc<Mutex<Vec<Endpoint>>>) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    tokio::spawn(probe(Arc::clone(&endpoints)));
    let mut turn = 0_usize;
    loop {
        let (mut client, _) = listener.accept().await?;
        let ready: Vec<SocketAddr> =
            lock(&endpoints).iter().filter(|endpoint| endpoint.is_ready).map(|endpoint| endpoint.serving).collect();
        turn = turn.wrapping_add(1);
        let chosen = ready.get(turn.checked_rem(ready.len()).unwrap_or_default()).copied();
        tokio::spawn(async move {
            // Without a replica the connection is closed, as where nobody listens.
            let Some(address) = chosen else { return };
            if let Ok(mut replica) = TcpStream::connect(address).await {
                drop(copy_bidirectional(&mut client, &mut replica).await);
            }
        });
    }
}

/// Asks every replica now and then, as the kubelet does.
async fn probe(endpoints: Arc<Mutex<Vec<Endpoint>>>) {
    loop {
        let asked: Vec<Endpoint> = lock(&endpoints).clone();
        for endpoint in asked {
            let answer = async { podsight_tests::client::Client::plain(endpoint.admin).await?.get("/readyz").await }.await;
            let is_ready = answer.is_ok_and(|answer| answer.status == 200);
            if let Some(known) = lock(&endpoints).iter_mut().find(|known| known.serving == endpoint.serving) {
                known.is_ready = is_ready;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
}
