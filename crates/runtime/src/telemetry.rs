//! Logs: text or JSON on standard error, with a level that can be changed while the program runs.

use std::io::{IsTerminal as _, stderr};
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// A longer filter is refused: it comes over the network.
const FILTER_MAX_BYTES: usize = 256;

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(TelemetryError::Format),
        }
    }
}

/// Why logging could not be set up or changed.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// Not a log format.
    #[error("the log format is `text` or `json`")]
    Format,
    /// Not a log filter.
    #[error("a log filter is a level (error, warn, info, debug, trace, off) or levels by module, as in `info,podsight_webhook=debug`")]
    Filter,
    /// There is a subscriber already.
    #[error("failed to install the log subscriber")]
    Install(#[source] TryInitError),
    /// The subscriber is gone.
    #[error("failed to change the log level")]
    Reload(#[source] reload::Error),
}

/// The log level, to be changed while the program runs.
#[derive(Clone, Debug)]
pub struct LogLevel(Arc<reload::Handle<Targets, Registry>>);

impl LogLevel {
    /// Sets the level or filter, such as `debug` or `info,podsight_webhook=debug`.
    pub fn set(&self, filter: &str) -> Result<(), TelemetryError> {
        self.0.reload(targets(filter)?).map_err(TelemetryError::Reload)
    }

    /// The filter as it is now.
    pub fn get(&self) -> String {
        self.0.with_current(ToString::to_string).unwrap_or_default()
    }
}

/// Starts logging. `filter` is a level, or levels by module: `info,podsight_webhook=debug`.
///
/// It also takes over the report of panics: where, but not what, since a panic's text may quote a user's object.
pub fn init(format: LogFormat, filter: &str) -> Result<LogLevel, TelemetryError> {
    let (filter, handle) = reload::Layer::new(targets(filter)?);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal())).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().flatten_event(true).with_writer(stderr)).try_init(),
    }
    .map_err(TelemetryError::Install)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "Panicked.");
    }));
    Ok(LogLevel(Arc::new(handle)))
}

fn targets(filter: &str) -> Result<Targets, TelemetryError> {
    if filter.is_empty() || filter.len() > FILTER_MAX_BYTES {
        return Err(TelemetryError::Filter);
    }
    // The parser of `Targets` takes a word that is no level for the name of a module: `inf` would turn everything off.
    let sound = filter.split(',').all(|part| match part.split_once('=') {
        None => part.parse::<LevelFilter>().is_ok(),
        Some((target, level)) => !target.is_empty() && level.parse::<LevelFilter>().is_ok(),
    });
    if sound { filter.parse().map_err(|_| TelemetryError::Filter) } else { Err(TelemetryError::Filter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        for good in ["info", "debug", "off", "info,kube=warn", "podsight_webhook=trace", "warn,podsight_webhook::review=debug"] {
            assert!(targets(good).is_ok(), "{good}");
        }
        let long = "a=info,".repeat(64);
        for bad in ["", "inf", "info,verbose", "info=loud", "=,=", &long] {
            assert!(targets(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn formats() {
        assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
        assert_eq!("xml".parse::<LogFormat>().unwrap_err().to_string(), "the log format is `text` or `json`");
    }
}
