//! What nobody notices: the leaf is renewed, then the authority; a replica ends, is killed; then all of them.

use super::installation::{Installation, LONG, Lives};
use super::load::{AT_A_TIME, Counts, Load};
use anyhow::Result;
use nix::sys::signal::Signal;
use podsight_certificate::bundle;
use podsight_testbed::wait;
use podsight_tests::testbed::Testbed;
use std::time::Duration;

#[test]
fn renewals_and_lost_replicas_are_never_noticed() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    let mut installation = Installation::create(&testbed, "e2e-renewal", Lives { leaf: "24s", authority: "60s" }, |_| {})?;
    installation.start(2)?;
    installation.wait_whole(2)?;
    let load = Load::start(&testbed, &installation.namespace.name);
    wait::until("warnings are shown", Duration::from_secs(30), || {
        let counts = load.counts();
        Ok((counts.applied > 0 && counts.without_warning == 0).then_some(()))
    })?;
    let no_loss = |what: &str| {
        let Counts { applied, refused, without_warning } = load.counts();
        println!("{what}: {applied} applied, {refused} refused, {without_warning} without a warning");
        assert_eq!((refused, without_warning), (0, 0), "{what}, of {applied}");
        assert!(applied > 0, "{what}");
        Ok::<_, anyhow::Error>(())
    };

    let (first_leaf, first_authority) = (installation.part("tls.crt")?, bundle(&installation.part("ca.crt")?)?);
    assert_eq!(first_authority.len(), 1);
    wait::until("the leaf is renewed", Duration::from_mins(1), || Ok((installation.part("tls.crt")? != first_leaf).then_some(())))?;
    no_loss("while the leaf is renewed")?;

    let both = wait::until("a second authority is trusted", Duration::from_secs(90), || {
        let authorities = bundle(&installation.part("ca.crt")?)?;
        Ok((authorities.first() != first_authority.first()).then_some(authorities))
    })?;
    assert_eq!((both.len(), both.last()), (2, first_authority.first()), "both are trusted during the change");
    wait::until("the new authority signs", Duration::from_mins(1), || {
        let leaf = bundle(&installation.part("tls.crt")?)?;
        Ok(leaf.first().is_some_and(|leaf| both[0].issued(leaf)).then_some(()))
    })?;
    // Until every replica serves it.
    std::thread::sleep(Duration::from_secs(2));
    no_loss("while the authority is renewed")?;

    installation.end(Signal::SIGTERM)?;
    no_loss("while a replica ends")?;
    installation.start(1)?;
    installation.wait_whole(2)?;
    no_loss("while a replica starts")?;

    let in_flight = u64::try_from(AT_A_TIME)?;
    // What is in flight in a process that is killed is lost with it: the API server lets it pass without a warning.
    load.counts();
    installation.end(Signal::SIGKILL)?;
    std::thread::sleep(Duration::from_secs(1));
    let killed = load.counts();
    println!("while a replica is killed: {killed:?}");
    assert_eq!(killed.refused, 0, "{killed:?}");
    assert!(killed.without_warning <= in_flight, "more than could be in flight: {killed:?}");
    std::thread::sleep(Duration::from_secs(1));
    no_loss("after a replica was killed")?;

    installation.end(Signal::SIGKILL)?;
    load.counts();
    std::thread::sleep(Duration::from_secs(2));
    let without = load.stop()?;
    println!("without a replica: {without:?}");
    assert_eq!(without.refused, 0, "{without:?}");
    let warned = without.applied - without.without_warning;
    assert!(without.without_warning > 0 && warned <= in_flight, "more than were in flight when it was killed: {without:?}");
    Ok(())
}

#[test]
fn replicas_that_start_at_once_agree_on_one_authority() -> Result<()> {
    let Some(testbed) = Testbed::find()? else { return Ok(()) };
    for round in 0..3 {
        let mut installation = Installation::create(&testbed, &format!("e2e-agree-{round}"), LONG, |_| {})?;
        installation.start(4)?;
        installation.wait_whole(4)?;
        assert_eq!(bundle(&installation.part("ca.crt")?)?.len(), 1);
        let leaf = bundle(&installation.part("tls.crt")?)?.remove(0);
        let ninety_days = 90 * 24 * 3600;
        for replica in &installation.replicas {
            assert!(replica.metric("podsight_webhook_authority_expires_in_seconds")? > 364.0 * 24.0 * 3600.0);
            let left = replica.metric("podsight_webhook_certificate_expires_in_seconds")?;
            assert!((f64::from(ninety_days) - 60.0..=f64::from(ninety_days)).contains(&left), "{left}");
        }
        assert!(leaf.names.contains(&"127.0.0.1".to_owned()), "{:?}", leaf.names);
        // One replica wrote the Secret, and one the caBundles.
        let writes: f64 =
            installation.replicas.iter().filter_map(|replica| replica.metric("podsight_webhook_certificate_writes_total").ok()).sum();
        assert!((2.0..=3.0).contains(&writes), "{writes}");
    }
    Ok(())
}
