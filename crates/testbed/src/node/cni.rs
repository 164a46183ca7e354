//! The pods' network: a veth pair and a host route a pod (`ptp`), addresses from a subnet of this testbed's own.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::routes::Routes;
use crate::service::{NETWORKS, Service};

/// Writes the configuration of a network of this machine to `<node>/cni/`.
pub(super) fn write(node: &Path, id: &str, service: Option<Service>) -> Result<()> {
    let subnet = free_subnet(id, &Routes::read()?).context("no 10.x.y.0/24 is free of routes for the pods' network")?;
    let folder = node.join("cni");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(folder.join("10-podsight.conflist"), configuration(id, &subnet, &node.join("addresses"), service))
        .context("write the CNI configuration")
}

/// The text of a network's configuration; given addresses are remembered below `addresses`. Pods reach each other and, if there is one, the API server's
/// Service, and nothing else.
pub fn configuration(name: &str, subnet: &str, addresses: &Path, service: Option<Service>) -> String {
    let routes: Vec<Value> = service.map(|service| json!({"dst": service.range()})).into_iter().collect();
    json!({
        "cniVersion": "0.4.0",
        "name": name,
        "plugins": [{"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "subnet": subnet, "dataDir": addresses, "routes": routes}}],
    })
    .to_string()
}

/// A `10.x.y.0/24` that no route of this machine touches; two testbeds begin at two places.
fn free_subnet(id: &str, routes: &Routes) -> Option<String> {
    let seed = id.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let networks = (0..u16::MAX).map(|step| seed.wrapping_add(step).to_be_bytes()).map(|[x, y]| Ipv4Addr::new(10, x, y, 0));
    // The addresses of Services are in no route.
    let mut free = networks.filter(|network| !NETWORKS.contains(&network.octets()[1]) && !routes.touch(*network, 24));
    free.next().map(|network| format!("{network}/24"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    #[test]
    fn the_subnet_avoids_routes() {
        let default = ([0; 4], [0; 4]);
        let first = free_subnet("podsight-x", &routes::of(&[default])).unwrap();
        let mut octets = first.split('.').map(|octet| octet.parse::<u8>().unwrap_or(0));
        let (a, b, c) = (octets.next().unwrap(), octets.next().unwrap(), octets.next().unwrap());
        let second = free_subnet("podsight-x", &routes::of(&[default, ([a, b, c, 7], [255; 4])])).unwrap();
        assert!(first.starts_with("10.") && first.ends_with(".0/24") && second != first, "{first} {second}");
        assert_eq!(free_subnet("podsight-x", &routes::of(&[([10, 0, 0, 0], [255, 0, 0, 0])])), None);
    }
}
