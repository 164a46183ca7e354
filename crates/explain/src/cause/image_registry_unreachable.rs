//! `image-registry-unreachable`

use super::prelude::*;

const SAYS: [&str; 19] = [
    "proxy authentication required",
    "\": eof",
    "no such host",
    "i/o timeout",
    "context deadline exceeded",
    "connection refused",
    "no route to host",
    "network is unreachable",
    "connection reset by peer",
    "connection timed out",
    "server misbehaving",
    "registry is unavailable",
    "tls handshake timeout",
    "request canceled while waiting for connection",
    "client.timeout exceeded",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway timeout",
    "500 internal server error",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        // The runtime's own socket may be what refuses.
        let quote = case.text(container, &SAYS).filter(|quote| !quote.has(&["containerd.sock", "crio.sock", "dockerd.sock"]));
        let stated = container.waiting == "RegistryUnavailable";
        if quote.is_none() && !stated {
            continue;
        }
        let image = image_of(case, container);
        let host = shown(registry(container.image()));
        let dns = quote.is_some_and(|quote| quote.has(&["no such host", "server misbehaving"]));
        let summary = if dns {
            say!(
                case,
                "The node cannot resolve the name of the registry {host}: a typing error in `{image}`, or the node's DNS.",
                "节点无法解析镜像仓库域名 {host}：“{image}”写错，或节点的 DNS 有问题。"
            )
        } else {
            say!(
                case,
                "The node cannot reach the registry {host} for `{image}`: network, proxy, firewall, or the registry is down.",
                "节点连不上镜像仓库 {host}（“{image}”）：网络、代理、防火墙有问题，或仓库已停止服务。"
            )
        };
        let mut candidate = case.candidate(Cause::ImageRegistryUnreachable, Level::Container(rank), 89, High).of(container).say(summary);
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        if stated {
            candidate = candidate.fact(Case::fact(format!("{}/state/waiting/reason", container.status_pointer), "RegistryUnavailable"));
        }
        found.push(candidate.step(case.read_cluster(
            &["get", "events", "-A", "--field-selector", "reason=Failed"],
            say!(case, "Shows whether other pods and nodes fail to pull from there too: then it is the registry or the network, not this image.", "查看其他 Pod 和节点是否也拉取失败：若是，则问题在仓库或网络，而不在这个镜像。"),
        )).step(node_step(case)));
    }
}
