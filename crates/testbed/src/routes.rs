//! Where this machine sends packets to.

use std::fs;
use std::net::Ipv4Addr;

use anyhow::{Context, Result};

/// The routes of this machine (IPv4).
#[derive(Debug)]
pub struct Routes(String);

impl Routes {
    /// As they are now.
    pub fn read() -> Result<Self> {
        fs::read_to_string("/proc/net/route").map(Self).context("read /proc/net/route")
    }

    /// Whether a route leads into this network of so many bits, or around it.
    pub fn touch(&self, network: Ipv4Addr, bits: u32) -> bool {
        let network_mask = u32::MAX.checked_shl(32 - bits).unwrap_or_default();
        self.0.lines().skip(1).filter_map(route).any(|(target, mask)| {
            let shared = mask & network_mask;
            // The default route reaches everything and reserves nothing.
            mask != 0 && u32::from(network) & shared == target & shared
        })
    }
}

/// Target and mask of a line of `/proc/net/route` (hexadecimal, in the order of the machine's bytes).
fn route(line: &str) -> Option<(u32, u32)> {
    let mut fields = line.split_ascii_whitespace();
    let target = u32::from_str_radix(fields.nth(1)?, 16).ok()?;
    let mask = u32::from_str_radix(fields.nth(5)?, 16).ok()?;
    Some((u32::from_be_bytes(target.to_ne_bytes()), u32::from_be_bytes(mask.to_ne_bytes())))
}

/// Routes as the kernel shows them, of targets and masks.
#[cfg(test)]
pub(crate) fn of(routes: &[([u8; 4], [u8; 4])]) -> Routes {
    let header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n".to_owned();
    Routes(routes.iter().fold(header, |text, (target, mask)| {
        format!("{text}eth0\t{:08X}\t00000000\t0003\t0\t0\t0\t{:08X}\t0\t0\t0\n", u32::from_ne_bytes(*target), u32::from_ne_bytes(*mask))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_touched_from_inside_and_from_outside() {
        let routes = of(&[([0, 0, 0, 0], [0, 0, 0, 0]), ([10, 97, 3, 7], [255; 4]), ([10, 128, 0, 0], [255, 128, 0, 0])]);
        let touched = |network: [u8; 4], bits| routes.touch(network.into(), bits);
        assert!(!touched([10, 96, 0, 0], 16), "the default route reserves nothing");
        assert!(touched([10, 97, 0, 0], 16) && touched([10, 97, 3, 0], 24) && !touched([10, 97, 4, 0], 24));
        assert!(touched([10, 200, 0, 0], 16));
    }
}
