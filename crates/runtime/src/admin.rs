//! The plain HTTP server for the cluster's own use: `/livez`, `/readyz`, `/metrics`, and `/log` to change the log level.

use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::serve::{ConnectionMetrics, Limits, Peer, Server};
use crate::shutdown::Stop;
use crate::telemetry::LogLevel;
use axum::Extension;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// Why a program is or is not ready: one entry a part.
///
/// A program is ready when every part that was ever named is.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, Option<String>>>>);

impl Readiness {
    /// The part is ready.
    pub fn ready(&self, part: &'static str) {
        self.set(part, None);
    }

    /// The part is not ready, and why. It can be said before the part begins to work.
    pub fn not_ready(&self, part: &'static str, why: impl Into<String>) {
        self.set(part, Some(why.into()));
    }

    /// Registers the metric.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// Whether every part is ready.
    pub fn is_ready(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().all(Option::is_none)
    }

    fn set(&self, part: &'static str, state: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part, state);
    }

    /// One line a part, as the API server's own `/readyz?verbose` has it.
    fn text(&self) -> String {
        let mut text = String::new();
        for (part, state) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let line = match state {
                None => writeln!(text, "[+]{part} ok"),
                Some(why) => writeln!(text, "[-]{part} not ready: {why}"),
            };
            debug_assert!(line.is_ok(), "writing to a string cannot fail");
        }
        text
    }
}

/// One series a part.
impl Collector for Readiness {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let states: Vec<(&str, bool)> = {
            let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            parts.iter().map(|(part, state)| (*part, state.is_none())).collect()
        };
        let is_ready = |ready: bool| ConstGauge::new(i64::from(ready));
        let mut family = encoder.encode_descriptor("ready", "Whether each part is ready.", None, is_ready(true).metric_type())?;
        for (part, ready) in states {
            is_ready(ready).encode(family.encode_family(&[("part", part)])?)?;
        }
        Ok(())
    }
}

/// What the admin server tells and changes.
#[derive(Clone, Debug)]
pub struct Admin {
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// What `/metrics` tells.
    pub metrics: Arc<Metrics>,
    /// What `/log` tells and changes.
    pub log_level: Option<LogLevel>,
}

impl Admin {
    /// Serves until the program closes.
    pub async fn serve(self, listener: TcpListener, stop: Stop) {
        let server = Server { listener, tls: None, limits: Limits::admin(), metrics: ConnectionMetrics::default(), stop };
        server.run(self.router()).await;
    }

    /// The routes.
    pub fn router(self) -> axum::Router {
        axum::Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/log", get(log).put(set_log))
            .layer(DefaultBodyLimit::max(1024))
            .with_state(self)
    }
}

/// That it answers at all is the proof: there is one worker thread.
async fn livez() -> &'static str {
    "ok\n"
}

async fn readyz(State(admin): State<Admin>) -> (StatusCode, String) {
    if admin.readiness.is_ready() {
        (StatusCode::OK, format!("{}ok\n", admin.readiness.text()))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{}not ready\n", admin.readiness.text()))
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match admin.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be written\n").into_response(),
    }
}

async fn log(State(admin): State<Admin>) -> String {
    admin.log_level.map_or_else(|| "unknown\n".to_owned(), |level| format!("{}\n", level.get()))
}

/// Only from the pod itself, which is where `kubectl port-forward` ends: whoever may do that may change the level.
async fn set_log(State(admin): State<Admin>, Extension(Peer(peer)): Extension<Peer>, filter: String) -> (StatusCode, String) {
    if !peer.ip().to_canonical().is_loopback() {
        return (StatusCode::FORBIDDEN, "the log level can be changed through kubectl port-forward only\n".to_owned());
    }
    let Some(level) = admin.log_level else {
        return (StatusCode::NOT_FOUND, "there is no log level to change\n".to_owned());
    };
    match level.set(filter.trim()) {
        Ok(()) => {
            tracing::info!(filter = level.get(), "Changed the log level.");
            (StatusCode::OK, format!("{}\n", level.get()))
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_a_series() {
        let readiness = Readiness::default();
        let mut metrics = Metrics::new("podsight_thing", "1.2.3");
        readiness.register(metrics.own());
        readiness.ready("pods");
        readiness.not_ready("kernel-log", "not read to its end yet");
        let text = metrics.encode().unwrap();
        let series: Vec<&str> = text.lines().filter(|line| line.contains("podsight_thing_ready")).collect();
        assert_eq!(
            series,
            [
                "# HELP podsight_thing_ready Whether each part is ready.",
                "# TYPE podsight_thing_ready gauge",
                "podsight_thing_ready{part=\"kernel-log\"} 0",
                "podsight_thing_ready{part=\"pods\"} 1",
            ]
        );
    }
}
