//! What is known of a certificate.

use thiserror::Error;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::X509Certificate;

/// More certificates than this are no bundle of ours, and a hostile one must not cost time.
const BUNDLE_MAX: usize = 64;

/// A certificate and what it says. Equal certificates are equal byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// As it goes over the wire.
    pub der: Vec<u8>,
    /// The name of the one it belongs to, as it stands in the certificate.
    pub subject: Vec<u8>,
    /// The name of the one that signed it.
    pub issuer: Vec<u8>,
    /// The identifier of its own key, empty where it has none.
    pub key_id: Vec<u8>,
    /// The identifier of the key that signed it, empty where it has none.
    pub issuer_key_id: Vec<u8>,
    /// The public key's bits (the `subjectPublicKey` of RFC 5280).
    pub public_key: Vec<u8>,
    /// Seconds since 1970 from which it is valid.
    pub not_before: i64,
    /// Seconds since 1970 until which it is valid.
    pub not_after: i64,
    /// Whether it may sign others.
    pub is_authority: bool,
    /// DNS names and IP addresses that it is valid for, as text.
    pub names: Vec<String>,
}

/// Why bytes are no certificate.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CertificateProblem {
    /// No PEM.
    #[error("no PEM")]
    Pem,
    /// PEM of something else.
    #[error("PEM of something that is no certificate")]
    Other,
    /// Not to be parsed.
    #[error("a certificate that cannot be parsed")]
    X509,
    /// Too many.
    #[error("more than 64 certificates")]
    Many,
}

impl Certificate {
    /// Reads one certificate (DER).
    pub fn read(der: &[u8]) -> Result<Self, CertificateProblem> {
        let (rest, parsed) = x509_parser::parse_x509_certificate(der).map_err(|_| CertificateProblem::X509)?;
        if !rest.is_empty() {
            return Err(CertificateProblem::X509);
        }
        Ok(Self {
            der: der.to_vec(),
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            key_id: key_id(&parsed),
            issuer_key_id: issuer_key_id(&parsed),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            is_authority: parsed.is_ca(),
            names: names(&parsed),
        })
    }

    /// Whether this authority's key signed `other`, by what both say. Whether it is true only the signature tells, and whoever serves or
    /// trusts a certificate looks at that.
    pub fn issued(&self, other: &Self) -> bool {
        self.is_authority && self.subject == other.issuer && (other.issuer_key_id.is_empty() || self.key_id == other.issuer_key_id)
    }

    /// Whether it is valid at this moment.
    pub fn is_valid_at(&self, now: i64) -> bool {
        self.not_before <= now && now < self.not_after
    }

    /// In PEM.
    pub fn pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("CERTIFICATE", self.der.clone()), config)
    }
}

/// Reads a bundle: certificates in PEM, one after the other. No certificate at all is an empty bundle.
pub fn bundle(text: &[u8]) -> Result<Vec<Certificate>, CertificateProblem> {
    let parts = pem::parse_many(text).map_err(|_| CertificateProblem::Pem)?;
    if parts.is_empty() && !text.trim_ascii().is_empty() {
        return Err(CertificateProblem::Pem);
    }
    if parts.len() > BUNDLE_MAX {
        return Err(CertificateProblem::Many);
    }
    parts
        .iter()
        .map(|part| if part.tag() == "CERTIFICATE" { Certificate::read(part.contents()) } else { Err(CertificateProblem::Other) })
        .collect()
}

fn key_id(certificate: &X509Certificate<'_>) -> Vec<u8> {
    let found = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn issuer_key_id(certificate: &X509Certificate<'_>) -> Vec<u8> {
    let found = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0.to_vec()),
        _ => None,
    });
    found.unwrap_or_default()
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(alternative)) = certificate.subject_alternative_name() else { return Vec::new() };
    alternative.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| core::net::IpAddr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| core::net::IpAddr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

    #[test]
    fn an_authority_and_its_leaf() {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "a");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["a.b.svc".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 2);
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&key, &authority).unwrap();

        let authority = Certificate::read(authority.der()).unwrap();
        let leaf = Certificate::read(leaf.der()).unwrap();
        assert!(authority.is_authority && !leaf.is_authority);
        assert!(authority.issued(&leaf) && authority.issued(&authority) && !leaf.issued(&authority));
        assert_eq!(leaf.names, ["a.b.svc", "127.0.0.1"]);
        assert_eq!(leaf.public_key, rcgen::PublicKeyData::der_bytes(&key));
        assert_eq!((leaf.not_before, leaf.not_after), (1_767_225_600, 1_767_312_000));
        assert!(leaf.is_valid_at(1_767_225_600) && !leaf.is_valid_at(1_767_312_000) && !leaf.is_valid_at(1_767_225_599));
        let text = authority.pem() + &leaf.pem();
        assert_eq!(bundle(text.as_bytes()), Ok(vec![authority, leaf]));
    }

    #[test]
    fn what_is_no_bundle() {
        assert_eq!(bundle(b" \n"), Ok(Vec::new()));
        assert_eq!(bundle(b"nothing"), Err(CertificateProblem::Pem));
        let part = |tag: &str| pem::encode(&pem::Pem::new(tag, vec![0x30, 0]));
        assert_eq!(bundle(part("PRIVATE KEY").as_bytes()), Err(CertificateProblem::Other));
        assert_eq!(bundle(part("CERTIFICATE").as_bytes()), Err(CertificateProblem::X509));
        assert_eq!(bundle(part("CERTIFICATE").repeat(65).as_bytes()), Err(CertificateProblem::Many));
    }
}
