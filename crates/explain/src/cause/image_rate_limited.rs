//! `image-rate-limited`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        let Some(quote) =
            case.text(container, &["toomanyrequests", "429 too many requests", "too many requests", "pull rate limit", "rate exceeded"])
        else {
            continue;
        };
        let host = shown(registry(container.image()));
        found.push(
            case.candidate(Cause::ImageRateLimited, Level::Container(rank), 96, High)
                .of(container)
                .quote(quote)
                .say(say!(case, "{host} turns the pull away: too many pulls from this account or address. It recovers when the window is over; a pull secret or a mirror raises the limit.", "{host} 拒绝了拉取：该账号或地址的拉取次数过多。过了限流窗口会恢复；使用拉取凭据或镜像代理可提高限额。"))
                .step(case.read(&["get", "serviceaccount", service_account(case), "-o", "jsonpath={.imagePullSecrets}"], say!(case, "Shows whether the pulls are anonymous: anonymous ones share the limit of the node's address.", "查看是否为匿名拉取：匿名拉取共享节点地址的限额。"))),
        );
    }
}
