//! The policies that keep the agent's identity in its place.

use crate::finding::{Check, Finding, Report as _};
use crate::seen::{Read, Seen, list, text};

/// The policies of deploy/policy.
const POLICIES: [&str; 2] = ["podsight-agent", "podsight-agent-events"];

pub(crate) fn judge(seen: &Seen, findings: &mut Vec<Finding>) {
    // Without the kind (before Kubernetes 1.30) there is nothing to be missed: the server's age is a finding of its own.
    if matches!(seen.policies, Read::NotAsked | Read::Refused(_)) || seen.daemon_set == Read::Missing {
        return;
    }
    for name in POLICIES {
        let object = format!("validatingadmissionpolicy/{name}");
        let has_policy = seen.policies.items().any(|policy| text(policy, "/metadata/name") == name);
        let bindings: Vec<_> = seen.bindings.items().filter(|binding| text(binding, "/spec/policyName") == name).collect();
        if !has_policy || (bindings.is_empty() && seen.bindings.value().is_some()) {
            findings.report(Check::GuardMissing, object, name);
        } else if !bindings.is_empty()
            && !bindings.iter().any(|binding| list(binding, "/spec/validationActions").iter().any(|action| action == "Deny"))
        {
            findings.report(Check::GuardWeak, object, name);
        }
    }
}
