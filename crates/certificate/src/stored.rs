//! What the Secret holds.

use crate::facts::{Certificate, bundle};

/// The key of the Secret with the authorities that are to be trusted, the newest first: what belongs into the caBundle.
pub const AUTHORITIES: &str = "ca.crt";
/// The key with the newest authority's private key.
pub const AUTHORITY_KEY: &str = "ca.key";
/// The key with the certificate that is served.
pub const LEAF: &str = "tls.crt";
/// The key with its private key.
pub const LEAF_KEY: &str = "tls.key";

/// What the Secret holds, as far as it can be used. Whoever reads private keys tells which public keys they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Authorities, the newest first.
    pub authorities: Vec<Certificate>,
    /// Whether the newest one's private key is there and fits.
    pub can_sign: bool,
    /// The leaf, if its private key is there and fits and one of the authorities signed it.
    pub leaf: Option<Certificate>,
}

impl Stored {
    /// Reads the Secret: the PEM of the authorities and of the leaf, and the public keys that belong to the two private keys.
    ///
    /// What is broken is as good as absent, each part by itself.
    pub fn read(authorities: &[u8], leaf: &[u8], authority_public_key: Option<&[u8]>, leaf_public_key: Option<&[u8]>) -> Self {
        let authorities: Vec<Certificate> =
            bundle(authorities).unwrap_or_default().into_iter().filter(|certificate| certificate.is_authority).collect();
        let fits = |certificate: &Certificate, key: Option<&[u8]>| key.is_some_and(|key| certificate.public_key == key);
        let can_sign = authorities.first().is_some_and(|authority| fits(authority, authority_public_key));
        let leaf = bundle(leaf).unwrap_or_default().into_iter().next();
        let leaf = leaf.filter(|leaf| fits(leaf, leaf_public_key) && authorities.iter().any(|authority| authority.issued(leaf)));
        Self { authorities, can_sign, leaf }
    }

    /// The authority that signed the leaf.
    pub fn leaf_issuer(&self) -> Option<&Certificate> {
        let leaf = self.leaf.as_ref()?;
        self.authorities.iter().find(|authority| authority.issued(leaf))
    }

    /// The bundle, in PEM.
    pub fn authorities_pem(&self) -> String {
        self.authorities.iter().map(Certificate::pem).collect()
    }
}
