//! The loop that keeps the certificate: look, serve, renew, see that it is trusted.

use super::args::CertificateArgs;
use super::issue::{IssueError, new_authority, new_leaf};
use super::secret::{Found, Material, SecretStore};
use super::trust::{Address, Configurations};
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use kube::Client;
use podsight_certificate::{Authority, Certificate, Leaf, Lifetimes, Plan, Situation, Stored, Trusted, bundle};
use podsight_runtime::admin::Readiness;
use podsight_runtime::certificate::{CertificateError, CertificateStore};
use podsight_runtime::clock::unix_seconds;
use podsight_runtime::shutdown::Stop;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// The name of the certificate in `/readyz`.
const PART: &str = "certificate";
/// One look, with every request that it makes.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// After a write the next look comes soon: the trust goes with it.
const SOON: Duration = Duration::from_millis(200);

/// Why a look at the certificate led to nothing.
#[derive(Debug, Error)]
enum KeepError {
    #[error("failed to read the webhook configurations")]
    Configuration(#[source] kube::Error),
    #[error("failed to read or make the Secret")]
    Secret(#[source] kube::Error),
    #[error("the Secret `{0}` is of somebody else's making and is left alone: delete it, or choose another by --certificate-secret")]
    SomebodyElses(String),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error("failed to write the Secret")]
    Write(#[source] kube::Error),
    #[error("failed to put the authority into the webhook configuration")]
    Trust(#[source] kube::Error),
    #[error("the caBundle is somebody else's: the webhook configuration has the annotation cert-manager.io/inject-ca-from")]
    Injected,
    #[error("the stored certificate cannot be served")]
    Serve(#[from] CertificateError),
    #[error("the API server did not answer within 30 s")]
    Slow,
}

/// The metrics of the own certificate.
#[derive(Clone, Debug, Default)]
pub struct KeeperMetrics {
    authority_expires_in: Gauge,
    writes: Counter,
    errors: Counter,
}

impl KeeperMetrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { authority_expires_in, writes, errors } = metrics.clone();
        let help = "Time until the own authority expires, 0 where the webhook has none";
        registry.register_with_unit("authority_expires_in", help, Unit::Seconds, authority_expires_in);
        registry.register("certificate_writes", "Changes that this replica made to its authority, its certificate or its caBundle", writes);
        registry.register("certificate_errors", "Looks at the own certificate that failed; the one in use is served on", errors);
        metrics
    }
}

/// Keeps the own certificate.
pub(crate) struct Keeper {
    secret: SecretStore,
    secret_name: String,
    validating: Configurations<ValidatingWebhookConfiguration>,
    mutating: Configurations<MutatingWebhookConfiguration>,
    names: Vec<String>,
    lifetimes: Lifetimes,
    every: Duration,
    spread: u16,
    certificates: CertificateStore,
    readiness: Readiness,
    metrics: KeeperMetrics,
    served: (Material, Stored),
    /// The authorities that were seen in the caBundle, and since when.
    known: Vec<(Certificate, i64)>,
}

impl Keeper {
    pub(crate) fn new(
        client: Client,
        args: &CertificateArgs,
        certificates: CertificateStore,
        readiness: Readiness,
        metrics: KeeperMetrics,
    ) -> Self {
        let address = Address { namespace: args.namespace.clone(), service: args.service.clone(), names: args.names() };
        let random = RandomState::new().hash_one(std::process::id()) % 1001;
        Self {
            secret: SecretStore::new(client.clone(), &args.namespace, &args.certificate_secret),
            secret_name: args.certificate_secret.clone(),
            validating: Configurations::new(client.clone(), &args.webhook_configuration, address.clone()),
            mutating: Configurations::new(client, &args.webhook_configuration, address),
            names: args.names(),
            lifetimes: args.lifetimes(),
            every: args.certificate_check,
            spread: u16::try_from(random).unwrap_or_default(),
            certificates,
            readiness,
            metrics,
            served: Default::default(),
            known: Vec::new(),
        }
    }

    /// Keeps the certificate until the program ends.
    pub(crate) async fn run(mut self, mut stop: Stop) {
        let mut last_error = String::new();
        loop {
            let result = timeout(LOOK_MAX, self.look()).await.unwrap_or(Err(KeepError::Slow));
            let pause = match &result {
                Ok(true) => SOON,
                Ok(false) => self.every.mul_f64(1.0 - f64::from(self.spread) / 5000.0),
                Err(_) => self.every,
            };
            match result {
                Ok(_) => last_error.clear(),
                Err(error) => {
                    self.metrics.errors.inc();
                    let text = podsight_runtime::certificate::chain(&error);
                    // What stays wrong is tried each time: once is enough in the log.
                    if text != last_error {
                        tracing::error!(error = text, "Failed to keep the certificate.");
                        last_error = text;
                    }
                    self.tell(&last_error);
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.closing() => return,
            }
        }
    }

    /// Looks once at all that there is, and does what is to be done; whether something was changed, so that a second look is due.
    async fn look(&mut self) -> Result<bool, KeepError> {
        // The configurations first: the Secret is then at least as new as what they hold, and nobody goes back to an older bundle.
        let validating = self.validating.get().await.map_err(KeepError::Configuration)?;
        let mutating = self.mutating.get().await.map_err(KeepError::Configuration)?;
        let found = match self.secret.get().await.map_err(KeepError::Secret)? {
            Found::Ours(version) => version,
            Found::SomebodyElses => return Err(KeepError::SomebodyElses(self.secret_name.clone())),
        };
        let now = unix_seconds();
        let stored = found.material.read();
        let configurations = || [&validating, &mutating].into_iter().flatten();
        let trusted = self.trusted(configurations().flat_map(super::trust::Configuration::bundles), now);
        let (served, names) = (self.served.1.clone(), self.names.clone());
        let situation = Situation {
            stored: &stored,
            served: &served,
            trusted: &trusted,
            names: &names,
            lifetimes: self.lifetimes,
            spread: self.spread,
            now,
        };
        if situation.is_to_be_served() {
            self.serve(found.material.clone(), stored.clone(), now)?;
        }
        if let Some(plan) = situation.plan() {
            let material = self.carry_out(&plan, &found.material, now)?;
            if self.secret.write(&found, &material).await.map_err(KeepError::Write)? {
                self.metrics.writes.inc();
                tracing::info!(why = plan.reason.text(), authority = ?plan.authority, leaf = ?plan.leaf, "Changed the own certificate.");
            }
            return Ok(true);
        }
        let mut changed = false;
        if let Some(configuration) = &validating {
            changed |= self.validating.trust(configuration, &stored).await.map_err(KeepError::Trust)?;
        }
        if let Some(configuration) = &mutating {
            changed |= self.mutating.trust(configuration, &stored).await.map_err(KeepError::Trust)?;
        }
        if changed {
            self.metrics.writes.inc();
            tracing::info!(authorities = stored.authorities.len(), "Changed the caBundle.");
            return Ok(true);
        }
        if configurations().any(super::trust::Configuration::is_injected) {
            return Err(KeepError::Injected);
        }
        self.metrics.authority_expires_in.set(stored.authorities.first().map_or(0, |authority| authority.not_after - now));
        let is_trusted =
            configurations().next().is_none() || situation.is_served_trusted() || self.certificates.seconds_left(now).is_none();
        self.tell(if is_trusted { "" } else { "the webhook configuration does not trust it yet" });
        Ok(false)
    }

    /// The authorities that every call trusts, and for how long that is known.
    fn trusted(&mut self, bundles: impl Iterator<Item = Vec<Certificate>>, now: i64) -> Vec<Trusted> {
        let common = bundles.reduce(|mut common, other| {
            common.retain(|certificate| other.contains(certificate));
            common
        });
        let common = common.unwrap_or_default();
        self.known.retain(|(certificate, _)| common.contains(certificate));
        for certificate in common {
            if !self.known.iter().any(|(known, _)| *known == certificate) {
                self.known.push((certificate, now));
            }
        }
        let trusted = |(certificate, since): &(Certificate, i64)| Trusted { certificate: certificate.clone(), known_for: now - since };
        self.known.iter().map(trusted).collect()
    }

    fn serve(&mut self, material: Material, stored: Stored, now: i64) -> Result<(), CertificateError> {
        let not_after = self.certificates.offer(material.leaf.as_bytes(), material.leaf_key.as_bytes(), now)?;
        tracing::info!(seconds_left = not_after - now, "Serving a new certificate.");
        self.served = (material, stored);
        Ok(())
    }

    /// Makes what is planned.
    fn carry_out(&self, plan: &Plan, old: &Material, now: i64) -> Result<Material, KeepError> {
        let mut new = old.clone();
        new.authorities = plan.trusted.iter().map(Certificate::pem).collect();
        if plan.authority == Authority::New {
            let made = new_authority(now, self.lifetimes.authority)?;
            new.authorities.insert_str(0, &made.certificate);
            new.authority_key = made.key;
        }
        match plan.leaf {
            Leaf::Keep => {}
            Leaf::Restore => {
                new.leaf.clone_from(&self.served.0.leaf);
                new.leaf_key.clone_from(&self.served.0.leaf_key);
            }
            Leaf::New => {
                let authorities = bundle(new.authorities.as_bytes()).unwrap_or_default();
                let issuer = authorities.first().ok_or(IssueError::Foreign)?;
                let made = new_leaf(&self.names, issuer, &new.authority_key, now, now.saturating_add(self.lifetimes.leaf))?;
                new.leaf = made.certificate;
                new.leaf_key = made.key;
            }
        }
        Ok(new)
    }

    /// Tells whether this replica is ready: with a certificate that is valid. What was trusted once stays ready, whatever the API server says.
    fn tell(&self, problem: &str) {
        match self.certificates.seconds_left(unix_seconds()) {
            Some(1..) if problem.is_empty() => self.readiness.ready(PART),
            // The one in use is served on.
            Some(1..) => {}
            Some(_) => self.readiness.not_ready(PART, "it has expired"),
            None => self.readiness.not_ready(PART, if problem.is_empty() { "it was not made yet" } else { problem }),
        }
    }
}
