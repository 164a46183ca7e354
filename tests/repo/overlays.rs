//! What the overlays change, and that the parts of a certificate fit together.

use crate::objects::{self, Object};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

fn find<'a>(objects: &'a [Object], kind: &str, name: &str) -> Result<&'a Object> {
    objects.iter().find(|object| object.kind() == kind && object.name() == name).with_context(|| format!("no {kind}/{name}"))
}

#[test]
fn cert_manager_issues_what_the_webhook_mounts() -> Result<()> {
    let objects = objects::kustomization("deploy/overlays/cert-manager")?;
    let certificate = find(&objects, "Certificate", "podsight-webhook")?;
    let mounted = objects::documents("deploy/components/mounted-certificate/webhook.yaml")?;
    let mounted = mounted.first().and_then(|patch| patch.pointer("/spec/template/spec/volumes/0/secret/secretName"));
    let service = find(&objects, "Service", "podsight-webhook")?;
    assert_eq!(Some(certificate.at("/spec/secretName")), mounted);
    let name = format!("{}.{}.svc", service.name(), service.text("/metadata/namespace"));
    assert_eq!(*certificate.at("/spec/dnsNames"), json!([name]));

    // Each certificate is signed by an issuer that is there, up to the one that signs itself.
    let mut signed_by = Vec::new();
    let mut next = certificate;
    loop {
        let issuer = find(&objects, "Issuer", next.text("/spec/issuerRef/name"))?;
        signed_by.push(issuer.name());
        if *issuer.at("/spec/selfSigned") == json!({}) {
            break;
        }
        let secret = issuer.at("/spec/ca/secretName");
        next = objects
            .iter()
            .find(|object| object.kind() == "Certificate" && object.at("/spec/secretName") == secret)
            .with_context(|| format!("nothing makes the Secret {secret}"))?;
        assert_eq!(*next.at("/spec/isCA"), true);
    }
    assert_eq!(signed_by, ["podsight-ca", "podsight-root"]);

    let patches = objects::documents("deploy/overlays/cert-manager/configuration.yaml")?;
    let certificate = Value::String(format!("{}/{}", certificate.text("/metadata/namespace"), certificate.name()));
    for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
        let patch = patches.iter().find(|patch| patch["kind"] == kind);
        let from = patch.and_then(|patch| patch.pointer("/metadata/annotations/cert-manager.io~1inject-ca-from"));
        assert_eq!(from, Some(&certificate), "{kind}");
    }
    Ok(())
}

#[test]
fn a_mounted_certificate_needs_no_rights() -> Result<()> {
    let component = objects::documents("deploy/components/mounted-certificate/kustomization.yaml")?;
    let inline = component.first().and_then(|component| component["patches"].as_array()).context("no patches")?;
    let removed: Vec<&str> = inline
        .iter()
        .filter_map(|patch| patch["patch"].as_str())
        .filter(|patch| patch.contains("$patch: delete") && patch.contains("name: podsight-webhook-certificates"))
        .filter_map(|patch| patch.lines().find_map(|line| line.strip_prefix("kind: ")))
        .collect();
    let base = objects::kustomization("deploy/base")?;
    let given: Vec<&str> = base.iter().filter(|object| object.name() == "podsight-webhook-certificates").map(Object::kind).collect();
    assert_eq!(given.len(), 4);
    assert_eq!(removed, given);
    // What the base says of the certificate, the component says otherwise.
    let patch = objects::documents("deploy/components/mounted-certificate/webhook.yaml")?;
    let env = patch.first().and_then(|patch| patch.pointer("/spec/template/spec/containers/0/env/0")).context("no env")?;
    assert_eq!(*env, json!({"name": "PODSIGHT_CERTIFICATES", "value": "mounted"}));
    let own = find(&base, "Deployment", "podsight-webhook")?.at("/spec/template/spec/containers/0/env/0");
    assert_eq!(*own, json!({"name": "PODSIGHT_CERTIFICATES", "value": "own"}));
    for overlay in ["cert-manager", "local"] {
        let file = format!("deploy/overlays/{overlay}/kustomization.yaml");
        let kustomization = objects::documents(&file)?;
        let components = kustomization.first().and_then(|file| file.get("components"));
        assert_eq!(components, Some(&json!(["../../components/mounted-certificate"])), "{overlay}");
    }
    Ok(())
}

#[test]
fn the_kmsg_overlay_opens_one_device_and_nothing_else() -> Result<()> {
    let patch = objects::documents("deploy/overlays/kmsg/agent.yaml")?;
    let spec = patch.first().and_then(|patch| patch.pointer("/spec/template/spec")).context("no pod spec")?;
    assert_eq!(
        *spec,
        json!({
            "containers": [{
                "name": "agent",
                "securityContext": {"privileged": true, "allowPrivilegeEscalation": true},
                "volumeMounts": [{"name": "kmsg", "mountPath": "/dev/kmsg", "readOnly": true}],
            }],
            "volumes": [{"name": "kmsg", "hostPath": {"path": "/dev/kmsg", "type": "CharDevice"}}],
        })
    );
    let base = objects::kustomization("deploy/base")?;
    let agent = find(&base, "DaemonSet", "podsight-agent")?;
    let args = agent.at("/spec/template/spec/containers/0/args").as_array().context("no arguments")?;
    assert!(args.contains(&json!("--kernel-log=auto")), "the overlay counts on it");
    Ok(())
}

#[test]
fn the_component_without_counters_takes_away_what_the_base_mounts() -> Result<()> {
    let patch = objects::documents("deploy/components/without-counters/agent.yaml")?;
    let spec = patch.first().and_then(|patch| patch.pointer("/spec/template/spec")).context("no pod spec")?;
    let base = objects::kustomization("deploy/base")?;
    let agent = find(&base, "DaemonSet", "podsight-agent")?;
    let (volume, mount) = (&spec["volumes"][0], &spec["containers"][0]["volumeMounts"][0]);
    let names = |pointer: &str, key: &str| -> Vec<Value> {
        agent.at(pointer).as_array().into_iter().flatten().map(|entry| entry[key].clone()).collect()
    };
    assert!(names("/spec/template/spec/volumes", "name").contains(&volume["name"]));
    assert!(names("/spec/template/spec/containers/0/volumeMounts", "mountPath").contains(&mount["mountPath"]));
    assert_eq!((&volume["$patch"], &mount["$patch"]), (&json!("delete"), &json!("delete")));
    Ok(())
}
