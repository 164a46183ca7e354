//! The testbed's certificate authority and all that it signs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The service's name as the API server calls it.
pub const WEBHOOK_NAMES: [&str; 3] = ["podsight-webhook.podsight-system.svc", "127.0.0.1", "localhost"];

/// A certificate authority that writes into one folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The files of one certificate.
#[derive(Debug, Clone)]
pub struct Files {
    /// PEM certificate.
    pub certificate: PathBuf,
    /// PEM private key (PKCS #8), readable for its owner only.
    pub key: PathBuf,
}

/// The files of one key pair.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    /// PEM public key.
    pub public: PathBuf,
    /// PEM private key (PKCS #8), readable for its owner only.
    pub private: PathBuf,
}

impl Authority {
    /// A new authority whose certificate is `<folder>/ca.crt`.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let key = new_key()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "podsight testbed");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let certificate = params.self_signed(&key).context("sign the testbed's authority")?.pem();
        let files = Self { folder: folder.to_owned(), certificate, issuer: Issuer::new(params, key) };
        fs::write(files.certificate_file(), &files.certificate).context("write ca.crt")?;
        // Kept for tests that rotate a certificate.
        write_key(&folder.join("ca.key"), files.issuer.key())?;
        Ok(files)
    }

    /// The authority's own certificate.
    pub fn certificate_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// The authority's own certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A server's certificate for DNS names and addresses.
    pub fn server(&self, file: &str, names: &[&str]) -> Result<Files> {
        let names = names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mut params = CertificateParams::new(names).with_context(|| format!("name the server of {file}"))?;
        params.distinguished_name.push(DnType::CommonName, file);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(file, params)
    }

    /// A client's certificate: the user, and the group it acts in.
    pub fn client(&self, file: &str, user: &str, group: Option<&str>) -> Result<Files> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(file, params)
    }

    /// A key pair without a certificate, for the tokens of service accounts.
    pub fn key_pair(&self, file: &str) -> Result<KeyFiles> {
        let key = new_key()?;
        let files = KeyFiles { public: self.folder.join(format!("{file}.pub")), private: self.folder.join(format!("{file}.key")) };
        fs::write(&files.public, key.public_key_pem()).with_context(|| format!("write {}", files.public.display()))?;
        write_key(&files.private, &key)?;
        Ok(files)
    }

    fn sign(&self, file: &str, mut params: CertificateParams) -> Result<Files> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).with_context(|| format!("sign the certificate {file}"))?;
        let files = Files { certificate: self.folder.join(format!("{file}.crt")), key: self.folder.join(format!("{file}.key")) };
        fs::write(&files.certificate, certificate.pem()).with_context(|| format!("write {}", files.certificate.display()))?;
        write_key(&files.key, &key)?;
        Ok(files)
    }
}

fn new_key() -> Result<KeyPair> {
    KeyPair::generate().context("make a key pair")
}

fn write_key(path: &Path, key: &KeyPair) -> Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("create {}", path.display()))?;
    file.write_all(key.serialize_pem().as_bytes()).with_context(|| format!("write {}", path.display()))
}
