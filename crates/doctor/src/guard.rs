//! The policies that keep the agent's identity in its place.

use crate::finding::{Check, Finding, Report as _};
use crate::seen::{Read, Seen, list, text};
use serde_json::Value;

/// The policies of deploy/policy.
pub(crate) const POLICIES: [&str; 2] = ["podsight-agent", "podsight-agent-events"];

/// How the API server names the identities of pods: this, the namespace, a colon and the `ServiceAccount`.
const SUBJECT: &str = "system:serviceaccount:";

pub(crate) fn judge(seen: &Seen, findings: &mut Vec<Finding>) {
    // Without the kind (before Kubernetes 1.30) there is nothing to be missed: the server's age is a finding of its own.
    if matches!(seen.policies, Read::NotAsked | Read::Refused(_)) || seen.daemon_set == Read::Missing {
        return;
    }
    let bindings =
        |name: &str| -> Vec<&Value> { seen.bindings.items().filter(|binding| text(binding, "/spec/policyName") == name).collect() };
    let policy = |name: &str| seen.policies.items().find(|policy| text(policy, "/metadata/name") == name);
    // An administrator may do without the guard. Half of one is a mistake.
    if POLICIES.iter().all(|name| policy(name).is_none() && bindings(name).is_empty()) {
        return;
    }
    for name in POLICIES {
        let object = format!("validatingadmissionpolicy/{name}");
        let bindings = bindings(name);
        let Some(policy) = policy(name).filter(|_| !bindings.is_empty() || seen.bindings.value().is_none()) else {
            findings.report(Check::GuardMissing, object, name);
            continue;
        };
        if let Some(other) = other_subject(policy, &subject(seen)) {
            findings.report(Check::GuardElsewhere, object.as_str(), format!("{name} ({other})"));
        }
        // `Fail` is what the API server takes where nothing is said.
        if !matches!(text(policy, "/spec/failurePolicy"), "" | "Fail") {
            findings.report(Check::GuardFailsOpen, object.as_str(), name);
        }
        let denies = |binding: &&Value| list(binding, "/spec/validationActions").iter().any(|action| action == "Deny");
        if !bindings.is_empty() && !bindings.iter().any(denies) {
            findings.report(Check::GuardWeak, object, name);
        }
    }
}

/// The agent's identity in this installation.
fn subject(seen: &Seen) -> String {
    let account = seen.daemon_set.value().map(|set| text(set, "/spec/template/spec/serviceAccountName")).unwrap_or_default();
    let account = if account.is_empty() { "podsight-agent" } else { account };
    format!("{SUBJECT}{}:{account}", seen.namespace)
}

/// The identity that a policy is about where that is another one. All its conditions must hold, so that one that names only others is enough.
/// A condition that names none is somebody's own, and nothing is said about it.
fn other_subject<'a>(policy: &'a Value, subject: &str) -> Option<&'a str> {
    list(policy, "/spec/matchConditions").iter().find_map(|condition| {
        let named = subjects(text(condition, "/expression"));
        if named.contains(&subject) { None } else { named.first().copied() }
    })
}

/// The identities that an expression names, each a literal in quotes of either kind.
fn subjects(expression: &str) -> Vec<&str> {
    expression.split(['\'', '"']).filter(|literal| literal.starts_with(SUBJECT) && literal.matches(':').count() == 3).collect()
}
