//! The agent, node by node.

use crate::finding::{Check, Finding, Report as _};
use crate::guard::POLICIES;
use crate::seen::{Read, Seen, is_ready, list, text};
use serde_json::Value;

/// More nodes than this are not listed one by one.
const NODES_SHOWN: usize = 20;

pub(crate) fn judge(seen: &Seen, findings: &mut Vec<Finding>) {
    if seen.daemon_set == Read::Missing {
        // An administrator may do without the agent. What is left of it says that it was meant to be there.
        if let Some(left) = left_of_it(seen) {
            findings.report(Check::AgentMissing, "daemonset/podsight-agent", left);
        }
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
        // Labels, taints and affinities of all kinds leave nodes out; the controller says whether it wants a pod here.
        if here.is_empty() && seen.daemon_set.value().is_some_and(is_all_placed) {
            continue;
        }
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

/// Whether the controller has made all the pods that it wants, and wants some.
fn is_all_placed(daemon_set: &Value) -> bool {
    let number = |pointer: &str| daemon_set.pointer(pointer).and_then(Value::as_u64);
    let desired = number("/status/desiredNumberScheduled");
    desired.is_some_and(|desired| desired > 0)
        && desired == number("/status/currentNumberScheduled")
        && number("/status/observedGeneration") == number("/metadata/generation")
}

/// What there is of the agent beside its `DaemonSet`.
fn left_of_it(seen: &Seen) -> Option<String> {
    let of = |list: &Read, names: &[&str]| {
        list.items().map(|object| text(object, "/metadata/name")).find(|name| names.contains(name)).map(str::to_owned)
    };
    let pod = seen.pods_of("agent").first().map(|pod| format!("pod/{}", text(pod, "/metadata/name")));
    pod.or_else(|| of(&seen.policies, &POLICIES).map(|name| format!("validatingadmissionpolicy/{name}")))
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
        let waiting = text(status, "/state/waiting/reason");
        // That it waits after a failure says less than the program's own last words. Any other reason to wait is what holds it up now.
        if matches!(waiting, "" | "CrashLoopBackOff")
            && let Some(words) = last_words(status)
        {
            return words;
        }
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

/// What a container said as it ended, now or the last time, with its exit code.
fn last_words(status: &Value) -> Option<String> {
    let ended = ["/state/terminated", "/lastState/terminated"]
        .into_iter()
        .filter_map(|state| status.pointer(state))
        .find(|ended| text(ended, "/reason") != "Completed" && !text(ended, "/message").trim().is_empty())?;
    let message = text(ended, "/message");
    // Of a program that ended by itself it is the end of its log, of one that never began the runtime's own words.
    let line = match text(ended, "/reason") {
        "Error" | "OOMKilled" => message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default(),
        _ => message,
    };
    let line = logged(line).unwrap_or_else(|| first_line(line.trim_start()));
    let code = ended.get("exitCode").and_then(Value::as_i64).map_or_else(String::new, |code| format!(" (exit code {code})"));
    Some(format!("{}{code}: {line}", text(ended, "/reason")))
}

/// A line of a log in JSON, as the programs of podsight write it, as text.
fn logged(line: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let said = ["/message", "/fields/message"].into_iter().map(|pointer| text(&entry, pointer)).find(|said| !said.is_empty())?;
    let why = ["/error", "/fields/error"].into_iter().map(|pointer| text(&entry, pointer)).find(|why| !why.is_empty()).unwrap_or_default();
    Some(first_line(format!("{said} {why}").trim_end()))
}

/// The beginning of a message, on one line.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().filter(|character| !character.is_control()).take(160).collect()
}
