//! The server's certificate, replaced while the server runs.

use crate::admin::Readiness;
use crate::clock::unix_seconds;
use crate::shutdown::{Phase, Stop};
use crate::watched::{ReadError, WatchedFiles};
use arc_swap::ArcSwapOption;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::sleep;

/// The name of the certificate in `/readyz`.
const PART: &str = "certificate";

/// Why a pair of files is not served.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The certificate file is no PEM.
    #[error("failed to read the certificates: the file must hold the PEM of the server's certificate and its chain")]
    CertificatePem(#[source] pem::Error),
    /// The certificate file has no certificate.
    #[error("the certificate file holds no certificate")]
    NoCertificate,
    /// The key file has no key.
    #[error("failed to read the private key: the file must hold one in PEM (PKCS#8, PKCS#1 or SEC1)")]
    KeyPem(#[source] pem::Error),
    /// The pair cannot be used.
    #[error("the private key does not belong to the certificate, or is of an unknown kind")]
    Mismatch(#[source] rustls::Error),
    /// The certificate cannot be parsed.
    #[error("failed to parse the certificate")]
    X509(#[source] x509_parser::asn1_rs::Err<x509_parser::error::X509Error>),
    /// The certificate has expired and the one in use has not.
    #[error("the certificate expired {} s ago", .0)]
    Expired(i64),
}

/// A certificate that can be served.
#[derive(Debug)]
struct Certificate {
    key: Arc<CertifiedKey>,
    /// Seconds since 1970.
    not_after: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are the label's values")]
enum Outcome {
    loaded,
    broken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: Outcome,
}

/// The certificate in use. Clones share it.
#[derive(Clone, Debug)]
pub struct CertificateStore {
    current: Arc<ArcSwapOption<Certificate>>,
    loads: Family<OutcomeLabels, Counter>,
}

impl CertificateStore {
    /// A store with no certificate: handshakes fail until there is one.
    pub fn new() -> Self {
        let loads = Family::<OutcomeLabels, Counter>::default();
        // Both series from the start: an alert on an increase needs the zero.
        for outcome in [Outcome::loaded, Outcome::broken] {
            drop(loads.get_or_create(&OutcomeLabels { outcome }));
        }
        Self { current: Arc::default(), loads }
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "certificate_loads",
            "New pairs of certificate and key that were found, by whether they could be used",
            self.loads.clone(),
        );
        registry.register_collector(Box::new(Expiry(self.clone())));
    }

    /// A TLS configuration that serves the certificate of the moment, over HTTP/1.1.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(Resolver(self.clone())));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // API servers keep their connections and do not resume sessions: what would be kept for them is memory for nothing.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Arc::new(config)
    }

    /// Reads the files again and again, and takes them over when they have changed and are sound. A broken pair is logged and counted, and
    /// the certificate in use stays. Ends with the program.
    pub async fn follow(self, files: CertificateFiles, every: Duration, readiness: Readiness, mut stop: Stop) {
        let mut watched = WatchedFiles::new([files.certificate, files.key]);
        let mut last_error = String::new();
        loop {
            let now = unix_seconds();
            match self.take(&mut watched, now) {
                Ok(None) => {}
                Ok(Some(not_after)) => {
                    last_error.clear();
                    tracing::info!(seconds_left = not_after - now, "Serving a new certificate.");
                }
                Err(error) => {
                    let text = chain(&error);
                    // Files that stay missing are read each time: once is enough in the log.
                    if text != last_error {
                        tracing::error!(error = text, "Kept the certificate in use: the new one is no good.");
                        last_error = text;
                    }
                }
            }
            match self.seconds_left(now) {
                Some(1..) => readiness.ready(PART),
                Some(_) => readiness.not_ready(PART, "it has expired"),
                None => readiness.not_ready(PART, last_error.as_str()),
            }
            tokio::select! {
                () = sleep(every) => {}
                () = stop.reached(Phase::Closing) => return,
            }
        }
    }

    /// Takes over the files if they changed and are sound; gives the new end of validity.
    fn take(&self, watched: &mut WatchedFiles, now: i64) -> Result<Option<i64>, CertificateError> {
        let result = watched.changed().map_err(CertificateError::from).and_then(|contents| {
            let Some([certificate, key]) = contents.as_deref() else { return Ok(None) };
            self.replace(certificate, key, now).map(Some)
        });
        self.count(result.as_ref().map(Option::is_some).map_err(drop));
        result
    }

    /// Serves this pair (PEM) from now on, if it is sound; gives the end of its validity in seconds since 1970.
    pub fn offer(&self, certificate: &[u8], key: &[u8], now: i64) -> Result<i64, CertificateError> {
        let result = self.replace(certificate, key, now);
        self.count(result.as_ref().map(|_| true).map_err(drop));
        result
    }

    fn replace(&self, certificate: &[u8], key: &[u8], now: i64) -> Result<i64, CertificateError> {
        let new = parse(certificate, key)?;
        let valid_now = self.seconds_left(now).is_some_and(|left| left > 0);
        if valid_now && new.not_after <= now {
            return Err(CertificateError::Expired(now - new.not_after));
        }
        let not_after = new.not_after;
        self.current.store(Some(Arc::new(new)));
        Ok(not_after)
    }

    fn count(&self, is_loaded: Result<bool, ()>) {
        let outcome = match is_loaded {
            Ok(false) => return,
            Ok(true) => Outcome::loaded,
            Err(()) => Outcome::broken,
        };
        self.loads.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// Seconds until the certificate expires; `None` without one.
    pub fn seconds_left(&self, now: i64) -> Option<i64> {
        self.current.load().as_ref().map(|certificate| certificate.not_after.saturating_sub(now))
    }
}

impl Default for CertificateStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the certificate and its key are.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// PEM of the certificate and its chain.
    pub certificate: PathBuf,
    /// PEM of the private key.
    pub key: PathBuf,
}

/// Serves whatever certificate is in the store at the moment of the handshake.
struct Resolver(CertificateStore);

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.current.load().as_ref().map(|certificate| Arc::clone(&certificate.key))
    }
}

