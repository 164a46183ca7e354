//! What is changed in an object whose namespace asked for it. Values in, values out.

use crate::answer::{Answer, Outcome, object};
use crate::config::{Here, Level};
use crate::facts::RequestFacts;
use crate::metrics::Operation;
use crate::review::Review;
use podsight_history::PastKills;
use podsight_mutation::{Change, Knowledge, plan};
use podsight_rules::{Certainty, Facts as _, Finding, is_ignored};
use podsight_spec::{Workload, workloads};

/// What a plan may ask in a request.
struct Asked<'a> {
    policy: Here<'a>,
    facts: &'a RequestFacts<'a>,
}

impl Knowledge for Asked<'_> {
    fn past_kills(&self, workload: &Workload<'_>, container: &str) -> Option<PastKills> {
        self.facts.past_kills(workload, container)
    }

    fn is_off(&self, workload: &Workload<'_>, rule: &str) -> bool {
        self.policy.level(rule) == Level::Off || is_ignored(workload, rule)
    }
}

/// Answers a review with a patch, or with nothing. It never denies: a dry run and a real one are answered the same, and nothing is written
/// but the answer.
pub(crate) fn answer(review: &Review, policy: Here<'_>, facts: &RequestFacts<'_>) -> Answer {
    let without_change = |outcome| Answer::plain(review.kind, review.operation, outcome);
    if !matches!(review.operation, Operation::Create | Operation::Update) || !review.sub_resource.is_empty() {
        return without_change(Outcome::Allowed);
    }
    let value = match object(review) {
        Ok(value) => value,
        Err(reason) => return without_change(Outcome::NotUnderstood(reason)),
    };
    let old = match &review.old_object {
        // A CREATE has `null` there, or nothing.
        None => None,
        Some(Ok(old)) if old.is_null() => None,
        Some(Ok(old)) => Some(old),
        // What it was cannot be told, so neither can whether its pods are to be replaced.
        Some(Err(_)) => return without_change(Outcome::Allowed),
    };
    if old.is_none() && review.operation == Operation::Update {
        return without_change(Outcome::Allowed);
    }
    let Some(plan) = plan(value, old, &Asked { policy, facts }) else { return without_change(Outcome::Allowed) };
    let found = workloads(value);
    let findings: Vec<Finding> = plan.changes.iter().map(told).collect();
    let warnings = found.first().map(|workload| podsight_report::warning::warnings(workload, &findings)).unwrap_or_default();
    let mut rules: Vec<&'static str> = Vec::new();
    for change in &plan.changes {
        if !rules.contains(&change.rule) {
            rules.push(change.rule);
        }
    }
    Answer { warnings, rules, patch: Some(plan.patch), ..without_change(Outcome::Allowed) }
}

/// A change as it is told.
fn told(change: &Change) -> Finding {
    Finding {
        rule: change.rule,
        certainty: Certainty::Likely,
        predicts: &[],
        pointer: change.path.clone(),
        container: Some(change.container.clone()),
        message_en: change.message_en.clone(),
        message_zh: change.message_zh.clone(),
        help_en: String::new(),
        help_zh: String::new(),
        fix: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Reason;
    use crate::history::SharedHistory;
    use crate::review;
    use serde_json::{Value, json};

    fn ask(mut request: Value, config: &str) -> Answer {
        request["uid"] = json!("u");
        let body = json!({"kind": "AdmissionReview", "apiVersion": review::API_VERSION, "request": request}).to_string();
        let policy = crate::config::read(config.as_bytes()).0.unwrap_or_default();
        let facts =
            RequestFacts { namespace: "default", history: &SharedHistory::default(), cluster: &podsight_cluster::Cluster::new("default") };
        answer(&review::read(body.as_bytes()).unwrap(), policy.within("default", None), &facts)
    }

    fn pod() -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "main", "image": "b"}]}})
    }

    fn create(object: &Value, config: &str) -> Answer {
        ask(json!({"kind": {"kind": "Pod"}, "operation": "CREATE", "object": object, "oldObject": null}), config)
    }

    #[test]
    fn a_change_is_told() {
        let answer = create(&pod(), "");
        assert_eq!(answer.outcome, Outcome::Allowed);
        assert_eq!(answer.warnings, ["Pod/a[main]: set terminationMessagePolicy to FallbackToLogsOnError [termination-message-policy]"]);
        assert_eq!(answer.rules, ["termination-message-policy"]);
        let patch = answer.patch.unwrap();
        assert_eq!(patch[0], json!({"op": "add", "path": "/spec/containers/0/terminationMessagePolicy", "value": "FallbackToLogsOnError"}));
    }

    #[test]
    fn a_rule_can_be_off() {
        assert_eq!(create(&pod(), "rules: {termination-message-policy: off}").patch, None);
        let elsewhere =
            "namespaces: [{selector: {matchLabels: {kubernetes.io/metadata.name: other}}, rules: {termination-message-policy: off}}]";
        assert!(create(&pod(), elsewhere).patch.is_some());
        assert_eq!(create(&pod(), &elsewhere.replace("other", "default")).patch, None);
        for list in ["termination-message-policy", "all"] {
            let mut pod = pod();
            pod["metadata"]["annotations"] = json!({"podsight.dev/ignore": list});
            assert_eq!(create(&pod, "").patch, None);
        }
    }

    #[test]
    fn what_is_no_creation_and_no_update_of_pods_is_left() {
        for (operation, sub_resource, old) in [
            ("DELETE", "", Value::Null),
            ("UPDATE", "status", pod()),
            ("UPDATE", "resize", pod()),
            ("UPDATE", "", Value::Null),
            ("UPDATE", "", json!(vec![0; 100_000])),
            ("UPDATE", "", pod()),
        ] {
            let request =
                json!({"kind": {"kind": "Pod"}, "operation": operation, "subResource": sub_resource, "object": pod(), "oldObject": old});
            assert_eq!(ask(request, "").patch, None, "{operation} {sub_resource}");
        }
        assert_eq!(create(&json!("odd"), "").patch, None);
        assert_eq!(create(&json!(vec![0; 100_000]), "").outcome, Outcome::NotUnderstood(Reason::TooLarge));
    }
}
