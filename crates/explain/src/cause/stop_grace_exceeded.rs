//! `stop-grace-exceeded`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::StopGraceExceeded) {
        let name = named(case, killed.container);
        let grace = case
            .pod
            .value
            .get_or_null("metadata")
            .integer("deletionGracePeriodSeconds")
            // The kubelet sets it to 0 when all is over.
            .filter(|grace| *grace > 0)
            .or_else(|| case.pod.spec.integer("terminationGracePeriodSeconds"))
            .unwrap_or(30);
        let mut candidate = candidate
            .fact(Case::fact("/spec/terminationGracePeriodSeconds", format!("{grace}s")))
            .say(say!(case, "{name} was asked to stop and was not done after {grace}s, so it was killed (137). It ignores SIGTERM, or its preStop hook takes longer: this is no memory kill.", "{name} 收到停止请求后 {grace} 秒仍未结束，于是被强制杀死（137）。它没有响应 SIGTERM，或 preStop 钩子耗时更长：这不是内存问题。"));
        if let Some((pointer, script)) = shell_script(killed.container) {
            let script = shown(script);
            candidate = candidate.fact(Case::fact(
                pointer,
                say!(
                    case,
                    "a shell as the main process does not pass SIGTERM on: {script}",
                    "作为主进程的 shell 不会转发 SIGTERM：{script}"
                ),
            ));
        }
        found.push(candidate.step(
            case.logs(
                killed.container,
                say!(case, "Shows whether the program noticed the request to stop.", "查看程序是否注意到停止请求。"),
            ),
        ));
    }
}
