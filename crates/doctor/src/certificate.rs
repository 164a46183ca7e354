//! The certificate that is served, and whether the API server trusts it.

use crate::finding::{Check, Finding, Report as _};
use crate::seen::{Read, Seen, list, text};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_certificate::{Certificate, bundle};
use serde_json::Value;

const DAY_SECONDS: i64 = 24 * 3600;

pub(crate) fn judge(seen: &Seen, findings: &mut Vec<Finding>) {
    if crate::webhook::is_off(seen) {
        return;
    }
    let is_own = seen.deployment.value().is_none_or(makes_its_own);
    let (secret, name) =
        if is_own { (&seen.own_secret, "podsight-webhook-certificates") } else { (&seen.mounted_secret, "podsight-webhook-tls") };
    let object = format!("secret/{name}");
    let leaf = match secret {
        Read::Found(secret) => {
            let leaf = certificates(text(secret, "/data/tls.crt")).into_iter().next();
            if leaf.is_none() {
                findings.report(Check::CertificateMissing, object.as_str(), "tls.crt");
            }
            leaf
        }
        Read::Missing => {
            findings.report(Check::CertificateMissing, object.as_str(), name);
            None
        }
        Read::NotAsked | Read::Refused(_) => None,
    };
    if let Some(leaf) = &leaf {
        judge_life(leaf, &object, seen.now, findings);
    }
    for (kind, read) in [("validatingwebhookconfiguration", &seen.validating), ("mutatingwebhookconfiguration", &seen.mutating)] {
        let Some(configuration) = read.value() else { continue };
        let object = format!("{kind}/{}", text(configuration, "/metadata/name"));
        if is_own && configuration.pointer("/metadata/annotations/cert-manager.io~1inject-ca-from").is_some() {
            findings.report(Check::TwoIssuers, object.as_str(), "");
        }
        for call in list(configuration, "/webhooks") {
            judge_bundle(call, leaf.as_ref(), &object, seen.now, findings);
        }
    }
}

fn makes_its_own(deployment: &Value) -> bool {
    list(deployment, "/spec/template/spec/containers")
        .iter()
        .flat_map(|container| list(container, "/env"))
        .any(|variable| text(variable, "/name") == "PODSIGHT_CERTIFICATES" && text(variable, "/value") == "own")
}

fn judge_life(leaf: &Certificate, object: &str, now: i64, findings: &mut Vec<Finding>) {
    let left = leaf.not_after.saturating_sub(now);
    let life = leaf.not_after.saturating_sub(leaf.not_before);
    if left <= 0 {
        findings.report(Check::CertificateExpired, object, span(-left));
    } else if left < life / 6 {
        // It is renewed with a third of its life left, whoever does it.
        findings.report(Check::CertificateExpiring, object, span(left));
    }
}

fn judge_bundle(call: &Value, leaf: Option<&Certificate>, object: &str, now: i64, findings: &mut Vec<Finding>) {
    let name = text(call, "/name");
    let trusted = certificates(text(call, "/clientConfig/caBundle"));
    if trusted.is_empty() {
        findings.report(Check::BundleEmpty, object, name);
        return;
    }
    let Some(leaf) = leaf else { return };
    // A self-signed certificate is its own authority.
    let issuer = trusted.iter().find(|authority| authority.issued(leaf) || *authority == leaf);
    match issuer {
        Some(issuer) if issuer.not_after > now => {
            let left = issuer.not_after.saturating_sub(now);
            if left < issuer.not_after.saturating_sub(issuer.not_before) / 6
                && issuer.not_after < leaf.not_after.saturating_add(DAY_SECONDS)
            {
                findings.report(Check::AuthorityExpiring, object, span(left));
            }
        }
        _ => findings.report(Check::BundleMismatch, object, name),
    }
}

fn certificates(base64: &str) -> Vec<Certificate> {
    BASE64_STANDARD.decode(base64).ok().and_then(|pem| bundle(&pem).ok()).unwrap_or_default()
}

/// A time in its largest unit.
fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / DAY_SECONDS),
    }
}
