//! Years in the life of a certificate, with everything that happens to it: replicas that come and go and look at different times, clocks
//! that differ, API servers that learn late, a Secret and a caBundle that are broken or deleted.

#![cfg(test)]

use podsight_certificate::{Authority, BACKDATE_SECONDS, Certificate, Leaf, Lifetimes, Plan, Situation, Stored, Trusted, bundle};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair, PublicKeyData as _};

const NAME: &str = "podsight-webhook.podsight-system.svc";
const LIFETIMES: Lifetimes = Lifetimes { leaf: 9_000, authority: 36_000 };
const START: i64 = 1_800_000_000;
const REPLICAS: usize = 3;
/// Seconds until every API server has a change of the configuration.
const LAG: i64 = 60;

/// Numbers that look random and are the same each time (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        i64::try_from((bits ^ (bits >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// The Secret's data; an empty text is an absent key.
#[derive(Clone, Default)]
struct Secret {
    authorities: String,
    authority_key: String,
    leaf: String,
    leaf_key: String,
    version: u64,
    /// All that, read.
    stored: Stored,
}

fn public_key(pem: &str) -> Option<Vec<u8>> {
    KeyPair::from_pem(pem).ok().map(|key| key.der_bytes().to_vec())
}

impl Secret {
    fn read(mut self) -> Self {
        let (authority_key, leaf_key) = (public_key(&self.authority_key), public_key(&self.leaf_key));
        self.stored = Stored::read(self.authorities.as_bytes(), self.leaf.as_bytes(), authority_key.as_deref(), leaf_key.as_deref());
        self
    }
}

fn validity(params: &mut CertificateParams, now: i64, end: i64) {
    let at = |seconds: i64| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(seconds).unwrap());
    params.not_before = at(now - BACKDATE_SECONDS).into();
    params.not_after = at(end).into();
    params.use_authority_key_identifier_extension = true;
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "podsight");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params
}

/// What the webhook does with a plan: the new Secret.
fn carry_out(plan: &Plan, old: &Secret, served: &Secret, lifetimes: Lifetimes, now: i64) -> Secret {
    let mut new = Secret { version: old.version + 1, ..old.clone() };
    new.authorities = plan.trusted.iter().map(Certificate::pem).collect();
    if plan.authority == Authority::New {
        let mut params = authority();
        validity(&mut params, now, now + lifetimes.authority);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        new.authorities.insert_str(0, &authority.pem());
        new.authority_key = authority.key().serialize_pem();
    }
    match plan.leaf {
        Leaf::Keep => {}
        Leaf::Restore => (new.leaf, new.leaf_key) = (served.leaf.clone(), served.leaf_key.clone()),
        Leaf::New => {
            let end = bundle(new.authorities.as_bytes()).unwrap()[0].not_after.min(now + lifetimes.leaf);
            let issuer = Issuer::new(authority(), KeyPair::from_pem(&new.authority_key).unwrap());
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
            validity(&mut params, now, end);
            new.leaf = params.signed_by(&key, &issuer).unwrap().pem();
            new.leaf_key = key.serialize_pem();
        }
    }
    new.read()
}

struct Replica {
    next_look: i64,
    skew: i64,
    spread: u16,
    served: Secret,
    /// The authorities that it saw in the caBundle, and since when.
    known: Vec<(Certificate, i64)>,
    /// A plan that is on its way to the Secret, and when it gets there.
    writing: Option<(i64, Secret)>,
}

