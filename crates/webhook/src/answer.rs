//! What is answered to a review, and why. Values in, values out.

use crate::config::{Here, Level};
use crate::facts::RequestFacts;
use crate::metrics::{Kind, Operation, label};
use crate::object::ObjectError;
use crate::review::{API_VERSION, Review};
use crate::server::Check;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_rules::{Certainty, Facts, Finding, LIMIT_KNOWN_TOO_SMALL};
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
    /// What is changed in the object: a JSON Patch.
    pub patch: Option<Value>,
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
        Self { kind, operation, outcome, warnings: Vec::new(), rules: Vec::new(), patch: None }
    }
}

/// The object as it will be, or why it cannot be judged.
pub(crate) fn object(review: &Review) -> Result<&Value, Reason> {
    match &review.object {
        Some(Ok(value)) => Ok(value),
        Some(Err(ObjectError::TooLarge)) => Err(Reason::TooLarge),
        Some(Err(ObjectError::Unreadable)) => Err(Reason::Unreadable),
        None => Err(Reason::NoObject),
    }
}

/// Answers a review.
pub(crate) fn answer(review: &Review, policy: Here<'_>, check: Check, facts: &RequestFacts<'_>) -> Answer {
    let plain = |outcome| Answer::plain(review.kind, review.operation, outcome);
    // Nothing begins to run by a deletion, a connection or a change of status or scale.
    let begins = matches!(review.operation, Operation::Create | Operation::Update);
    if !begins || !matches!(review.sub_resource.as_str(), "" | "ephemeralcontainers" | "resize") {
        return plain(Outcome::Allowed);
    }
    let value = match object(review) {
        Ok(value) => value,
        Err(reason) => return plain(Outcome::NotUnderstood(reason)),
    };
    let found = workloads(value);
    let Some(workload) = found.first() else { return plain(Outcome::NotUnderstood(Reason::NoPod)) };
    // Whoever debugs a pod or resizes it does so by hand, whoever owns the pod.
    if review.sub_resource.is_empty() && made_by_controller(value) {
        return plain(Outcome::Allowed);
    }
    // Without a readable old object all findings are news.
    let old = review.old_object.as_ref().and_then(|old| old.as_ref().ok()).map(workloads).unwrap_or_default();
    // Some kinds have several pod templates.
    let mut findings: Vec<Finding> = found.iter().flat_map(|workload| news(workload, &old, check, facts)).collect();
    findings.retain(|finding| finding.certainty > Certainty::Hint && policy.level(finding.rule) > Level::Off);
    let warnings = podsight_report::warning::warnings(workload, &findings);
    let mut rules: Vec<&'static str> = Vec::new();
    for finding in &findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule);
        }
    }
    Answer { kind: review.kind, operation: review.operation, outcome: outcome(workload, &findings, policy), warnings, rules, patch: None }
}

/// The findings that the old object did not have, and those that tell of a workload that fails.
fn news(workload: &Workload<'_>, old: &[Workload<'_>], check: Check, facts: &dyn Facts) -> Vec<Finding> {
    let Some(old) = old.iter().find(|old| old.pod_pointer == workload.pod_pointer) else { return check(workload, facts) };
    if old.pod == workload.pod {
        return Vec::new();
    }
    let mut findings = check(workload, facts);
    if !findings.is_empty() {
        // Not by pointer: a container that moved in its list is no news.
        let known = check(old, facts);
        let same =
            |new: &Finding, old: &Finding| (old.rule, &old.container, &old.message_en) == (new.rule, &new.container, &new.message_en);
        findings.retain(|new| new.rule == LIMIT_KNOWN_TOO_SMALL || !known.iter().any(|old| same(new, old)));
    }
    findings
}

