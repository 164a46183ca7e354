//! `unschedulable-device`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let Some((quote, weight, reasons)) = scheduling(case, &["cannot allocate all claims"], &[]).or_else(|| extended(case)) else { return };
    found.push(
        case.candidate(Cause::UnschedulableDevice, Level::Pod, weight, High)
            .quote(quote)
            .say(say!(case, "No node offers enough free devices for the pod: {reasons}. All are taken, the device plugin does not run, or no node has any.", "没有节点能提供足够的空闲设备：{reasons}。可能已被占满、设备插件没有运行，或没有节点具备该设备。"))
            .step(case.read_cluster(&["get", "nodes", "-o", "custom-columns=NAME:.metadata.name,ALLOCATABLE:.status.allocatable"], say!(case, "Shows which node offers the device, and how many.", "查看哪些节点提供该设备、各有多少。"))),
    );
}

/// `Insufficient vendor.com/device`.
fn extended<'c>(case: &'c Case<'_>) -> Option<(&'c Quote, u8, String)> {
    let quote = scheduler_text(case)?;
    let parts: Vec<_> = reasons(&quote.text)
        .into_iter()
        .filter(|(_, text)| text.to_lowercase().strip_prefix("insufficient ").is_some_and(|resource| resource.contains('/')))
        .collect();
    weigh(quote, &parts)
}
