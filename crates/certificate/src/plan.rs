//! What is to be done next.

use crate::facts::Certificate;
use crate::stored::Stored;

/// Certificates begin so long before they are made: a clock that is behind by less trusts them at once.
pub const BACKDATE_SECONDS: i64 = 3600;
/// Authorities that are trusted at a time: the newest, the one before, and one that somebody else brought.
const TRUSTED_MAX: usize = 3;
/// API servers watch their configuration and know a new authority within seconds. They get this long.
const SETTLE_SECONDS: i64 = 300;

/// How long certificates live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Seconds from the making of a leaf to its end.
    pub leaf: i64,
    /// Seconds from the making of an authority to its end.
    pub authority: i64,
}

impl Lifetimes {
    /// Seconds that a new authority is known before it signs what is served: five minutes, or less where leaves are shorter lived.
    pub fn settle(self) -> i64 {
        SETTLE_SECONDS.min(self.leaf / 6).max(1)
    }
}

/// What happens to the authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// It stays.
    Keep,
    /// A new one comes in front.
    New,
}

/// What happens to the leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// It stays.
    Keep,
    /// The one that is served is stored again.
    Restore,
    /// The newest authority signs a new one.
    New,
}

/// Why something is done, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no authority that could sign.
    NoAuthority,
    /// The authority is at two thirds of its life.
    AuthorityDue,
    /// There is no leaf that could be served.
    NoLeaf,
    /// The leaf that is served is stored no longer.
    LeafLost,
    /// The leaf is at two thirds of its life.
    LeafDue,
    /// The leaf lacks a name.
    Names,
    /// The new authority is known by now.
    AuthoritySettled,
}

impl Reason {
    /// One sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoAuthority => "there was no authority that could sign",
            Self::AuthorityDue => "the authority was at two thirds of its life",
            Self::NoLeaf => "there was no certificate that could be served",
            Self::LeafLost => "the certificate in use was no longer stored",
            Self::LeafDue => "the certificate was at two thirds of its life",
            Self::Names => "the certificate lacked a name",
            Self::AuthoritySettled => "the new authority is known to the API servers by now",
        }
    }
}

/// One change of what is stored, made in one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What happens to the authority.
    pub authority: Authority,
    /// What happens to the leaf.
    pub leaf: Leaf,
    /// The authorities that are trusted beside a new one, or all of them where there is none; the newest first.
    pub trusted: Vec<Certificate>,
    /// Why.
    pub reason: Reason,
}

/// An authority that API servers are told to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The authority.
    pub certificate: Certificate,
    /// Seconds since this replica first saw it there. Its own clock says so: those of the replicas may differ.
    pub known_for: i64,
}

/// All that a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What is stored.
    pub stored: &'a Stored,
    /// What this replica serves, with the authorities as they were when it took it.
    pub served: &'a Stored,
    /// What API servers are told to trust: the caBundle, of several what all of them have.
    pub trusted: &'a [Trusted],
    /// The names that the leaf must have.
    pub names: &'a [String],
    /// How long certificates live.
    pub lifetimes: Lifetimes,
    /// Where this replica stands among the others, in thousandths: they do not all renew at the same moment.
    pub spread: u16,
    /// Seconds since 1970.
    pub now: i64,
}

