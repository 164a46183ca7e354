//! The catalogue of rules: a workload in, findings out.

mod bundle;
mod catalogue;
mod facts;
mod filled;
mod finding;
mod keys;
mod missing;
mod near;
mod pages;
mod pod_security;
mod reference;
mod resources;
mod rule;
mod text;
mod whole;

mod admission;
mod command;
mod configuration;
mod image;
mod lifecycle;
mod memory;
mod probe;
mod runtime;
mod scheduling;
mod security;

pub use bundle::{Bundle, Folder, bundle_of};
pub use catalogue::{RULES, rule};
pub use facts::{
    Claim, Facts, ImageAnswer, Known, Level, LimitRange, LimitRangeItem, LimitType, NoFacts, Node, PodSecurity, Presence, RefKind,
    ResourceQuota, Resources, Scope, Taint,
};
pub use finding::{Certainty, Finding, Fix};
pub use keys::keys_of;
pub use memory::limit_known_too_small::LIMIT_KNOWN_TOO_SMALL;
pub use near::is_near;
pub use pages::{page, pages};
pub use reference::{Reference, Use, references};
pub use rule::{Rule, Subject};
pub use text::shown;

use podsight_spec::Workload;
use serde_json::Value;

/// The annotation that turns rules off for one object: their ids with commas between them, or `all`.
pub const IGNORE_ANNOTATION: &str = "podsight.dev/ignore";

/// All findings of a workload that need nothing but the object itself, in the order of the catalogue and of the containers.
/// The annotation `podsight.dev/ignore` is honoured.
pub fn check(workload: &Workload<'_>) -> Vec<Finding> {
    check_with(workload, &NoFacts)
}

/// All findings of a workload, with what is known of other objects.
pub fn check_with(workload: &Workload<'_>, facts: &dyn Facts) -> Vec<Finding> {
    check_at_least(workload, facts, Certainty::Hint)
}

/// The findings of the rules that can be as sure as this, with what is known of other objects. Who shows no hints need not look for them.
pub fn check_at_least(workload: &Workload<'_>, facts: &dyn Facts, least: Certainty) -> Vec<Finding> {
    let containers = workload.containers();
    let subject = Subject { workload, containers: &containers, facts };
    let mut findings = Vec::new();
    let validated = facts.is_validated() && is_validated_kind(workload);
    for rule in RULES.iter().filter(|rule| rule.certainty() >= least && !(validated && catalogue::is_validation(rule.id()))) {
        rule.check(&subject, &mut findings);
    }
    if !findings.is_empty() {
        findings.retain(|finding| !is_ignored(workload, finding.rule) && !filled::is_later(workload, &finding.pointer));
    }
    findings
}

/// Whether the API server validates all of the object's pod when it is applied. Older servers leave out the template of a StatefulSet, and what is
/// behind a kind of others nobody validates.
fn is_validated_kind(workload: &Workload<'_>) -> bool {
    matches!(
        (workload.api_version, workload.kind),
        ("v1", "Pod" | "PodTemplate" | "ReplicationController")
            | ("apps/v1", "Deployment" | "ReplicaSet" | "DaemonSet")
            | ("batch/v1", "Job" | "CronJob")
    )
}

/// Whether the object, or its pod template, asks to be spared this rule.
pub fn is_ignored(workload: &Workload<'_>, rule: &str) -> bool {
    let of = |metadata: Option<&Value>| {
        let list = metadata
            .and_then(|metadata| metadata.get("annotations"))
            .and_then(|annotations| annotations.get(IGNORE_ANNOTATION))
            .and_then(Value::as_str);
        list.is_some_and(|list| list.split(',').map(str::trim).any(|id| id == rule || id == "all"))
    };
    of(workload.object.get("metadata")) || of(workload.pod_metadata())
}
