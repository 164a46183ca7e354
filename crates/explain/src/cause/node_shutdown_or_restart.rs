//! `node-shutdown-or-restart`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    let stated = matches!(case.pod.reason.as_str(), "Terminated" | "Shutdown" | "NodeShutdown");
    let quote = case.pod_text(&["node shutdown", "node is shutting", "imminent node shutdown", "rejected as the node is shutting down"]);
    if stated || quote.is_some() {
        let (node, left_over) = (node_name(case), left_over(case));
        let mut candidate =
            case.candidate(Cause::NodeShutdownOrRestart, Level::Pod, 93, if quote.is_some() { High } else { Medium }).ended(case);
        if stated {
            candidate = candidate.fact(Case::fact("/status/reason", case.pod.reason.clone()));
        }
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        found.push(
            candidate
                .say(say!(case, "The node{node} was being shut down: the kubelet ended the pod or refused it. Ordinary for spot and preemptible nodes. {left_over}", "节点{node}正在关机：kubelet 终止或拒绝了该 Pod。对竞价和抢占式节点属正常现象。{left_over}"))
                .step(case.read_cluster(&["get", "node", case.pod.node, "-o", "wide"], say!(case, "Shows whether the node is back.", "查看节点是否已恢复。"))),
        );
    }
    for (killed, candidate) in killed(case, Cause::NodeShutdownOrRestart) {
        let name = named(case, killed.container);
        let node = node_name(case);
        let mut candidate = candidate;
        if killed.verdict.confidence != High {
            candidate = candidate.against(say!(
                case,
                "Probable, not proven: the program can end with this code by itself.",
                "可能性大但未证实：程序自己也可能以这个码退出。"
            ));
        }
        found.push(
            candidate
                .say(say!(case, "{name} went down with its node{node} or with the container runtime, not by its own fault: the code does not come from the program.", "{name} 是随节点{node}或容器运行时一起停止的，并非自身故障：退出码不是程序给出的。"))
                .step(case.read_cluster(&["get", "node", case.pod.node, "-o", "jsonpath={.status.nodeInfo.bootID} {.status.conditions[?(@.type==\"Ready\")].lastTransitionTime}"], say!(case, "Shows when the node became ready last: compare with the time of the end.", "显示节点最近一次就绪的时间：与结束时间对照。")))
                .step(case.read_cluster(&["get", "events", "-A", "--field-selector", "reason=Rebooted"], say!(case, "Lists restarts of nodes that are still on record.", "列出仍有记录的节点重启。"))),
        );
    }
}
