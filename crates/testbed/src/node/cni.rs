//! The pods' network: a veth pair and a host route a pod (`ptp`), addresses from a subnet of this testbed's own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

/// Writes the configuration of a network of this machine to `<node>/cni/`.
pub(super) fn write(node: &Path, id: &str) -> Result<()> {
    let routes = fs::read_to_string("/proc/net/route").context("read /proc/net/route")?;
    let subnet = free_subnet(id, &routes).context("no 10.x.y.0/24 is free of routes for the pods' network")?;
    let folder = node.join("cni");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    fs::write(folder.join("10-podsight.conflist"), configuration(id, &subnet, &node.join("addresses")))
        .context("write the CNI configuration")
}

/// The text of a network's configuration; given addresses are remembered below `addresses`.
pub fn configuration(name: &str, subnet: &str, addresses: &Path) -> String {
    json!({
        "cniVersion": "0.4.0",
        "name": name,
        "plugins": [{"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "subnet": subnet, "dataDir": addresses}}],
    })
    .to_string()
}

/// A `10.x.y.0/24` that no route of this machine touches; two testbeds begin at two places.
fn free_subnet(id: &str, routes: &str) -> Option<String> {
    let seed = id.bytes().fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    (0..u16::MAX).map(|step| seed.wrapping_add(step).to_be_bytes()).map(|[x, y]| [10, x, y, 0]).find_map(|network| {
        let taken = routes.lines().skip(1).filter_map(route).any(|(target, mask)| overlaps(u32::from_be_bytes(network), target, mask));
        let [a, b, c, d] = network;
        (!taken).then(|| format!("{a}.{b}.{c}.{d}/24"))
    })
}

/// Target and mask of a line of `/proc/net/route` (hexadecimal, in the order of the machine's bytes).
fn route(line: &str) -> Option<(u32, u32)> {
    let mut fields = line.split_ascii_whitespace();
    let target = u32::from_str_radix(fields.nth(1)?, 16).ok()?;
    let mask = u32::from_str_radix(fields.nth(5)?, 16).ok()?;
    Some((u32::from_be_bytes(target.to_ne_bytes()), u32::from_be_bytes(mask.to_ne_bytes())))
}

fn overlaps(network: u32, target: u32, mask: u32) -> bool {
    // The default route reaches everything and reserves nothing.
    let shared = mask & 0xffff_ff00;
    mask != 0 && network & shared == target & shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subnet_avoids_routes() {
        let header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
        let default = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        let first = free_subnet("podsight-x", &format!("{header}{default}")).unwrap();
        let mut octets = first.split('.').map(|octet| octet.parse::<u8>().unwrap_or(0));
        let (a, b, c) = (octets.next().unwrap(), octets.next().unwrap(), octets.next().unwrap());
        let taken =
            format!("{header}{default}veth1\t{:08X}\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n", u32::from_ne_bytes([a, b, c, 7]));
        let second = free_subnet("podsight-x", &taken).unwrap();
        assert!(first.starts_with("10.") && first.ends_with(".0/24") && second != first, "{first} {second}");
        let all = format!(
            "{header}vpn\t{:08X}\t00000000\t0005\t0\t0\t0\t{:08X}\t0\t0\t0\n",
            u32::from_ne_bytes([10, 0, 0, 0]),
            u32::from_ne_bytes([255, 0, 0, 0])
        );
        assert_eq!(free_subnet("podsight-x", &all), None);
    }
}
