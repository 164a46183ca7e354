//! `dependency-unavailable`

use super::prelude::*;

const SAYS: [&str; 29] = [
    "connection refused",
    "econnrefused",
    "no such host",
    "enotfound",
    "name or service not known",
    "temporary failure in name resolution",
    "could not translate host name",
    "i/o timeout",
    "connection timed out",
    "etimedout",
    "connect timeout",
    "no route to host",
    "network is unreachable",
    "connection reset by peer",
    "leader election lost",
    "leaderelection lost",
    "lost leader election",
    "lost lease",
    "failed to renew lease",
    "failed to acquire lease",
    "etcdserver:",
    "server is currently unable",
    "could not connect to",
    "unable to connect to",
    "failed to connect to",
    "can't connect to",
    "cannot connect to",
    "context deadline exceeded",
    "timed out waiting for",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container, end) in case.exited() {
        if end.clean() || end.oom_killed() || end.code.is_some_and(|code| code > 128 && code != 255) {
            continue;
        }
        let Some(quote) = case.texts(container).iter().find(|quote| quote.source == Source::Pod && quote.has_words(&SAYS)) else {
            continue;
        };
        let name = named(case, container);
        let holds = |line: &&str| crate::quote::holds_words(&line.to_lowercase(), &SAYS);
        let line = shown(quote.text.lines().rev().find(holds).unwrap_or(&quote.text));
        let mut candidate = case
            .candidate(
                Cause::DependencyUnavailable,
                Level::Container(rank),
                79,
                if quote.has_words(&["refused", "econnrefused", "leader", "leaderelection", "lease", "no such host"]) {
                    High
                } else {
                    Medium
                },
            )
            .of(container)
            .end(end)
            .quote(quote)
            .say(say!(
                case,
                "Another service that the program in {name} needs did not answer: {line}",
                "{name} 中的程序依赖的另一个服务没有响应：{line}"
            ));
        if container.running && container.ready {
            candidate = candidate.against(say!(case, "It runs now: the other service came back.", "它现在正常运行：那个服务后来恢复了。"));
        }
        found.push(
            candidate
                .step(case.read(
                    &["get", "services,endpointslices"],
                    say!(case, "Shows whether the service has endpoints that are ready.", "查看该服务是否有就绪的端点。"),
                ))
                .step(case.logs(container, say!(case, "Names the address and how long it was tried.", "会写出地址以及尝试了多久。"))),
        );
    }
}
