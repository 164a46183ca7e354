//! The arguments.

use crate::certificates::CertificateArgs;
use podsight_runtime::telemetry::LogFormat;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Warns at kubectl apply about pods that will not start or will be killed.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "podsight-webhook", version)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Where API servers are answered, over TLS
    #[arg(long, env = "PODSIGHT_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Where /livez, /readyz and /metrics are answered, without TLS
    #[arg(long, env = "PODSIGHT_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:9090")]
    pub admin_listen: SocketAddr,
    /// PEM of the certificate and its chain; a changed file is taken over while the server runs
    #[arg(long, env = "PODSIGHT_TLS_CERT", value_name = "FILE", default_value = "/tls/tls.crt")]
    pub tls_cert: PathBuf,
    /// PEM of the private key
    #[arg(long, env = "PODSIGHT_TLS_KEY", value_name = "FILE", default_value = "/tls/tls.key")]
    pub tls_key: PathBuf,
    /// Says what is wrong or risky with the installation, and ends: 0 nothing is in what could be looked at, 1 something is, 2 nothing could be judged
    #[arg(long)]
    pub self_check: bool,
    /// Looks at every workload once, writes what is found as reports (of openreports.io, or of wgpolicyk8s.io where that alone is known), and ends
    #[arg(long, conflicts_with = "self_check")]
    pub reports: bool,
    /// Configuration (YAML); a changed file is taken over while the server runs
    #[arg(long, env = "PODSIGHT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Follow Secrets as well: their names and the hashes of their keys. It takes the right to list Secrets
    #[arg(long, env = "PODSIGHT_WATCH_SECRETS")]
    pub watch_secrets: bool,
    /// Write findings as Events on the workloads too, for those whom no warning reaches. It takes the right to create and patch Events
    #[arg(long, env = "PODSIGHT_EVENTS")]
    pub events: bool,
    /// How log lines look: text or json
    #[arg(long, env = "PODSIGHT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Log level: error, warn, info, debug or trace, also by module, as in `info,kube=warn`
    #[arg(long, env = "PODSIGHT_LOG", value_name = "LEVEL", default_value = "info,kube_runtime=error")]
    pub log: String,
    /// How often the certificate, its key and the configuration are looked at
    #[arg(long, env = "PODSIGHT_RELOAD_EVERY", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub reload_every: Duration,
    /// How long after SIGTERM the server goes on accepting, until every API server has noticed
    #[arg(long, env = "PODSIGHT_DRAIN_WAIT", value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub drain_wait: Duration,
    /// Where the certificate comes from, and what an own one is like
    #[command(flatten)]
    pub certificates: CertificateArgs,
}

/// Reads `200ms`, `5s` or `2m`: at least a millisecond, at most an hour.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: Option<u64> = digits.parse().ok();
    let duration = match (number, text.strip_prefix(digits)) {
        (Some(number @ 1..=3_600_000), Some("ms")) => Duration::from_millis(number),
        (Some(number @ 1..=3_600), Some("s")) => Duration::from_secs(number),
        (Some(number @ 1..=60), Some("m")) => Duration::from_mins(number),
        _ => return Err("a time is a number and a unit, such as 200ms, 5s or 2m, and at most an hour".to_owned()),
    };
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn arguments_are_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations() {
        assert_eq!(duration("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("60m"), Ok(Duration::from_hours(1)));
        for bad in ["", "5", "s", "0s", "-1s", "1h", "5 s", "61m", "99999999999999999999s", "１s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
