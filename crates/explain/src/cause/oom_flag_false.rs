//! `oom-flag-false`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::OomFlagFalse) {
        let name = named(case, killed.container);
        let code = killed.end.code.map_or_else(|| "?".to_owned(), |code| code.to_string());
        // The end has another cause: the probe's timing is worth a look.
        let other = crate::probe::fit(case, killed.container, killed.end).and_then(|fit| match fit {
            crate::probe::Fit::Exact(evidence) => Some(evidence),
            crate::probe::Fit::Possible(_) => None,
        });
        let mut candidate = candidate.killed_by(Some(if other.is_some() { Cause::ProbeKill } else { Cause::OomFlagFalse }));
        if let Some(evidence) = other {
            candidate = candidate.facts(evidence);
        }
        found.push(
            candidate
                .say(say!(case, "The runtime says OOMKilled for {name}, but exit code {code} and the records do not fit: the flag is left from an earlier kill of a child, and this end has another cause. More memory will not prevent it.", "运行时报告 {name} OOMKilled，但退出码 {code} 和记录不相符：该标记来自更早一次子进程被杀，这次结束另有原因。增加内存无济于事。"))
                .step(case.pod_events(say!(case, "A Killing event says who stopped it.", "Killing 事件会写明是谁停止了它。")))
                .step(case.logs(killed.container, say!(case, "Shows whether it was asked to stop.", "查看它是否收到了停止请求。"))),
        );
    }
}
