//! The Service `kubernetes`, by which pods reach the API server: what kube-proxy is to all Services, for this one.
//!
//! Its address is one more of this machine's loopback interface, as kube-proxy has them on an interface of its own in the mode `ipvs`. Pods come to it
//! by their default route, and a program passes their connections on to the API server.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::processes::Processes;
use crate::routes::Routes;
use crate::{command, tools};

/// Which 10.x.0.0/16 may be the Services' network.
pub const NETWORKS: RangeInclusive<u8> = 96..=127;
/// The port of the Service, by which the API server makes it.
const PORT: u16 = 443;

/// The address of the Service `kubernetes`: the first one of the Services' network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    network: Ipv4Addr,
}

impl Service {
    /// Takes an address that nobody has.
    pub fn claim(processes: &mut Processes) -> Result<Self> {
        let busybox = tools::BUSYBOX.require()?;
        let routes = Routes::read()?;
        let mut refused = String::new();
        for service in candidates(&routes) {
            let mut add = ip(&busybox, "add", &service.address().to_string());
            let added = command::output(&mut add)?;
            if added.status.success() {
                processes.record(|state| state.service = Some(service.address().to_string()))?;
                // Who listens at every address has this one, too.
                drop(TcpListener::bind((service.address(), PORT)).with_context(|| format!("listen at {}:{PORT}", service.address()))?);
                return Ok(service);
            }
            // Another testbed may have it.
            refused = added.stderr;
        }
        bail!("no address of 10.96.0.1, 10.97.0.1, … can be had for the Service of the API server: {}", refused.trim())
    }

    /// Its address.
    pub fn address(self) -> Ipv4Addr {
        let [a, b, c, _] = self.network.octets();
        Ipv4Addr::new(a, b, c, 1)
    }

    /// The network of all Services.
    pub fn range(self) -> String {
        format!("{}/16", self.network)
    }

    /// Passes connections on to the API server at `port` of 127.0.0.1; `forward` is the program that does it.
    pub fn start(self, processes: &mut Processes, forward: &Path, port: u16) -> Result<()> {
        let mut command = Command::new(forward);
        command.args([format!("{}:{PORT}", self.address()), format!("127.0.0.1:{port}")]);
        processes.start("service", &mut command).map(drop)
    }
}

/// Gives the address back.
pub fn release(address: &str) -> Result<()> {
    let busybox = tools::BUSYBOX.require()?;
    // Also where the user has asked to stop.
    let removed = ip(&busybox, "del", address).output().context("run busybox")?;
    let shown = Command::new(&busybox).args(["ip", "-4", "addr", "show", "dev", "lo"]).output().context("run busybox")?;
    if String::from_utf8_lossy(&shown.stdout).contains(&format!(" {address}/32 ")) {
        bail!("remove {address} from the loopback interface: {}", String::from_utf8_lossy(&removed.stderr).trim());
    }
    Ok(())
}

/// Networks that no route touches.
fn candidates(routes: &Routes) -> impl Iterator<Item = Service> {
    NETWORKS.map(|second| Service { network: Ipv4Addr::new(10, second, 0, 0) }).filter(|service| !routes.touch(service.network, 16))
}

fn ip(busybox: &Path, verb: &str, address: &str) -> Command {
    let mut command = Command::new(busybox);
    command.args(["ip", "addr", verb, &format!("{address}/32"), "dev", "lo"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    #[test]
    fn a_network_that_is_in_use_is_left_alone() {
        let routes = routes::of(&[([10, 96, 0, 0], [255, 254, 0, 0])]);
        let first = candidates(&routes).next().unwrap();
        assert_eq!((first.address().to_string(), first.range()), ("10.98.0.1".to_owned(), "10.98.0.0/16".to_owned()));
        let all = routes::of(&[([10, 0, 0, 0], [255, 0, 0, 0])]);
        assert_eq!(candidates(&all).next(), None);
    }
}
