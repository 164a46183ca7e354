//! A sound installation, and what is said when one thing of it is broken.

#![cfg(test)]

use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_cause::Lang;
use podsight_doctor::{Check, Finding, Read, Seen, json, judge, text};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};

/// 2026-11-23.
const NOW: i64 = 1_795_392_000;

/// An authority and a leaf of it until the first of January of a year, in base64.
fn pair(until: i32) -> (String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["podsight-webhook.podsight-system.svc".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&key, &authority).unwrap();
    (BASE64_STANDARD.encode(authority.pem()), BASE64_STANDARD.encode(leaf.pem()))
}

fn pod(component: &str, name: &str, node: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"app.kubernetes.io/component": component, "app.kubernetes.io/version": "0.1.0"}},
        "spec": {"nodeName": node}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn node(name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}})
}

fn sound() -> Seen {
    let (authority, leaf) = pair(2030);
    let configuration = json!({"metadata": {"name": "podsight-webhook"}, "webhooks": [{"name": "validate.podsight.dev", "failurePolicy": "Ignore",
        "timeoutSeconds": 2, "clientConfig": {"caBundle": authority}, "namespaceSelector": {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "podsight-system"]},
            {"key": "podsight.dev/admission", "operator": "NotIn", "values": ["disabled"]}]}}]});
    let items = |items: Value| Read::Found(json!({"items": items}));
    let named = |name: &str| json!({"metadata": {"name": name}});
    let binding = |name: &str| json!({"spec": {"policyName": name, "validationActions": ["Deny"]}});
    Seen {
        namespace: "podsight-system".to_owned(),
        now: NOW,
        version: "0.1.0".to_owned(),
        server: Read::Found(json!({"major": "1", "minor": "37+"})),
        validating: Read::Found(configuration),
        mutating: Read::Missing,
        service: Read::Found(named("podsight-webhook")),
        deployment: Read::Found(json!({"spec": {"template": {"spec": {"containers": [
            {"env": [{"name": "PODSIGHT_CERTIFICATES", "value": "own"}]}]}}}})),
        daemon_set: Read::Found(named("podsight-agent")),
        own_secret: Read::Found(json!({"data": {"tls.crt": leaf}})),
        mounted_secret: Read::Missing,
        pods: items(json!([pod("webhook", "w1", "a"), pod("webhook", "w2", "b"), pod("agent", "a1", "a"), pod("agent", "a2", "b")])),
        nodes: items(json!([node("a"), node("b"), {"metadata": {"name": "win", "labels": {"kubernetes.io/os": "windows"}}}])),
        policies: items(json!([named("podsight-agent"), named("podsight-agent-events")])),
        bindings: items(json!([binding("podsight-agent"), binding("podsight-agent-events")])),
        network_policies: items(json!([])),
        is_warned: Some(true),
    }
}

fn at<'a>(read: &'a mut Read, pointer: &str) -> &'a mut Value {
    let Read::Found(value) = read else { panic!("nothing was read") };
    value.pointer_mut(pointer).unwrap()
}

