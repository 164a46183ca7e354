//! `image-signature-rejected`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        let quote = case.text(
            container,
            &[
                "signature validation failed",
                "signaturevalidationfailed",
                "a signature was required",
                "signature could not be verified",
                "signature policy",
                "rejected by policy",
            ],
        );
        if container.waiting != "SignatureValidationFailed" && quote.is_none() {
            continue;
        }
        let image = image_of(case, container);
        let mut candidate = case
            .candidate(Cause::ImageSignatureRejected, Level::Container(rank), 97, High)
            .of(container)
            .fact(Case::fact(format!("{}/state/waiting/reason", container.status_pointer), container.waiting))
            .say(say!(case, "The image policy of the node does not accept the signature of `{image}`: not signed, signed by somebody else, or the policy's key is old.", "节点的镜像策略不接受“{image}”的签名：未签名、由他人签名，或策略中的公钥已过时。"));
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        found.push(
            candidate.step(
                case.read_cluster(
                    &[
                        "debug",
                        &format!("node/{}", case.pod.node),
                        "-it",
                        "--image=busybox",
                        "--",
                        "cat",
                        "/host/etc/containers/policy.json",
                    ],
                    say!(
                        case,
                        "Shows the node's policy: which signer it demands for this registry.",
                        "查看节点的策略：该仓库要求由谁签名。"
                    ),
                )
                .filter(|_| !case.pod.node.is_empty()),
            ),
        );
    }
}
