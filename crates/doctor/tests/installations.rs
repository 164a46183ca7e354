//! A sound installation, and what is said when one thing of it is broken.

#![cfg(test)]

use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_cause::Lang;
use podsight_doctor::{Check, Finding, Read, Seen, Verdict, json, judge, text};
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
    let policy = |name: &str| {
        json!({"metadata": {"name": name}, "spec": {"failurePolicy": "Fail", "matchConditions": [{"name": "is-the-agent",
            "expression": "request.userInfo.username == 'system:serviceaccount:podsight-system:podsight-agent'"}]}})
    };
    let binding = |name: &str| json!({"spec": {"policyName": name, "validationActions": ["Deny"]}});
    Seen {
        namespace: "podsight-system".to_owned(),
        now: NOW,
        version: "0.1.0".to_owned(),
        server: Read::Found(json!({"major": "1", "minor": "37+"})),
        validating: Read::Found(configuration),
        mutating: Read::Found(named("podsight-webhook")),
        service: Read::Found(named("podsight-webhook")),
        deployment: Read::Found(json!({"spec": {"template": {"spec": {"containers": [
            {"env": [{"name": "PODSIGHT_CERTIFICATES", "value": "own"}]}]}}}})),
        daemon_set: Read::Found(
            json!({"metadata": {"name": "podsight-agent"}, "spec": {"template": {"spec": {"serviceAccountName": "podsight-agent"}}}}),
        ),
        own_secret: Read::Found(json!({"data": {"tls.crt": leaf}})),
        mounted_secret: Read::Missing,
        pods: items(json!([pod("webhook", "w1", "a"), pod("webhook", "w2", "b"), pod("agent", "a1", "a"), pod("agent", "a2", "b")])),
        nodes: items(json!([node("a"), node("b"), {"metadata": {"name": "win", "labels": {"kubernetes.io/os": "windows"}}}])),
        policies: items(json!([policy("podsight-agent"), policy("podsight-agent-events")])),
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
    (
        Check::GuardElsewhere,
        |seen| {
            *at(&mut seen.policies, "/items/0/spec/matchConditions/0/expression") =
                json!("request.userInfo.username == \"system:serviceaccount:elsewhere:podsight-agent\"");
        },
        "podsight-agent (system:serviceaccount:elsewhere:podsight-agent)",
    ),
    (Check::GuardFailsOpen, |seen| *at(&mut seen.policies, "/items/1/spec/failurePolicy") = json!("Ignore"), "podsight-agent-events"),
    (Check::AgentMissing, |seen| seen.daemon_set = Read::Missing, "pod/a1"),
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
fn what_could_not_be_read_is_said_first() {
    let mut seen = sound();
    seen.nodes = Read::Refused("nodes is forbidden".to_owned());
    seen.policies = Read::Refused("policies are\nforbidden".to_owned());
    assert_eq!(judge(&seen), []);
    assert_eq!(Verdict::of(&seen, &[]), Verdict::Well);
    assert_eq!(
        text(&seen, &[], Lang::En),
        "nothing wrong or risky was found in what could be looked at; not looked at: nodes, validatingadmissionpolicies\n\n\
         not looked at: nodes: nodes is forbidden\n\nnot looked at: validatingadmissionpolicies: policies are\u{fffd}forbidden\n"
    );
    let findings = [Finding { check: Check::Timeout, object: "a".to_owned(), detail: "30".to_owned() }];
    assert_eq!(Verdict::of(&seen, &findings), Verdict::NotWell);
    let said = text(&seen, &findings, Lang::Zh);
    assert_eq!(said.lines().next(), Some("podsight 有问题：0 处错误，1 处风险；未检查：nodes、validatingadmissionpolicies"));
}

#[test]
fn who_may_read_nothing_is_told_that_nothing_was_judged() {
    let refused = || Read::Refused("forbidden".to_owned());
    let seen = Seen {
        server: Read::Found(json!({"major": "1", "minor": "37"})),
        validating: refused(),
        deployment: refused(),
        pods: refused(),
        nodes: Read::Found(json!({"items": [node("a")]})),
        policies: refused(),
        ..Seen::default()
    };
    assert_eq!(judge(&seen), []);
    assert_eq!(Verdict::of(&seen, &[]).exit_status(), 2);
    assert_eq!(
        text(&seen, &[], Lang::En).lines().next(),
        Some(
            "podsight could not be judged: nothing of the installation could be looked at; \
             not looked at: validatingwebhookconfigurations, deployments, pods, validatingadmissionpolicies"
        )
    );
    // A warning that came, or one part that was given, is something to go by.
    assert_eq!(Verdict::of(&Seen { is_warned: Some(true), ..seen.clone() }, &[]), Verdict::Well);
    assert_eq!(Verdict::of(&Seen { service: Read::Missing, ..seen }, &[]), Verdict::Well);
}

#[test]
fn what_was_left_out_on_purpose_is_no_fault() {
    let none = || Read::Found(json!({"items": []}));
    let only = |component: &str| {
        let Read::Found(pods) = sound().pods else { panic!("nothing was read") };
        let of_it = |pod: &&Value| pod["metadata"]["labels"]["app.kubernetes.io/component"] == component;
        Read::Found(json!({"items": pods["items"].as_array().unwrap().iter().filter(of_it).collect::<Vec<_>>()}))
    };
    let (missing, without) =
        (|| Read::Missing, |parts: &str| format!("podsight is well: nothing wrong or risky was found\n\nnot installed: {parts}\n"));
    let old = Read::Found(json!({"major": "1", "minor": "29"}));
    let cases = [
        (Seen { mutating: missing(), ..sound() }, "mutation"),
        (Seen { policies: none(), bindings: none(), ..sound() }, "policy"),
        (Seen { daemon_set: missing(), policies: none(), bindings: none(), pods: only("webhook"), server: old, ..sound() }, "agent"),
        (
            Seen {
                validating: missing(),
                mutating: missing(),
                service: missing(),
                deployment: missing(),
                own_secret: missing(),
                pods: only("agent"),
                is_warned: None,
                ..sound()
            },
            "webhook",
        ),
    ];
    for (seen, parts) in cases {
        assert_eq!(judge(&seen), [], "{parts}");
        assert_eq!(text(&seen, &[], Lang::En), without(parts));
    }
    // Of something that is not there at all nobody has said that he wants it so.
    let seen =
        Seen { validating: missing(), mutating: missing(), service: missing(), deployment: missing(), daemon_set: missing(), ..sound() };
    assert!(judge(&Seen { policies: none(), pods: none(), ..seen }).iter().any(|finding| finding.check == Check::ConfigurationMissing));
}

#[test]
fn the_guard_is_held_against_the_agents_own_account() {
    let mut seen = sound();
    *at(&mut seen.daemon_set, "/spec/template/spec/serviceAccountName") = json!("other");
    let found: Vec<(Check, String)> = judge(&seen).into_iter().map(|finding| (finding.check, finding.detail)).collect();
    let detail = |policy: &str| format!("{policy} (system:serviceaccount:podsight-system:podsight-agent)");
    assert_eq!(found, [(Check::GuardElsewhere, detail("podsight-agent")), (Check::GuardElsewhere, detail("podsight-agent-events"))]);
    // A condition of somebody's own that names no account, and one more than ours that does.
    let mut seen = sound();
    *at(&mut seen.policies, "/items/0/spec/matchConditions") = json!([{"expression": "request.userInfo.username.startsWith('system:')"},
        {"expression": "request.userInfo.username in ['system:serviceaccount:a:b', 'system:serviceaccount:podsight-system:podsight-agent']"}]);
    assert_eq!(judge(&seen), []);
}

#[test]
fn a_node_that_the_daemon_set_leaves_out_is_no_fault() {
    let found = |status: Value| {
        let mut seen = sound();
        seen.nodes = Read::Found(json!({"items": [node("a"), node("b"), node("c")]}));
        let Read::Found(set) = &mut seen.daemon_set else { panic!("nothing was read") };
        set["metadata"]["generation"] = json!(2);
        set["status"] = status;
        judge(&seen).into_iter().map(|finding| format!("{}: {}", finding.object, finding.detail)).collect::<Vec<_>>()
    };
    let status = |desired, current, generation| json!({"desiredNumberScheduled": desired, "currentNumberScheduled": current, "observedGeneration": generation});
    assert_eq!(found(status(2, 2, 2)), [""; 0]);
    for unsettled in [status(3, 2, 2), status(2, 2, 1), status(0, 0, 2), json!({})] {
        assert_eq!(found(unsettled), ["node/c: no pod was made for it"]);
    }
}

#[test]
fn an_agent_that_fails_is_told_of_in_its_own_words() {
    let restarting = |reason: &str, message: &str| {
        json!({"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
            "lastState": {"terminated": {"reason": reason, "exitCode": 1, "message": message}}})
    };
    let log = "{\"level\":\"INFO\",\"message\":\"Started.\"}\n{\"level\":\"ERROR\",\"error\":\"failed to read the kernel log: not permitted\",\"message\":\"The agent cannot go on.\"}\n";
    let cases = [
        (restarting("Error", log), "Error (exit code 1): The agent cannot go on. failed to read the kernel log: not permitted"),
        (restarting("Error", "one\n  the last\u{7} line \n\n"), "Error (exit code 1): the last line "),
        (restarting("StartError", "failed to create containerd task\nmore"), "StartError (exit code 1): failed to create containerd task"),
        (restarting("Error", " \n"), "CrashLoopBackOff: back-off 5m0s restarting failed container"),
        (
            json!({"state": {"running": {}}, "lastState": {"terminated": {"reason": "Error", "message": "lost its way"}}}),
            "Error: lost its way",
        ),
        // What holds it up now is not what it said before.
        (
            json!({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 1, "message": "old"}}}),
            "ImagePullBackOff: no such image",
        ),
    ];
    for (status, why) in cases {
        let mut seen = sound();
        *at(&mut seen.pods, "/items/3/status") = json!({"phase": "Running", "containerStatuses": [status]});
        let found: Vec<String> = judge(&seen).into_iter().map(|finding| finding.detail).collect();
        assert_eq!(found, [why]);
    }
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
        json!({"schema": "podsight.dev/doctor/v1", "summary": {"wrong": 0, "risky": 1, "unread": 0}, "unread": [], "absent": [],
            "findings": [{"check": "agent-not-on-node", "level": "risky", "object": "node/a\u{1b}[31m",
                "message": "此节点上没有就绪的代理：Evicted\nx",
                "next": "kubectl get pods -n podsight-system -l app.kubernetes.io/component=agent -o wide"}]})
    );
}
