//! The arguments.

use podsight_certificate::Lifetimes;
use std::time::Duration;

const DAY_SECONDS: i64 = 24 * 3600;
/// A leaf may not live longer.
const LEAF_MAX_SECONDS: i64 = 90 * DAY_SECONDS;

/// Where the certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Source {
    /// From files that somebody else renews: --tls-cert and --tls-key
    Mounted,
    /// Made and renewed by the webhook itself, kept in a Secret
    Own,
}

/// Where the certificate comes from, and what an own one is like.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Certificate")]
pub struct CertificateArgs {
    /// Where the certificate comes from
    #[arg(long, env = "PODSIGHT_CERTIFICATES", value_enum, value_name = "SOURCE", default_value = "mounted")]
    pub certificates: Source,
    /// Namespace of the Service and of the Secret
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAME", default_value = "podsight-system")]
    pub namespace: String,
    /// Service by which API servers call the webhook
    #[arg(long, env = "PODSIGHT_SERVICE", value_name = "NAME", default_value = "podsight-webhook")]
    pub service: String,
    /// Secret with the own authority and certificate
    #[arg(long, env = "PODSIGHT_CERTIFICATE_SECRET", value_name = "NAME", default_value = "podsight-webhook-certificates")]
    pub certificate_secret: String,
    /// Webhook configurations, validating and mutating, whose caBundle is kept right
    #[arg(long, env = "PODSIGHT_WEBHOOK_CONFIGURATION", value_name = "NAME", default_value = "podsight-webhook")]
    pub webhook_configuration: String,
    /// Further names of the own certificate: DNS names or IP addresses
    #[arg(long = "certificate-name", value_name = "NAME")]
    pub certificate_names: Vec<String>,
    /// How long an own certificate lives, at most 90d; it is renewed at two thirds of that
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = leaf)]
    pub leaf_lifetime: i64,
    /// How long the own authority lives; it is renewed at two thirds of that
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = authority)]
    pub authority_lifetime: i64,
    /// How often the Secret and the webhook configurations are looked at
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = crate::args::duration)]
    pub certificate_check: Duration,
}

impl CertificateArgs {
    /// The names that the certificate must have.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = vec![format!("{}.{}.svc", self.service, self.namespace)];
        names.extend(self.certificate_names.iter().cloned());
        names
    }

    pub(super) fn lifetimes(&self) -> Lifetimes {
        Lifetimes { leaf: self.leaf_lifetime, authority: self.authority_lifetime.max(self.leaf_lifetime) }
    }
}

fn leaf(text: &str) -> Result<i64, String> {
    seconds(text, LEAF_MAX_SECONDS)
}

fn authority(text: &str) -> Result<i64, String> {
    seconds(text, 3650 * DAY_SECONDS)
}

/// Reads `60s`, `30m`, `12h` or `90d`: at least 6 seconds.
fn seconds(text: &str, max: i64) -> Result<i64, String> {
    let unit = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => DAY_SECONDS,
        _ => 0,
    };
    let number: Option<i64> = text.get(..text.len().saturating_sub(1)).and_then(|digits| digits.parse().ok());
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(seconds) if (6..=max).contains(&seconds) => Ok(seconds),
        _ => Err(format!("a lifetime is a number and a unit, such as 60s, 30m, 12h or 90d: from 6s to {}d", max / DAY_SECONDS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes() {
        assert_eq!(leaf("90d"), Ok(LEAF_MAX_SECONDS));
        assert_eq!(leaf("6s"), Ok(6));
        assert_eq!(authority("365d"), Ok(365 * DAY_SECONDS));
        assert_eq!(authority("12h"), Ok(43_200));
        for bad in ["", "d", "90", "91d", "5s", "-1d", "1w", "9223372036854775807d", "９d"] {
            assert!(leaf(bad).is_err(), "{bad}");
        }
    }
}