struct World {
    numbers: Numbers,
    lifetimes: Lifetimes,
    now: i64,
    secret: Secret,
    /// The caBundle now, and what API servers knew before: each with the moment at which it was set.
    bundles: Vec<(i64, Vec<Certificate>)>,
    replicas: Vec<Replica>,
    writes: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let replicas = (0..REPLICAS)
            .map(|number| Replica {
                next_look: START + i64::try_from(number).unwrap(),
                skew: 0,
                spread: u16::try_from(number * 400).unwrap(),
                served: Secret::default(),
                known: Vec::new(),
                writing: None,
            })
            .collect();
        let bundles = vec![(0, Vec::new())];
        Self { numbers: Numbers(seed), lifetimes: LIFETIMES, now: START, secret: Secret::default(), bundles, replicas, writes: 0 }
    }

    fn set_bundle(&mut self, authorities: &[Certificate]) {
        self.bundles.push((self.now, authorities.to_vec()));
        let old = self.bundles.len().saturating_sub(20);
        self.bundles.drain(..old);
    }

    /// One replica looks at everything, as the webhook does: first the configuration, then the Secret.
    fn look(&mut self, number: usize) {
        let configured = self.bundles.last().unwrap().1.clone();
        let replica = &mut self.replicas[number];
        let clock = self.now + replica.skew;
        replica.known.retain(|(known, _)| configured.contains(known));
        for authority in &configured {
            if !replica.known.iter().any(|(known, _)| known == authority) {
                replica.known.push((authority.clone(), clock));
            }
        }
        let trusted: Vec<Trusted> = replica
            .known
            .iter()
            .map(|(certificate, since)| Trusted { certificate: certificate.clone(), known_for: clock - since })
            .collect();
        let (stored, served) = (self.secret.stored.clone(), replica.served.stored.clone());
        let situation = Situation {
            stored: &stored,
            served: &served,
            trusted: &trusted,
            names: &[NAME.to_owned()],
            lifetimes: self.lifetimes,
            spread: replica.spread,
            now: clock,
        };
        if situation.is_to_be_served() {
            replica.served = self.secret.clone();
        }
        let delay = self.numbers.below(3);
        if let Some(plan) = situation.plan() {
            let new = carry_out(&plan, &self.secret, &replica.served, self.lifetimes, clock);
            replica.writing = Some((self.now + delay, new));
            replica.next_look = self.now + delay + 1;
        } else {
            replica.next_look = self.now + 10 + self.numbers.below(20);
            if !stored.authorities.is_empty() && configured != stored.authorities {
                self.set_bundle(&stored.authorities);
            }
        }
    }

    fn write(&mut self, number: usize) {
        let Some((_, new)) = self.replicas[number].writing.take() else { return };
        if new.version == self.secret.version + 1 {
            self.secret = new;
            self.writes += 1;
        }
    }

    /// The next moment at which something happens.
    fn step(&mut self) {
        let at = |replica: &Replica| replica.writing.as_ref().map_or(replica.next_look, |(at, _)| *at);
        let number = (0..REPLICAS).min_by_key(|number| at(&self.replicas[*number])).unwrap();
        self.now = self.now.max(at(&self.replicas[number]));
        if self.replicas[number].writing.is_some() { self.write(number) } else { self.look(number) }
    }

    /// What an API server may trust at this moment: whatever was configured in the last minute, and what stood before that.
    fn views(&self) -> impl Iterator<Item = &[Certificate]> {
        let known = self.bundles.iter().rposition(|(at, _)| *at <= self.now - LAG).unwrap_or(0);
        self.bundles[known..].iter().map(|(_, authorities)| authorities.as_slice())
    }

    /// Every served leaf is valid and trusted by every API server.
    fn assert_all_trusted(&self) {
        for (number, replica) in self.replicas.iter().enumerate() {
            let Some(leaf) = &replica.served.stored.leaf else { continue };
            assert!(leaf.is_valid_at(self.now), "replica {number} serves a leaf that is not valid at {}", self.now - START);
            for view in self.views() {
                let trusted = view.iter().any(|authority| authority.issued(leaf) && authority.is_valid_at(self.now));
                assert!(trusted, "replica {number} is not trusted at {} ({} authorities)", self.now - START, view.len());
            }
        }
    }

    fn until(&mut self, end: i64, mut each: impl FnMut(&mut Self)) {
        while self.now < end {
            self.step();
            each(self);
        }
    }

    /// From nothing to a state in which all is trusted everywhere.
    fn settled(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.until(START + 2 * LAG, |_| {});
        world.assert_all_trusted();
        world
    }
}

#[test]
fn replicas_agree_on_one_authority() {
    for seed in 0..20 {
        let world = World::settled(seed);
        assert_eq!(world.writes, 1, "the first wins, the others take what it made");
        let leaves: Vec<_> = world.replicas.iter().map(|replica| replica.served.leaf.clone()).collect();
        assert!(leaves.iter().all(|leaf| *leaf == world.secret.leaf && !leaf.is_empty()));
    }
}

