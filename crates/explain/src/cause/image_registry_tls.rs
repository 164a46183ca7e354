//! `image-registry-tls`

use super::prelude::*;

const SAYS: [&str; 7] = [
    "x509:",
    "server gave http response to https client",
    "tls: failed to verify",
    "tls: handshake failure",
    "first record does not look like a tls handshake",
    "remote error: tls",
    "certificate signed by unknown authority",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        let Some(quote) = case.text(container, &SAYS) else { continue };
        let host = shown(registry(container.image()));
        let summary = if quote.has(&["server gave http response", "does not look like a tls"]) {
            say!(
                case,
                "{host} speaks plain HTTP, and the node expects HTTPS: it has to be configured as an insecure registry on every node, or get a certificate.",
                "{host} 使用明文 HTTP，而节点要求 HTTPS：要么在每个节点上配置为不安全仓库，要么给它配置证书。"
            )
        } else if quote.has(&["unknown authority"]) {
            say!(
                case,
                "The node does not trust the certificate of {host}: its CA is not known there.",
                "节点不信任 {host} 的证书：节点上没有它的 CA。"
            )
        } else if quote.has(&["expired", "not yet valid"]) {
            say!(
                case,
                "The certificate of {host} is expired or not yet valid; check the node's clock too.",
                "{host} 的证书已过期或尚未生效；也请检查节点时钟。"
            )
        } else {
            say!(
                case,
                "TLS with the registry {host} fails: the certificate does not fit the name, or something in between answers instead.",
                "与镜像仓库 {host} 的 TLS 握手失败：证书与域名不符，或中间有别的设备在响应。"
            )
        };
        found.push(
            case.candidate(Cause::ImageRegistryTls, Level::Container(rank), 93, High).of(container).quote(quote).say(summary).step(
                case.read_cluster(
                    &[
                        "debug",
                        &format!("node/{}", case.pod.node),
                        "-it",
                        "--image=busybox",
                        "--",
                        "wget",
                        "-O-",
                        &format!("https://{}/v2/", registry(container.image())),
                    ],
                    say!(case, "Tries the registry from the same node and shows what answers.", "在同一节点上访问该仓库，查看是谁在响应。"),
                )
                .filter(|_| !case.pod.node.is_empty()),
            ),
        );
    }
}
