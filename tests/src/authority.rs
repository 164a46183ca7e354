//! A certificate authority of the test's own, and a Secret volume as the kubelet would make it.

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name that an API server asks for.
pub const SERVER_NAME: &str = "podsight-webhook.podsight-system.svc";

/// An authority that signs server certificates.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate, in PEM.
    pub certificate: String,
    /// The certificate, as it goes over the wire.
    pub der: CertificateDer<'static>,
    /// The key, in PEM.
    pub key: String,
}

impl Authority {
    /// A new authority.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "podsight tests");
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// A new certificate for the webhook.
    pub fn issue(&self) -> Result<Pair> {
        self.issue_for(SERVER_NAME)
    }

    /// A new certificate for a name or an address.
    pub fn issue_for(&self, name: &str) -> Result<Pair> {
        self.issue_for_all(&[name])
    }

    /// A new certificate for several names and addresses.
    pub fn issue_for_all(&self, names: &[&str]) -> Result<Pair> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
        // As all issuers do: authorities of the same name follow each other.
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Pair { certificate: certificate.pem(), der: certificate.der().clone(), key: key.serialize_pem() })
    }

    /// The authority's own certificate, in PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// What an API server needs to trust the certificates of this authority.
    pub fn client_config(&self) -> Result<Arc<ClientConfig>> {
        podsight_runtime::crypto::install();
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone())?;
        Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    }
}

/// A folder that changes as the volume of a Secret does: by the exchange of one symbolic link
/// (`pkg/volume/util/atomic_writer.go`).
#[derive(Debug)]
pub struct SecretVolume {
    path: PathBuf,
    version: u32,
}

impl SecretVolume {
    /// A volume in an empty folder.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), version: 0 }
    }

    /// Where a file of the volume is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Puts new files in the place of the old ones.
    pub fn write(&mut self, files: &[(&str, &str)]) -> Result<()> {
        let old = self.folder();
        self.version += 1;
        fs::create_dir(self.folder())?;
        for (name, content) in files {
            fs::write(self.folder().join(name), content)?;
            if !self.file(name).is_symlink() {
                symlink(Path::new("..data").join(name), self.file(name))?;
            }
        }
        let link = self.path.join("..data_tmp");
        symlink(self.folder().file_name().context("the folder has a name")?, &link)?;
        fs::rename(link, self.path.join("..data"))?;
        if self.version > 1 {
            fs::remove_dir_all(old)?;
        }
        Ok(())
    }

    /// Puts a new pair in the place of the old one.
    pub fn write_pair(&mut self, pair: &Pair) -> Result<()> {
        self.write(&[("tls.crt", &pair.certificate), ("tls.key", &pair.key)])
    }

    fn folder(&self) -> PathBuf {
        self.path.join(format!("..version_{}", self.version))
    }
}
