//! What is answered to a review, and why. Values in, values out.

use crate::config::{Level, Policy};
use crate::metrics::{Kind, Operation, label};
use crate::object::{self, ObjectError};
use crate::review::{API_VERSION, Review};
use crate::server::Check;
use podsight_rules::{Certainty, Finding};
use podsight_spec::{Workload, workloads};
use serde::Serialize;
use serde_json::Value;

/// An answer to one review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The kind of the object.
    pub kind: Kind,
    /// The operation.
    pub operation: Operation,
    /// Allowed or not, and why.
    pub outcome: Outcome,
    /// What the user is told.
    pub warnings: Vec<String>,
    /// The rules whose findings are told, each once.
    pub rules: Vec<&'static str>,
}

/// Allowed or not, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed.
    Allowed,
    /// Denied, because the configuration wants it so; the text says what and why.
    Denied(String),
    /// Allowed, because it could not be understood.
    NotUnderstood(Reason),
}

label! {
    /// Why a review could not be understood.
    Reason {
        /// The operation has an object, but the review has none.
        NoObject => "no-object",
        /// The object holds nothing like a pod.
        NoPod => "no-pod",
        /// The object holds too many values.
        TooLarge => "too-large",
        /// The object is too deep.
        Unreadable => "unreadable",
        /// A rule panicked.
        Panic => "panic",
    }
}

impl Answer {
    pub(crate) fn plain(kind: Kind, operation: Operation, outcome: Outcome) -> Self {
        Self { kind, operation, outcome, warnings: Vec::new(), rules: Vec::new() }
    }
}

/// Answers a review.
pub(crate) fn answer(review: &Review<'_>, policy: &Policy, check: Check) -> Answer {
    let plain = |outcome| Answer::plain(review.kind, review.operation, outcome);
    // Nothing begins to run by a deletion, a connection or a change of status or scale.
    let begins = matches!(review.operation, Operation::Create | Operation::Update);
    if !begins || !matches!(review.sub_resource.as_str(), "" | "ephemeralcontainers") {
        return plain(Outcome::Allowed);
    }
    let Some(raw) = review.object else { return plain(Outcome::NotUnderstood(Reason::NoObject)) };
    let value = match object::read(raw) {
        Ok(value) => value,
        Err(ObjectError::TooLarge) => return plain(Outcome::NotUnderstood(Reason::TooLarge)),
        Err(ObjectError::Unreadable) => return plain(Outcome::NotUnderstood(Reason::Unreadable)),
    };
    let found = workloads(&value);
    let Some(workload) = found.first() else { return plain(Outcome::NotUnderstood(Reason::NoPod)) };
    // Whoever debugs a pod adds the container by hand, whoever owns the pod.
    if review.sub_resource.is_empty() && made_by_controller(&value) {
        return plain(Outcome::Allowed);
    }
    let old = review.old_object.and_then(|raw| object::read(raw).ok()).unwrap_or_default();
    let mut findings = news(workload, &old, check);
    findings.retain(|finding| finding.certainty > Certainty::Hint && policy.level(finding.rule) > Level::Off);
    let warnings = podsight_report::warning::warnings(workload, &findings);
    let mut rules: Vec<&'static str> = Vec::new();
    for finding in &findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule);
        }
    }
    Answer { kind: review.kind, operation: review.operation, outcome: outcome(workload, &findings, policy), warnings, rules }
}

/// The findings that the old object did not have. Without a readable old object all are news.
fn news(workload: &Workload<'_>, old: &Value, check: Check) -> Vec<Finding> {
    let old = workloads(old);
    let Some(old) = old.first() else { return check(workload) };
    if old.pod == workload.pod {
        return Vec::new();
    }
    let known = check(old);
    let mut findings = check(workload);
    // Not by pointer: a container that moved in its list is no news.
    findings
        .retain(|new| !known.iter().any(|old| (old.rule, &old.container, &old.message_en) == (new.rule, &new.container, &new.message_en)));
    findings
}

/// Denied where the configuration says `deny` for a rule whose finding is certain.
fn outcome(workload: &Workload<'_>, findings: &[Finding], policy: &Policy) -> Outcome {
    let denied: Vec<Finding> = findings
        .iter()
        .filter(|finding| finding.certainty == Certainty::Certain && policy.level(finding.rule) == Level::Deny)
        .cloned()
        .collect();
    if denied.is_empty() {
        return Outcome::Allowed;
    }
    Outcome::Denied(podsight_report::warning::warnings(workload, &denied).join("; "))
}

/// Whether one of Kubernetes' own controllers (or, for mirror pods, the kubelet) made the object: its owner was judged when it was
/// applied, and nobody reads the warnings of a controller.
fn made_by_controller(object: &Value) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| {
        let version = owner.get("apiVersion").and_then(Value::as_str);
        owner.get("controller") == Some(&Value::Bool(true)) && matches!(version, Some("v1" | "apps/v1" | "batch/v1"))
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseReview<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations>,
}

#[derive(Serialize)]
struct Status<'a> {
    code: u16,
    reason: &'static str,
    message: &'a str,
}

/// The API server puts the webhook's name before the key: `validate.podsight.dev/rules`.
#[derive(Serialize)]
struct AuditAnnotations {
    rules: String,
}

/// The answer as the API server reads it.
pub(crate) fn encode(uid: &str, answer: &Answer) -> Vec<u8> {
    let status = match &answer.outcome {
        Outcome::Denied(message) => Some(Status { code: 403, reason: "Forbidden", message }),
        Outcome::Allowed | Outcome::NotUnderstood(_) => None,
    };
    let audit_annotations = (!answer.rules.is_empty()).then(|| AuditAnnotations { rules: answer.rules.join(",") });
    let allowed = status.is_none();
    let response = Response { uid, allowed, status, warnings: &answer.warnings, audit_annotations };
    let review = ResponseReview { api_version: API_VERSION, kind: "AdmissionReview", response };
    // Strings and numbers only: there is nothing in it that could fail.
    serde_json::to_vec(&review).unwrap_or_default()
}
