//! The webhook, and how the API server is told to ask it.

use crate::finding::{Check, Finding, Report as _};
use crate::seen::{Read, Seen, is_ready, list, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// A longer wait is felt by everybody.
const TIMEOUT_MAX_SECONDS: u64 = 5;

pub(crate) fn judge(seen: &Seen, findings: &mut Vec<Finding>) {
    judge_versions(seen, findings);
    if is_off(seen) {
        return;
    }
    if seen.validating == Read::Missing {
        findings.report(Check::ConfigurationMissing, "validatingwebhookconfiguration/podsight-webhook", "");
    }
    for (kind, read) in [("validatingwebhookconfiguration", &seen.validating), ("mutatingwebhookconfiguration", &seen.mutating)] {
        let Some(configuration) = read.value() else { continue };
        let object = format!("{kind}/{}", text(configuration, "/metadata/name"));
        for call in list(configuration, "/webhooks") {
            judge_call(seen, call, &object, findings);
        }
    }
    if seen.service == Read::Missing {
        findings.report(Check::ServiceMissing, "service/podsight-webhook", "");
    }
    if seen.deployment == Read::Missing {
        findings.report(Check::WebhookMissing, "deployment/podsight-webhook", "");
    } else if seen.pods.value().is_some() {
        judge_pods(seen, findings);
    }
    for policy in seen.network_policies.items() {
        if is_blocking(policy) {
            let name = text(policy, "/metadata/name");
            findings.report(Check::NetworkBlocked, format!("networkpolicy/{name}"), name);
        }
    }
    if seen.is_warned == Some(false) {
        findings.report(Check::NoWarning, "pod/podsight-doctor", "");
    }
}

/// Whether the agent alone is installed: nothing of the webhook is there, and the agent is.
pub(crate) fn is_off(seen: &Seen) -> bool {
    [&seen.validating, &seen.mutating, &seen.service, &seen.deployment].iter().all(|read| **read == Read::Missing)
        && seen.daemon_set.value().is_some()
        && seen.pods_of("webhook").is_empty()
}

fn judge_call(seen: &Seen, call: &Value, object: &str, findings: &mut Vec<Finding>) {
    let name = text(call, "/name");
    // `Fail` is what the API server takes where nothing is said.
    if text(call, "/failurePolicy") != "Ignore" {
        findings.report(Check::FailurePolicyFail, object, name);
    }
    let timeout = call.get("timeoutSeconds").and_then(Value::as_u64).unwrap_or(10);
    if timeout > TIMEOUT_MAX_SECONDS {
        findings.report(Check::Timeout, object, timeout.to_string());
    }
    if selects(call.get("namespaceSelector"), &seen.namespace) {
        findings.report(Check::OwnNamespace, object, name);
    }
}

/// Whether a selector of namespaces takes the one of this name, as far as its name decides.
fn selects(selector: Option<&Value>, namespace: &str) -> bool {
    let Some(selector) = selector else { return true };
    let of_name = "kubernetes.io/metadata.name";
    if selector.pointer("/matchLabels/kubernetes.io~1metadata.name").is_some_and(|wanted| wanted != namespace) {
        return false;
    }
    // Labels of other names are asked for: podsight's own namespace has none of them.
    if selector.get("matchLabels").and_then(Value::as_object).is_some_and(|labels| labels.keys().any(|key| key != of_name)) {
        return false;
    }
    !list(selector, "/matchExpressions").iter().any(|expression| {
        let is_listed = list(expression, "/values").iter().any(|value| value == namespace);
        match (text(expression, "/key") == of_name, text(expression, "/operator")) {
            (true, "NotIn") => is_listed,
            (true, "In") => !is_listed,
            (true, operator) => operator == "DoesNotExist",
            (false, operator) => operator == "In" || operator == "Exists",
        }
    })
}

fn judge_pods(seen: &Seen, findings: &mut Vec<Finding>) {
    let pods = seen.pods_of("webhook");
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    match ready {
        0 => {
            let why = pods.first().map_or_else(|| "there are no pods".to_owned(), |pod| crate::agent::why_not_ready(pod));
            findings.report(Check::WebhookUnready, "deployment/podsight-webhook", why);
        }
        1 => findings.report(Check::FewReplicas, "deployment/podsight-webhook", "1"),
        _ => {}
    }
}

/// Whether a policy isolates the webhook's pods and lets nobody in at its port.
fn is_blocking(policy: &Value) -> bool {
    let selector = policy.pointer("/spec/podSelector/matchLabels").and_then(Value::as_object);
    let is_for_webhook = selector.is_none_or(|labels| {
        labels.iter().all(|(key, value)| match key.as_str() {
            "app.kubernetes.io/component" => value == "webhook",
            "app.kubernetes.io/name" | "app.kubernetes.io/instance" | "app.kubernetes.io/part-of" => value == "podsight",
            _ => false,
        })
    });
    let types = list(policy, "/spec/policyTypes");
    let is_ingress = types.is_empty() || types.iter().any(|kind| kind == "Ingress");
    let lets_in = list(policy, "/spec/ingress").iter().any(|rule| {
        let ports = list(rule, "/ports");
        ports.is_empty() || ports.iter().any(|port| port.get("port").is_none_or(|port| *port == 8443 || port == "https"))
    });
    is_for_webhook && is_ingress && !lets_in
}

fn judge_versions(seen: &Seen, findings: &mut Vec<Finding>) {
    let mut versions: BTreeSet<&str> = seen
        .pods
        .items()
        .filter(|pod| ["webhook", "agent"].contains(&text(pod, "/metadata/labels/app.kubernetes.io~1component")))
        .map(|pod| text(pod, "/metadata/labels/app.kubernetes.io~1version"))
        .filter(|version| !version.is_empty())
        .collect();
    if !versions.is_empty() && !seen.version.is_empty() {
        versions.insert(&seen.version);
    }
    if versions.len() > 1 {
        let all: Vec<&str> = versions.into_iter().collect();
        findings.report(Check::VersionsMixed, format!("namespace/{}", seen.namespace), all.join(", "));
    }
    let number = |key: &str| {
        let digits: String = text(seen.server.value()?, key).chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    if let (Some(major), Some(minor)) = (number("/major"), number("/minor"))
        && (major, minor) < (1, 30)
        && seen.daemon_set != Read::Missing
    {
        findings.report(Check::ServerOld, "version", format!("{major}.{minor}"));
    }
}
