//! `run-as-nonroot-violation`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.configuring().chain(case.starting()) {
        let Some(quote) = case.text(container, &["runasnonroot", "breaks non-root policy", "non-numeric user"]) else { continue };
        let image = image_of(case, container);
        let summary = if quote.has(&["non-numeric user"]) {
            let user = quote.between("non-numeric user (", ")").map(shown).unwrap_or_default();
            say!(
                case,
                "runAsNonRoot is set, and `{image}` names its user ({user}) by name: the kubelet cannot tell whether that is root. Set runAsUser to its number.",
                "设置了 runAsNonRoot，而“{image}”用名字（{user}）指定用户，kubelet 无法判断它是否为 root。请把 runAsUser 设为对应的数字。"
            )
        } else if quote.has(&["runasuser breaks"]) {
            say!(
                case,
                "runAsNonRoot is set together with runAsUser 0: the spec contradicts itself.",
                "同时设置了 runAsNonRoot 和 runAsUser 0：规约自相矛盾。"
            )
        } else {
            say!(
                case,
                "runAsNonRoot is set, and `{image}` runs as root. Set runAsUser to a user that the image can run as, or use an image that has one.",
                "设置了 runAsNonRoot，而“{image}”以 root 运行。请把 runAsUser 设为镜像可用的用户，或换用非 root 的镜像。"
            )
        };
        found.push(
            case.candidate(Cause::RunAsNonrootViolation, Level::Container(rank), 96, High).of(container).quote(quote).say(summary).step(
                case.read(
                    &["get", "pod", case.pod.name, "-o", "jsonpath={.spec.securityContext} {.spec.containers[*].securityContext}"],
                    say!(
                        case,
                        "Shows where runAsNonRoot and runAsUser are set: on the pod or on the container.",
                        "查看 runAsNonRoot 和 runAsUser 设置在 Pod 还是容器上。"
                    ),
                ),
            ),
        );
    }
}