/// One thing that is broken, and what is found.
type Case = (Check, fn(&mut Seen), &'static str);

const CASES: &[Case] = &[
    (Check::ConfigurationMissing, |seen| seen.validating = Read::Missing, ""),
    (Check::FailurePolicyFail, |seen| *at(&mut seen.validating, "/webhooks/0/failurePolicy") = json!("Fail"), "validate.podsight.dev"),
    (Check::BundleEmpty, |seen| *at(&mut seen.validating, "/webhooks/0/clientConfig/caBundle") = json!(""), "validate.podsight.dev"),
    (
        Check::BundleMismatch,
        |seen| *at(&mut seen.validating, "/webhooks/0/clientConfig/caBundle") = json!(pair(2030).0),
        "validate.podsight.dev",
    ),
    (Check::CertificateMissing, |seen| seen.own_secret = Read::Missing, "podsight-webhook-certificates"),
    (Check::CertificateExpired, |seen| replace(seen, 2026, NOW), "326d"),
    (Check::ServiceMissing, |seen| seen.service = Read::Missing, ""),
    (Check::WebhookMissing, |seen| seen.deployment = Read::Missing, ""),
    (
        Check::WebhookUnready,
        |seen| {
            let waiting = json!([{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image\nat all"}}}]);
            for pod in ["/items/0", "/items/1"] {
                *at(&mut seen.pods, &format!("{pod}/status")) = json!({"phase": "Pending", "containerStatuses": waiting});
            }
        },
        "ImagePullBackOff: no such image",
    ),
    (Check::NoWarning, |seen| seen.is_warned = Some(false), ""),
    (Check::GuardMissing, |seen| *at(&mut seen.policies, "/items/1/metadata/name") = json!("other"), "podsight-agent-events"),
    (Check::GuardWeak, |seen| *at(&mut seen.bindings, "/items/0/spec/validationActions") = json!(["Warn"]), "podsight-agent"),
    (Check::AgentMissing, |seen| seen.daemon_set = Read::Missing, ""),
    (
        Check::AgentNotOnNode,
        |seen| *at(&mut seen.pods, "/items/3/status") = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient memory"}]}),
        "Unschedulable: Insufficient memory",
    ),
    (
        Check::OwnNamespace,
        |seen| *at(&mut seen.validating, "/webhooks/0/namespaceSelector/matchExpressions/0/values") = json!(["kube-system"]),
        "validate.podsight.dev",
    ),
    (Check::Timeout, |seen| *at(&mut seen.validating, "/webhooks/0/timeoutSeconds") = json!(30), "30"),
    (Check::FewReplicas, |seen| *at(&mut seen.pods, "/items/1/status") = json!({}), "1"),
    (Check::CertificateExpiring, |seen| replace(seen, 2027, NOW), "39d"),
    (
        Check::TwoIssuers,
        |seen| {
            *at(&mut seen.validating, "/metadata") =
                json!({"name": "podsight-webhook", "annotations": {"cert-manager.io/inject-ca-from": "a/b"}});
        },
        "",
    ),
    (
        Check::NetworkBlocked,
        |seen| {
            seen.network_policies =
                Read::Found(json!({"items": [{"metadata": {"name": "deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}]}));
        },
        "deny",
    ),
    (
        Check::VersionsMixed,
        |seen| *at(&mut seen.pods, "/items/2/metadata/labels/app.kubernetes.io~1version") = json!("0.0.9"),
        "0.0.9, 0.1.0",
    ),
    (Check::ServerOld, |seen| seen.server = Read::Found(json!({"major": "1", "minor": "29"})), "1.29"),
];

/// A pair that ends in this year.
fn replace(seen: &mut Seen, until: i32, now: i64) {
    let (authority, leaf) = pair(until);
    *at(&mut seen.validating, "/webhooks/0/clientConfig/caBundle") = json!(authority);
    *at(&mut seen.own_secret, "/data/tls.crt") = json!(leaf);
    seen.now = now;
}

#[test]
fn a_sound_installation_is_well() {
    let seen = sound();
    assert_eq!(judge(&seen), []);
    assert_eq!(text(&seen, &[], Lang::En), "podsight is well: nothing wrong or risky was found\n");
    assert_eq!(text(&seen, &[], Lang::Zh), "podsight 正常：没有发现错误或风险\n");
}

#[test]
fn one_broken_thing_is_found() {
    for (check, breaks, detail) in CASES {
        let mut seen = sound();
        breaks(&mut seen);
        let findings = judge(&seen);
        let found = findings.iter().find(|finding| finding.check == *check);
        assert_eq!(found.map(|finding| finding.detail.as_str()), Some(*detail), "{}: {findings:?}", check.id());
        // What follows from it may be found as well: an expired authority trusts nothing, and has signed what is expired.
        let others: Vec<&str> = findings.iter().filter(|finding| finding.check != *check).map(|finding| finding.check.id()).collect();
        let expected: &[&str] = match check {
            Check::CertificateExpired => &["ca-bundle-mismatch"],
            Check::CertificateExpiring => &["authority-expiring"],
            _ => &[],
        };
        assert_eq!(others, expected, "{}", check.id());
    }
    let tried: Vec<Check> = CASES.iter().map(|(check, ..)| *check).collect();
    let untried: Vec<&str> =
        Check::ALL.iter().filter(|check| !tried.contains(check) && **check != Check::AuthorityExpiring).map(|check| check.id()).collect();
    assert!(untried.is_empty(), "no case for {untried:?}");
}

#[test]
fn what_could_not_be_read_is_said_and_not_judged() {
    let seen = Seen {
        namespace: "podsight-system".to_owned(),
        now: NOW,
        nodes: Read::Refused("nodes is forbidden".to_owned()),
        ..Seen::default()
    };
    assert_eq!(judge(&seen), []);
    let said = text(&seen, &[], Lang::En);
    assert_eq!(said, "podsight is well: nothing wrong or risky was found\n\nnot looked at: nodes: nodes is forbidden\n");
}

#[test]
fn the_answer_comes_first_and_hostile_names_do_no_harm() {
    let seen = sound();
    let findings = [Finding { check: Check::AgentNotOnNode, object: "node/a\u{1b}[31m".to_owned(), detail: "Evicted\nx".to_owned() }];
    assert_eq!(
        text(&seen, &findings, Lang::En),
        "podsight is not well: 0 wrong, 1 risky\n\n\
         risky  node/a\u{fffd}[31m: no ready agent on this node: Evicted\u{fffd}x [agent-not-on-node]\n       \
         kubectl get pods -n podsight-system -l app.kubernetes.io/component=agent -o wide\n"
    );
    let written: Value = serde_json::from_str(&json(&seen, &findings, Lang::Zh).unwrap()).unwrap();
    assert_eq!(
        written,
        json!({"schema": "podsight.dev/doctor/v1", "summary": {"wrong": 0, "risky": 1, "unread": 0}, "unread": [],
            "findings": [{"check": "agent-not-on-node", "level": "risky", "object": "node/a\u{1b}[31m",
                "message": "此节点上没有就绪的代理：Evicted\nx",
                "next": "kubectl get pods -n podsight-system -l app.kubernetes.io/component=agent -o wide"}]})
    );
}
