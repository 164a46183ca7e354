//! Making authorities and certificates.

use podsight_certificate::{BACKDATE_SECONDS, Certificate};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use std::time::{Duration, UNIX_EPOCH};
use thiserror::Error;

/// The name of every own authority. They differ by their keys, which certificates name too.
const AUTHORITY_NAME: &str = "podsight webhook authority";

/// A certificate and its private key, in PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Issued").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Why a certificate could not be made.
#[derive(Debug, Error)]
pub enum IssueError {
    /// A name is neither a DNS name nor an address, or a key cannot be made or used.
    #[error("failed to make a certificate")]
    Make(#[from] rcgen::Error),
    /// The stored authority is of somebody else's making.
    #[error("the stored authority was not made by podsight: delete the Secret to get a new one")]
    Foreign,
}

/// A new authority that lives for so many seconds.
pub fn new_authority(now: i64, lifetime: i64) -> Result<Issued, IssueError> {
    let key = KeyPair::generate()?;
    let mut params = authority();
    validity(&mut params, now, now.saturating_add(lifetime));
    Ok(Issued { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

/// A new leaf for these names until `end`, signed by the authority with this key.
pub fn new_leaf(names: &[String], issuer: &Certificate, issuer_key: &str, now: i64, end: i64) -> Result<Issued, IssueError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names.to_vec())?;
    if let Some(name) = names.first() {
        // An X.509 name takes 64 characters (RFC 5280, A.1); clients look at the alternative names alone.
        params.distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    validity(&mut params, now, end.min(issuer.not_after));
    let leaf = params.signed_by(&key, &Issuer::new(authority(), KeyPair::from_pem(issuer_key)?))?;
    let made = Certificate::read(leaf.der()).map_err(|_| IssueError::Foreign)?;
    if !issuer.issued(&made) {
        return Err(IssueError::Foreign);
    }
    Ok(Issued { certificate: leaf.pem(), key: key.serialize_pem() })
}

/// The bits of the public key that belongs to a private one.
pub(super) fn public_key(private: &str) -> Option<Vec<u8>> {
    KeyPair::from_pem(private).ok().map(|key| key.der_bytes().to_vec())
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn validity(params: &mut CertificateParams, now: i64, end: i64) {
    let at = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    params.not_before = at(now.saturating_sub(BACKDATE_SECONDS)).into();
    params.not_after = at(end).into();
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn read(issued: &Issued) -> Certificate {
        podsight_certificate::bundle(issued.certificate.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn an_authority_signs_a_leaf() {
        let authority = new_authority(NOW, 1000).unwrap();
        let issuer = read(&authority);
        let names = ["a.b.svc".to_owned(), "127.0.0.1".to_owned()];
        let new = new_leaf(&names, &issuer, &authority.key, NOW, NOW + 5000).unwrap();
        let leaf = read(&new);
        assert!(issuer.issued(&leaf));
        assert_eq!(leaf.names, names);
        // Never longer than its authority.
        assert_eq!((leaf.not_before, leaf.not_after), (NOW - BACKDATE_SECONDS, NOW + 1000));
        assert_eq!(public_key(&new.key), Some(leaf.public_key));
        assert!(!format!("{new:?}").contains("PRIVATE"));
    }

    #[test]
    fn another_key_signs_nothing() {
        let issuer = read(&new_authority(NOW, 1000).unwrap());
        let other = new_authority(NOW, 1000).unwrap();
        assert!(matches!(new_leaf(&["a".to_owned()], &issuer, &other.key, NOW, NOW + 10), Err(IssueError::Foreign)));
    }
}
