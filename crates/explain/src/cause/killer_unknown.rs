//! `killer-unknown`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (killed, candidate) in killed(case, Cause::KillerUnknown) {
        let name = named(case, killed.container);
        let code = killed.end.code.unwrap_or_default();
        let signal = crate::exit_code::name(code, case.lang);
        let mut candidate = candidate;
        if let Some((pointer, script)) = shell_script(killed.container) {
            let script = shown(script);
            candidate = candidate.fact(Case::fact(
                pointer,
                say!(
                    case,
                    "the main process is a shell, which reports {code} also when only its child was killed: {script}",
                    "主进程是 shell，只有子进程被杀时它也会报告 {code}：{script}"
                ),
            ));
        }
        let summary = if code == 137 {
            say!(
                case,
                "{name} was killed ({signal}), and this input does not show who did it. It is not proven to be a memory kill: do not raise the limit yet.",
                "{name} 被 {signal} 杀死，但输入看不出是谁发的信号。并不能证明是内存问题：先不要调大上限。"
            )
        } else if code == 143 || !(0..=255).contains(&code) || crate::killer::stop_signal(killed.container, killed.end) {
            say!(
                case,
                "{name} was ended by {signal}, and this input does not show who sent it: a deletion, a drain, a probe or something in the container.",
                "{name} 被 {signal} 终止，但输入看不出是谁发的：删除、排空、探针，或容器内的进程。"
            )
        } else {
            say!(
                case,
                "{name} was ended by {signal}, and this input does not show who sent it. Kubernetes sends it only where the image or the pod names it as the stop signal (STOPSIGNAL): then this was an ordinary stop, otherwise look for who does in the container.",
                "{name} 被 {signal} 终止，但输入看不出是谁发的。只有镜像或 Pod 把它指定为停止信号（STOPSIGNAL）时 Kubernetes 才会发送，那就是一次普通停止；否则请在容器内查找是谁发的。"
            )
        };
        found.push(
            candidate
                .say(summary)
                .step(case.pod_events(if case.events.is_empty() {
                    say!(
                        case,
                        "A Killing event names a failed probe or a stop; give the events to podsight with --events.",
                        "Killing 事件会写明探针失败或停止；可用 --events 把事件交给 podsight。"
                    )
                } else {
                    say!(
                        case,
                        "The events here name no probe and no stop; look for older ones before they expire.",
                        "这里的事件没有写明探针失败或停止；趁未过期查看更早的事件。"
                    )
                }))
                .step(
                    case.read_cluster(
                        &["debug", &format!("node/{}", case.pod.node), "-it", "--image=busybox", "--profile=sysadmin", "--", "dmesg"],
                        say!(
                            case,
                            "The kernel's log of the node settles whether it was a memory kill: give it to podsight with --kernel-log.",
                            "节点的内核日志能确定是否因内存被杀：用 --kernel-log 交给 podsight。"
                        ),
                    )
                    .filter(|_| !case.pod.node.is_empty()),
                ),
        );
    }
}
