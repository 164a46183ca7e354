//! A deleted Secret, a broken one and a wrong caBundle heal within a minute. What is somebody else's is left alone.

use super::installation::{Installation, LONG, MINUTE};
use super::load::Load;
use anyhow::Result;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use podsight_certificate::bundle;
use podsight_testbed::wait;
use podsight_tests::authority::Authority;
use podsight_tests::testbed::Testbed;
use serde_json::json;
use std::time::Duration;

#[test]
fn a_deleted_or_broken_secret_heals_and_nobody_notices() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let mut installation = Installation::create(&testbed, "e2e-broken-secret", LONG, |_| {})?;
    installation.start(2)?;
    installation.wait_whole(2)?;
    let load = Load::start(&testbed, &installation.namespace.name);
    wait::until("warnings are shown", Duration::from_secs(30), || {
        let counts = load.counts();
        Ok((counts.applied > 0 && counts.without_warning == 0).then_some(()))
    })?;
    let name = installation.secret_name();
    for broken in ["", "ca.crt", "ca.key", "tls.crt", "tls.key"] {
        let served = bundle(&installation.part("tls.crt")?)?;
        if broken.is_empty() {
            installation.namespace.kubectl(&["delete", "secret", &name])?;
        } else {
            let patch = json!({"data": {broken: BASE64_STANDARD.encode("nothing")}});
            installation.namespace.kubectl(&["patch", "secret", &name, "-p", &patch.to_string()])?;
        }
        wait::until(&format!("the Secret is whole again without {broken:?}"), MINUTE, || {
            let Ok(authorities) = installation.part("ca.crt") else { return Ok(None) };
            let (authorities, leaf) =
                (bundle(&authorities).unwrap_or_default(), bundle(&installation.part("tls.crt")?).unwrap_or_default());
            let has_keys = ["ca.key", "tls.key"].iter().all(|key| installation.part(key).is_ok_and(|key| key.starts_with(b"-----BEGIN")));
            // The one that is served was not replaced: nothing was wrong with it.
            let is_whole = has_keys && leaf == served && authorities.iter().any(|authority| leaf.iter().any(|leaf| authority.issued(leaf)));
            Ok((is_whole && installation.is_trusted()?).then_some(()))
        })?;
    }
    let counts = load.stop()?;
    println!("while the Secret was broken five times: {counts:?}");
    assert_eq!((counts.refused, counts.without_warning), (0, 0), "{counts:?}");
    Ok(())
}

#[test]
fn a_wrong_bundle_heals() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let mut installation = Installation::create(&testbed, "e2e-wrong-bundle", LONG, |_| {})?;
    installation.start(2)?;
    installation.wait_whole(2)?;
    let wrong = BASE64_STANDARD.encode(Authority::new()?.certificate());
    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        let patch = json!([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": wrong}]);
        testbed.kubectl.run(&["patch", kind, &installation.namespace.name, "--type=json", "-p", &patch.to_string()])?;
        wait::until("the caBundle is right again", MINUTE, || Ok(installation.is_trusted()?.then_some(())))?;
        let patch = json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]);
        testbed.kubectl.run(&["patch", kind, &installation.namespace.name, "--type=json", "-p", &patch.to_string()])?;
        wait::until("the caBundle is there again", MINUTE, || Ok(installation.is_trusted()?.then_some(())))?;
    }
    Ok(())
}

#[test]
fn somebody_elses_secret_is_left_alone() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let mut installation = Installation::create(&testbed, "e2e-their-secret", LONG, |_| {})?;
    let name = installation.secret_name();
    installation.namespace.kubectl(&["create", "secret", "generic", &name, "--from-literal=tls.crt=theirs"])?;
    let before = installation.secret()?;
    installation.start(2)?;
    for replica in &installation.replicas {
        wait::until("the replica says why it is not ready", MINUTE, || {
            let answer = replica.admin("/readyz")?;
            let why = format!(
                "[-]certificate not ready: the Secret `{name}` is of somebody else's making and is left alone: delete it, or choose another by --certificate-secret\n"
            );
            Ok((answer.status == 503 && answer.body.contains(&why)).then_some(()))
        })?;
    }
    assert_eq!(installation.secret()?, before);
    Ok(())
}
