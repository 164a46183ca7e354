//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// `N` different ports of 127.0.0.1 that nobody listened on a moment ago.
pub fn free<const N: usize>() -> Result<[u16; N]> {
    // All are held until the last is found, so that no port comes twice.
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
        *port = listener.local_addr().context("find a free port")?.port();
        held.push(listener);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ports_differ() {
        let [a, b] = super::free::<2>().unwrap();
        assert!(a != b && a != 0 && b != 0);
    }
}