/// The seconds left, worked out at each scrape.
#[derive(Debug)]
struct Expiry(CertificateStore);

impl Collector for Expiry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(left) = self.0.seconds_left(unix_seconds()) else { return Ok(()) };
        let gauge = ConstGauge::new(left);
        let help = "Time until the certificate in use expires, negative after that.";
        gauge.encode(encoder.encode_descriptor("certificate_expires_in", help, Some(&Unit::Seconds), gauge.metric_type())?)
    }
}

fn parse(certificate: &[u8], key: &[u8]) -> Result<Certificate, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .map(|item| item.map(CertificateDer::into_owned))
        .collect::<Result<Vec<_>, _>>()
        .map_err(CertificateError::CertificatePem)?;
    let Some(leaf) = chain.first() else { return Err(CertificateError::NoCertificate) };
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).map_err(CertificateError::X509)?;
    let not_after = parsed.validity().not_after.timestamp();
    let key = PrivateKeyDer::from_pem_slice(key).map_err(CertificateError::KeyPem)?;
    let key = CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()).map_err(CertificateError::Mismatch)?;
    Ok(Certificate { key: Arc::new(key), not_after })
}

/// An error with its sources, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use std::fs;
    use std::path::Path;

    const NOW: i64 = 1_800_000_000;

    fn pair(year: i32) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["podsight-webhook.podsight-system.svc".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn write(folder: &Path, certificate: &str, key: &str) {
        fs::write(folder.join("tls.crt"), certificate).unwrap();
        fs::write(folder.join("tls.key"), key).unwrap();
    }

    fn served(store: &CertificateStore) -> Vec<u8> {
        store.current.load().as_ref().unwrap().key.end_entity_cert().unwrap().to_vec()
    }

    #[test]
    fn a_broken_pair_keeps_the_one_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let mut watched = WatchedFiles::new([folder.path().join("tls.crt"), folder.path().join("tls.key")]);
        let store = CertificateStore::new();
        assert!(matches!(store.take(&mut watched, NOW), Err(CertificateError::Read(_))));
        let (good, good_key) = pair(2100);
        write(folder.path(), &good, &good_key);
        assert!(store.take(&mut watched, NOW).unwrap().is_some());
        let first = served(&store);
        let (other, other_key) = pair(2100);
        let (expired, expired_key) = pair(2020);
        let torn = good.replace("END", "AND");
        let cases = [
            (good.as_str(), other_key.as_str(), "the private key does not belong to the certificate, or is of an unknown kind"),
            ("", &good_key, "the certificate file holds no certificate"),
            (&torn, &good_key, "failed to read the certificates: the file must hold the PEM of the server's certificate and its chain"),
            (&good, "no key", "failed to read the private key: the file must hold one in PEM (PKCS#8, PKCS#1 or SEC1)"),
            (&expired, &expired_key, "the certificate expired 222163200 s ago"),
        ];
        for (certificate, key, message) in cases {
            write(folder.path(), certificate, key);
            assert_eq!(store.take(&mut watched, NOW).unwrap_err().to_string(), message);
            assert_eq!(served(&store), first);
        }
        write(folder.path(), &other, &other_key);
        assert_eq!(store.take(&mut watched, NOW).unwrap(), Some(4_102_444_800));
        assert_ne!(served(&store), first);
        assert_eq!(store.seconds_left(4_102_444_800 - 60), Some(60));
    }
}