#[test]
fn renewals_are_never_noticed() {
    let mut world = World::settled(1);
    let (mut authorities, mut most) = (vec![], 0);
    world.until(START + 10 * LIFETIMES.authority, |world| {
        world.assert_all_trusted();
        let stored = &world.secret.stored;
        most = most.max(stored.authorities.len());
        if authorities.last() != stored.authorities.first() {
            authorities.push(stored.authorities[0].clone());
        }
    });
    assert_eq!(most, 2, "two authorities in the bundle during a change");
    // Ten lives in time, renewed at two thirds of each.
    assert!((14..=17).contains(&authorities.len()), "{}", authorities.len());
    // A leaf is made for each two thirds of its life, and one more for each authority; nothing else is written.
    assert!((60..=100).contains(&world.writes), "{}", world.writes);
}

#[test]
fn clocks_may_differ_by_almost_an_hour() {
    let mut world = World::new(2);
    // A day is short for a leaf, and long beside an hour.
    world.lifetimes = Lifetimes { leaf: 24 * 3600, authority: 4 * 24 * 3600 };
    world.replicas[0].skew = 1_700;
    world.replicas[1].skew = -1_700;
    world.until(START + 2 * LAG, |_| {});
    let first = world.secret.stored.authorities.clone();
    world.until(START + 3 * 24 * 3600, |world| world.assert_all_trusted());
    assert_ne!(world.secret.stored.authorities[0], first[0]);
    assert!(world.writes < 12, "{}", world.writes);
}

#[test]
fn replicas_come_and_go() {
    let mut world = World::settled(3);
    world.until(START + 4 * LIFETIMES.authority, |world| {
        if world.numbers.below(200) == 0 {
            let number = usize::try_from(world.numbers.below(3)).unwrap();
            let replica = &mut world.replicas[number];
            (replica.served, replica.writing) = (Secret::default(), None);
            replica.next_look = world.now + 1 + world.numbers.below(600);
        }
        world.assert_all_trusted();
    });
}

#[test]
fn a_deleted_or_broken_secret_is_never_noticed() {
    let mut world = World::settled(4);
    let mut broken = 0;
    world.until(START + 4 * LIFETIMES.authority, |world| {
        world.assert_all_trusted();
        if world.numbers.below(400) == 0 {
            broken += 1;
            let secret = &mut world.secret;
            // A deleted Secret that is made again begins with a version of its own.
            secret.version += 1;
            match world.numbers.below(6) {
                0 => *secret = Secret { version: secret.version, ..Secret::default() },
                1 => secret.authorities.clear(),
                2 => secret.authority_key = "no key".to_owned(),
                3 => secret.leaf.truncate(100),
                4 => secret.leaf_key = KeyPair::generate().unwrap().serialize_pem(),
                _ => secret.authorities.insert_str(0, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            }
            *secret = secret.clone().read();
        }
    });
    assert!(broken > 20, "{broken}");
}

#[test]
fn a_wrong_bundle_heals_within_a_minute() {
    let mut world = World::settled(5);
    let right = world.bundles.last().unwrap().1.clone();
    for wrong in [vec![], vec![right[0].clone(); 2]] {
        world.set_bundle(&wrong);
        let end = world.now + 60;
        world.until(end, |_| {});
        assert_eq!(world.bundles.last().unwrap().1, right);
    }
}

#[test]
fn a_clock_that_jumps_years_ahead_heals_within_two_minutes() {
    let mut world = World::settled(6);
    world.now += 10 * LIFETIMES.authority;
    let end = world.now + 60 + LAG;
    world.until(end, |_| {});
    world.assert_all_trusted();
}

#[test]
fn somebody_elses_authority_is_trusted_until_the_first_renewal() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let theirs = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let theirs = Certificate::read(theirs.der()).unwrap();
    let mut world = World::new(7);
    // Replicas of before are still there, with a certificate that somebody mounted.
    world.set_bundle(std::slice::from_ref(&theirs));
    let is_trusted = |world: &World| world.bundles.last().unwrap().1.contains(&theirs);
    world.until(START + LIFETIMES.leaf / 2, |world| assert!(is_trusted(world)));
    world.until(START + LIFETIMES.leaf, |_| {});
    assert!(!is_trusted(&world));
}