/// Denied where the configuration says `deny` for a rule whose finding is certain.
fn outcome(workload: &Workload<'_>, findings: &[Finding], policy: Here<'_>) -> Outcome {
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
pub(crate) fn made_by_controller(object: &Value) -> bool {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
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
    let patch = answer.patch.as_ref().map(|patch| BASE64_STANDARD.encode(patch.to_string()));
    let patch_type = patch.is_some().then_some("JSONPatch");
    let response = Response { uid, allowed, status, warnings: &answer.warnings, audit_annotations, patch, patch_type };
    let review = ResponseReview { api_version: API_VERSION, kind: "AdmissionReview", response };
    // Strings and numbers only: there is nothing in it that could fail.
    serde_json::to_vec(&review).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Policy;
    use crate::history::SharedHistory;
    use crate::review;
    use serde_json::json;

    /// Finds containers whose image is called so, as surely as the image says.
    fn check(workload: &Workload<'_>, _: &dyn Facts) -> Vec<Finding> {
        let found = workload.containers().into_iter().filter_map(|container| {
            let (rule, certainty) = match container.value.get("image")?.as_str()? {
                "certain" => ("rule-certain", Certainty::Certain),
                "likely" => ("rule-likely", Certainty::Likely),
                "hint" => ("rule-hint", Certainty::Hint),
                "killed" => (LIMIT_KNOWN_TOO_SMALL, Certainty::Likely),
                _ => return None,
            };
            let (message_en, message_zh) = ("will fail".to_owned(), String::new());
            let container = container.name.map(ToOwned::to_owned);
            let (help_en, help_zh) = (String::new(), String::new());
            Some(Finding {
                rule,
                certainty,
                predicts: &[],
                pointer: String::new(),
                container,
                message_en,
                message_zh,
                help_en,
                help_zh,
                fix: None,
            })
        });
        found.collect()
    }

    fn pod_spec(images: &[&str]) -> Value {
        let containers: Vec<Value> =
            images.iter().enumerate().map(|(number, image)| json!({"name": format!("c{number}"), "image": image})).collect();
        json!({"containers": containers})
    }

    fn pod(images: &[&str]) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": pod_spec(images)})
    }

    fn ask(request: &Value, policy: &str) -> Answer {
        let mut request = request.clone();
        request["uid"] = json!("u");
        let body = json!({"kind": "AdmissionReview", "apiVersion": API_VERSION, "request": request}).to_string();
        let policy = match policy {
            "" => Policy::default(),
            _ => Policy::from_levels([("rule-certain", policy), ("rule-likely", policy)]),
        };
        let facts =
            RequestFacts { namespace: "default", history: &SharedHistory::default(), cluster: &podsight_cluster::Cluster::new("default") };
        answer(&review::read(body.as_bytes()).unwrap(), policy.within("default", None), check, &facts)
    }

    fn create(object: &Value) -> Answer {
        ask(&json!({"kind": {"kind": object["kind"]}, "operation": "CREATE", "object": object}), "")
    }

    fn update(object: &Value, old: &Value) -> Vec<String> {
        ask(&json!({"kind": {"kind": object["kind"]}, "operation": "UPDATE", "object": object, "oldObject": old}), "").warnings
    }

    #[test]
    fn every_kind_with_a_pod_template_is_answered() {
        let template = json!({"template": {"spec": pod_spec(&["certain"])}});
        let kinds = [
            ("v1", "ReplicationController", Kind::ReplicationController),
            ("apps/v1", "ReplicaSet", Kind::ReplicaSet),
            ("apps/v1", "Deployment", Kind::Deployment),
            ("apps/v1", "StatefulSet", Kind::StatefulSet),
            ("apps/v1", "DaemonSet", Kind::DaemonSet),
            ("batch/v1", "Job", Kind::Job),
            ("argoproj.io/v1alpha1", "Rollout", Kind::Other),
            ("apps.openshift.io/v1", "DeploymentConfig", Kind::Other),
        ];
        let mut objects: Vec<(Value, Kind)> = kinds
            .iter()
            .map(|(version, kind, label)| {
                (json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": template}), *label)
            })
            .collect();
        objects.push((pod(&["certain"]), Kind::Pod));
        let job =
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": {"jobTemplate": {"spec": template}}});
        objects.push((job, Kind::CronJob));
        for (object, label) in objects {
            let answer = create(&object);
            let warning = format!("{}/a[c0]: will fail [rule-certain]", object["kind"].as_str().unwrap());
            let expected = Answer {
                kind: label,
                operation: Operation::Create,
                outcome: Outcome::Allowed,
                warnings: vec![warning],
                rules: vec!["rule-certain"],
                patch: None,
            };
            assert_eq!(answer, expected);
        }
    }

    #[test]
    fn every_template_of_an_object_is_looked_at() {
        let jobs = json!([{"name": "x", "template": {"spec": {"template": {"spec": pod_spec(&["sound"])}}}},
            {"name": "y", "template": {"spec": {"template": {"spec": pod_spec(&["sound", "likely"])}}}}]);
        let object = json!({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "a"}, "spec": {"replicatedJobs": jobs}});
        assert_eq!(create(&object).warnings, ["JobSet/a[c1]: will fail [rule-likely]"]);
    }

    #[test]
    fn only_news_is_told_on_update() {
        let old = pod(&["certain", "sound"]);
        assert_eq!(update(&old, &old), [""; 0]);
        let mut labelled = old.clone();
        labelled["metadata"]["labels"] = json!({"a": "b"});
        assert_eq!(update(&labelled, &old), [""; 0]);
        assert_eq!(update(&pod(&["certain", "likely"]), &old), ["Pod/a[c1]: will fail [rule-likely]"]);
        // Moved in its list, and still the same container with the same fault.
        let mut moved = old.clone();
        moved["spec"]["containers"].as_array_mut().unwrap().reverse();
        moved["spec"]["priority"] = json!(1);
        assert_eq!(update(&moved, &old), [""; 0]);
        // A workload that fails is told of as long as its pods are changed and it is not mended.
        let killed = pod(&["killed"]);
        let mut changed = killed.clone();
        changed["spec"]["priority"] = json!(1);
        assert_eq!(update(&changed, &killed), ["Pod/a[c0]: will fail [limit-known-too-small]"]);
        assert_eq!(update(&killed, &killed), [""; 0]);
        // What the old object was is not known: everything is told.
        assert_eq!(update(&old, &json!("odd")), ["Pod/a[c0]: will fail [rule-certain]"]);
        assert_eq!(update(&old, &Value::Null), ["Pod/a[c0]: will fail [rule-certain]"]);
    }

    #[test]
    fn what_a_controller_made_is_passed_over() {
        let owned = |version: &str, controller: Value| {
            let mut pod = pod(&["certain"]);
            pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "x/v1"}, {"apiVersion": version, "controller": controller}]);
            pod
        };
        for version in ["v1", "apps/v1", "batch/v1"] {
            assert_eq!(create(&owned(version, json!(true))).warnings, [""; 0], "{version}");
        }
        for (version, controller) in [("example.com/v1", json!(true)), ("apps/v1", json!(false)), ("apps/v1", Value::Null)] {
            assert_eq!(create(&owned(version, controller)).warnings, ["Pod/a[c0]: will fail [rule-certain]"], "{version}");
        }
        let mut debugged = owned("apps/v1", json!(true));
        debugged["spec"]["ephemeralContainers"] = json!([{"name": "debugger", "image": "likely"}]);
        let request = json!({"kind": {"kind": "Pod"}, "operation": "UPDATE", "subResource": "ephemeralcontainers", "object": debugged,
            "oldObject": owned("apps/v1", json!(true))});
        assert_eq!(ask(&request, "").warnings, ["Pod/a[debugger]: will fail [rule-likely]"]);
        let mut resized = owned("apps/v1", json!(true));
        resized["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "1Mi"}});
        let before = owned("apps/v1", json!(true));
        let mut request =
            json!({"kind": {"kind": "Pod"}, "operation": "UPDATE", "subResource": "resize", "object": resized, "oldObject": before});
        assert_eq!(ask(&request, "").warnings, [""; 0], "nothing new in it");
        request["oldObject"] = pod(&["sound"]);
        assert_eq!(ask(&request, "").warnings, ["Pod/a[c0]: will fail [rule-certain]"]);
    }

    #[test]
    fn what_begins_nothing_is_passed_over() {
        for (operation, sub_resource) in [("DELETE", ""), ("CONNECT", "exec"), ("UPDATE", "status"), ("UPDATE", "scale"), ("PATCH", "")] {
            let request =
                json!({"kind": {"kind": "Pod"}, "operation": operation, "subResource": sub_resource, "object": pod(&["certain"])});
            assert_eq!(
                ask(&request, ""),
                Answer::plain(Kind::Pod, Operation::of(operation), Outcome::Allowed),
                "{operation} {sub_resource}"
            );
        }
    }

    #[test]
    fn what_cannot_be_understood_is_allowed_and_named() {
        let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
        let cases = [
            (Value::Null, Reason::NoObject),
            (json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {}}), Reason::NoPod),
            (json!({"kind": 7, "spec": "odd"}), Reason::NoPod),
            (json!("odd"), Reason::NoPod),
            (json!({"kind": "Pod", "spec": vec![0; 100_000]}), Reason::TooLarge),
            (json!({"kind": "Pod", "spec": deep}), Reason::Unreadable),
        ];
        for (object, reason) in cases {
            let request = json!({"kind": {"kind": "Pod"}, "operation": "CREATE", "object": object});
            assert_eq!(ask(&request, ""), Answer::plain(Kind::Pod, Operation::Create, Outcome::NotUnderstood(reason)), "{reason:?}");
        }
    }

    #[test]
    fn deny_takes_a_certain_finding_and_a_configuration_that_wants_it() {
        let request = |image: &str| json!({"kind": {"kind": "Pod"}, "operation": "CREATE", "object": pod(&[image])});
        let certain = "Pod/a[c0]: will fail [rule-certain]";
        assert_eq!(ask(&request("certain"), "deny").outcome, Outcome::Denied(certain.to_owned()));
        assert_eq!(ask(&request("certain"), "warn").outcome, Outcome::Allowed);
        assert_eq!(ask(&request("certain"), "off").warnings, [""; 0]);
        assert_eq!(ask(&request("likely"), "deny").outcome, Outcome::Allowed);
        assert_eq!(ask(&request("likely"), "deny").warnings, ["Pod/a[c0]: will fail [rule-likely]"]);
        assert_eq!(ask(&request("hint"), "deny"), Answer::plain(Kind::Pod, Operation::Create, Outcome::Allowed));
    }

    #[test]
    fn answers_as_the_api_server_reads_them() {
        let encoded = |answer: &Answer| String::from_utf8(encode("u\"1", answer)).unwrap();
        let mut answer = Answer::plain(Kind::Pod, Operation::Create, Outcome::Allowed);
        let head = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":"#;
        assert_eq!(encoded(&answer), format!(r#"{head}{{"uid":"u\"1","allowed":true}}}}"#));
        answer.warnings = vec!["one".to_owned(), "two".to_owned()];
        answer.rules = vec!["a", "b"];
        assert_eq!(
            encoded(&answer),
            format!(r#"{head}{{"uid":"u\"1","allowed":true,"warnings":["one","two"],"auditAnnotations":{{"rules":"a,b"}}}}}}"#)
        );
        answer.outcome = Outcome::Denied("no".to_owned());
        assert_eq!(
            encoded(&answer),
            format!(
                r#"{head}{{"uid":"u\"1","allowed":false,"status":{{"code":403,"reason":"Forbidden","message":"no"}},"warnings":["one","two"],"auditAnnotations":{{"rules":"a,b"}}}}}}"#
            )
        );
    }
}