impl Situation<'_> {
    /// What is to be done, if anything.
    pub fn plan(&self) -> Option<Plan> {
        let newest = self.stored.authorities.first().filter(|authority| self.stored.can_sign && authority.is_valid_at(self.now));
        let (leaf, leaf_issuer, is_stored) = match usable(self.stored, self.now) {
            Some((leaf, issuer)) => (Some(leaf), Some(issuer), true),
            None => match usable(self.served, self.now) {
                Some((leaf, issuer)) => (Some(leaf), Some(issuer), false),
                None => (None, None, false),
            },
        };
        let Some(newest) = newest else { return Some(self.new_authority(leaf.is_some(), is_stored, Reason::NoAuthority)) };
        if self.now >= renewal_at(newest, self.lifetimes.authority, self.spread) {
            return Some(self.new_authority(leaf.is_some(), is_stored, Reason::AuthorityDue));
        }
        let (Some(leaf), Some(issuer)) = (leaf, leaf_issuer) else {
            return Some(Plan { authority: Authority::Keep, leaf: Leaf::New, trusted: self.others(Some(newest)), reason: Reason::NoLeaf });
        };
        let reason = if issuer != newest {
            Some(Reason::AuthoritySettled)
        } else if !self.names.iter().all(|name| leaf.names.contains(name)) {
            Some(Reason::Names)
        } else if self.now >= renewal_at(leaf, self.lifetimes.leaf, self.spread) {
            Some(Reason::LeafDue)
        } else {
            None
        };
        match reason {
            Some(reason) if issuer == newest || self.is_known(newest) => {
                let mut trusted = vec![newest.clone()];
                // Other replicas serve the old leaf for a while.
                trusted.extend((issuer != newest).then(|| issuer.clone()));
                Some(Plan { authority: Authority::Keep, leaf: Leaf::New, trusted, reason })
            }
            _ if !is_stored => {
                let trusted = self.others(Some(newest));
                Some(Plan { authority: Authority::Keep, leaf: Leaf::Restore, trusted, reason: Reason::LeafLost })
            }
            _ => None,
        }
    }

    /// Whether the stored leaf is to be served from now on: if its authority is known, or if there is nothing else to serve.
    pub fn is_to_be_served(&self) -> bool {
        let Some((leaf, issuer)) = usable(self.stored, self.now) else { return false };
        if self.served.leaf.as_ref() == Some(leaf) {
            return false;
        }
        usable(self.served, self.now).is_none() || self.is_known(issuer)
    }

    /// Whether API servers trust what is served, as far as their configuration tells.
    pub fn is_served_trusted(&self) -> bool {
        self.served.leaf_issuer().is_some_and(|issuer| self.trusted.iter().any(|trusted| trusted.certificate == *issuer))
    }

    /// Whether API servers have had time to learn of an authority.
    fn is_known(&self, authority: &Certificate) -> bool {
        self.trusted.iter().any(|trusted| trusted.certificate == *authority && trusted.known_for >= self.lifetimes.settle())
    }

    fn new_authority(&self, has_leaf: bool, is_stored: bool, reason: Reason) -> Plan {
        let leaf = match (has_leaf, is_stored) {
            (true, true) => Leaf::Keep,
            (true, false) => Leaf::Restore,
            (false, _) => Leaf::New,
        };
        let mut trusted = self.others(None);
        trusted.truncate(TRUSTED_MAX - 1);
        Plan { authority: Authority::New, leaf, trusted, reason }
    }

    /// The authorities that somebody may still serve a leaf of, after `first`: of the leaf in use, stored ones, trusted ones.
    fn others(&self, first: Option<&Certificate>) -> Vec<Certificate> {
        let mut others: Vec<Certificate> = first.cloned().into_iter().collect();
        let in_use = [self.stored.leaf_issuer(), self.served.leaf_issuer()].into_iter().flatten();
        for authority in in_use.chain(&self.stored.authorities).chain(self.trusted.iter().map(|trusted| &trusted.certificate)) {
            if others.len() < TRUSTED_MAX && authority.is_authority && authority.is_valid_at(self.now) && !others.contains(authority) {
                others.push(authority.clone());
            }
        }
        others
    }
}

/// The leaf that can be served, and who signed it.
fn usable(stored: &Stored, now: i64) -> Option<(&Certificate, &Certificate)> {
    let leaf = stored.leaf.as_ref().filter(|leaf| leaf.is_valid_at(now))?;
    Some((leaf, stored.leaf_issuer().filter(|issuer| issuer.is_valid_at(now))?))
}

fn made_at(certificate: &Certificate) -> i64 {
    certificate.not_before.saturating_add(BACKDATE_SECONDS)
}

/// When a certificate is to be renewed, in seconds since 1970: at two thirds of its life, less a thirtieth at the most for the spread;
/// at once where it would live longer than `lifetime` seconds.
pub fn renewal_at(certificate: &Certificate, lifetime: i64, spread: u16) -> i64 {
    let made = made_at(certificate);
    let life = certificate.not_after.saturating_sub(made).max(0);
    if life > lifetime {
        return made;
    }
    let thousandths = i64::from(spread.min(1000));
    made.saturating_add(life / 3 * 2).saturating_sub(life / 30 * thousandths / 1000)
}
