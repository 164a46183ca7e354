//! The agent, node by node.

use crate::finding::{Check, Finding, Report as _};
use crate::seen::{Read, Seen, is_ready, list, text};
use serde_json::Value;

/// More nodes than this are not listed one by one.
const NODES_SHOWN: usize = 20;

pub(crate) fn judge(seen: &Seen, findings: &mut Vec<Finding>) {
    if seen.daemon_set == Read::Missing {
        findings.report(Check::AgentMissing, "daemonset/podsight-agent", "");
        return;
    }
    if seen.pods.value().is_none() {
        return;
    }
    let agents = seen.pods_of("agent");
    let mut without: Vec<(String, String)> = Vec::new();
    for node in seen.nodes.items() {
        let name = text(node, "/metadata/name");
        if !is_for(node) {
            continue;
        }
        let here: Vec<&&Value> = agents.iter().filter(|pod| text(pod, "/spec/nodeName") == name || is_meant_for(pod, name)).collect();
        if !here.iter().any(|pod| is_ready(pod)) {
            let why = here.first().map_or_else(|| no_pod(node), |pod| why_not_ready(pod));
            without.push((format!("node/{name}"), why));
        }
    }
    let more = without.len().saturating_sub(NODES_SHOWN);
    for (object, why) in without.into_iter().take(NODES_SHOWN) {
        findings.report(Check::AgentNotOnNode, object, why);
    }
    if more > 0 {
        findings.report(Check::AgentNotOnNode, "nodes", format!("+{more}"));
    }
}

/// Whether the agent is to run on a node: the selector and the affinity of its manifest.
fn is_for(node: &Value) -> bool {
    let label = |key: &str| node.pointer("/metadata/labels").and_then(|labels| labels.get(key)).and_then(Value::as_str);
    label("kubernetes.io/os") == Some("linux")
        && label("type") != Some("virtual-kubelet")
        && label("eks.amazonaws.com/compute-type") != Some("fargate")
}

/// Whether a pod that has no node yet is meant for this one: the `DaemonSet` controller says so by an affinity.
fn is_meant_for(pod: &Value, node: &str) -> bool {
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    text(pod, "/spec/nodeName").is_empty()
        && list(pod, terms)
            .iter()
            .flat_map(|term| list(term, "/matchFields"))
            .any(|field| text(field, "/key") == "metadata.name" && list(field, "/values").iter().any(|value| value == node))
}

fn no_pod(node: &Value) -> String {
    let is_node_ready = list(node, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True");
    if is_node_ready { "no pod was made for it".to_owned() } else { "the node is not ready".to_owned() }
}

/// Why a pod is not ready, in the words of its status.
pub(crate) fn why_not_ready(pod: &Value) -> String {
    let statuses = list(pod, "/status/initContainerStatuses").iter().chain(list(pod, "/status/containerStatuses"));
    for status in statuses {
        for state in ["/state/waiting", "/state/terminated", "/lastState/terminated"] {
            let reason = text(status, &format!("{state}/reason"));
            let message = text(status, &format!("{state}/message"));
            if !reason.is_empty() && reason != "Completed" {
                return if message.is_empty() { reason.to_owned() } else { format!("{reason}: {}", first_line(message)) };
            }
        }
    }
    for condition in list(pod, "/status/conditions") {
        if text(condition, "/status") == "False" && !text(condition, "/message").is_empty() {
            return format!("{}: {}", text(condition, "/reason"), first_line(text(condition, "/message")));
        }
    }
    let phase = text(pod, "/status/phase");
    if phase.is_empty() { "no status yet".to_owned() } else { phase.to_owned() }
}

/// The beginning of a message, on one line.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|character| !character.is_control()).take(160).collect()
}
