//! The columns READY, STATUS and RESTARTS of `kubectl get pods`.
//!
//! They are computed by the API server: `pkg/printers/internalversion/printers.go: printPod`. This is a port of the version of
//! Kubernetes 1.36; the older forms differ in two places (1.31, 1.35) and are chosen by [`ServerVersion`].

use crate::view::View as _;
use jiff::Timestamp;
use serde_json::Value;

/// The minor version of a Kubernetes 1.x API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion(pub u32);

impl ServerVersion {
    /// The newest server that podsight knows.
    pub const NEWEST: Self = Self(36);
}

impl Default for ServerVersion {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl std::str::FromStr for ServerVersion {
    type Err = ServerVersionError;

    /// Reads `1.34`, `v1.34.9`, `1.34+` or `34`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ServerVersionError { given: text.chars().take(40).flat_map(char::escape_debug).collect() };
        let bare = text.trim().trim_start_matches('v');
        let minor = bare.strip_prefix("1.").unwrap_or(bare).split(['.', '+', '-']).next().unwrap_or_default();
        minor.parse().ok().filter(|minor| (1..1000).contains(minor)).map(Self).ok_or_else(error)
    }
}

/// Not a version.
#[derive(Debug, thiserror::Error)]
#[error("`{given}` is no server version: write it like 1.34")]
pub struct ServerVersionError {
    given: String,
}

/// The columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// STATUS.
    pub status: String,
    /// READY, such as `0/1`.
    pub ready: String,
    /// RESTARTS without the age.
    pub restarts: i64,
    /// When the last restart was, for the age in RESTARTS.
    pub last_restart: Option<Timestamp>,
}

/// Computes the columns of a Pod object.
pub fn columns(pod: &Value, server: ServerVersion) -> Columns {
    let (spec, status) = (pod.get_or_null("spec"), pod.get_or_null("status"));
    let init_specs = spec.list("initContainers");
    let sidecar = |name: &str| init_specs.iter().any(|init| init.text("name") == name && init.text("restartPolicy") == "Always");
    let total = spec.list("containers").len() + init_specs.iter().filter(|init| init.text("restartPolicy") == "Always").count();

    let mut reason = if status.text("reason").is_empty() { status.text("phase") } else { status.text("reason") }.to_owned();
    if status
        .list("conditions")
        .iter()
        .any(|condition| condition.text("type") == "PodScheduled" && condition.text("reason") == "SchedulingGated")
    {
        "SchedulingGated".clone_into(&mut reason);
    }

    let mut ready = 0;
    let mut restarts = Restarts::default();
    let mut sidecar_restarts = Restarts::default();
    let mut initializing = false;
    for (place, container) in status.list("initContainerStatuses").iter().enumerate() {
        restarts.add(container);
        let is_sidecar = sidecar(container.text("name"));
        if is_sidecar {
            sidecar_restarts.add(container);
        }
        let state = container.get_or_null("state");
        let terminated = state.get_or_null("terminated");
        if terminated.is_object() && exit_code(terminated) == 0 {
            continue;
        }
        if is_sidecar && container.is_true("started") {
            ready += usize::from(container.is_true("ready"));
            continue;
        }
        let waiting = state.get_or_null("waiting").text("reason");
        reason = if terminated.is_object() {
            format!("Init:{}", terminated_reason(terminated))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{place}/{}", init_specs.len())
        };
        initializing = true;
        break;
    }

    if !initializing || condition_is_true(status, "Initialized") {
        restarts = sidecar_restarts;
        let mut running = false;
        let mut error = None;
        // From the last to the first, so that the first container with something to say has the last word.
        for container in status.list("containerStatuses").iter().rev() {
            restarts.add(container);
            let state = container.get_or_null("state");
            let waiting = state.get_or_null("waiting").text("reason");
            let terminated = state.get_or_null("terminated");
            if !waiting.is_empty() {
                waiting.clone_into(&mut reason);
            } else if terminated.is_object() {
                reason = terminated_reason(terminated);
                if exit_code(terminated) != 0 {
                    error = Some(reason.clone());
                }
            } else if container.is_true("ready") && state.get_or_null("running").is_object() {
                running = true;
                ready += 1;
            }
        }
        if reason == "Completed" {
            if running && condition_is_true(status, "Ready") {
                "Running".clone_into(&mut reason);
            } else if let Some(error) = error.filter(|_| server >= ServerVersion(35)) {
                reason = error;
            } else if running {
                "NotReady".clone_into(&mut reason);
            }
        }
    }

    if !pod.get_or_null("metadata").get_or_null("deletionTimestamp").is_null() {
        let over = matches!(status.text("phase"), "Succeeded" | "Failed");
        if status.text("reason") == "NodeLost" {
            "Unknown".clone_into(&mut reason);
        } else if server < ServerVersion(31) || !over {
            "Terminating".clone_into(&mut reason);
        }
    }
    Columns { status: reason, ready: format!("{ready}/{total}"), restarts: restarts.count, last_restart: restarts.last }
}

#[derive(Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &Value) {
        self.count = self.count.saturating_add(container.integer("restartCount").unwrap_or_default());
        self.last = self.last.max(container.get_or_null("lastState").get_or_null("terminated").time("finishedAt"));
    }
}

fn exit_code(terminated: &Value) -> i64 {
    terminated.integer("exitCode").unwrap_or_default()
}

fn terminated_reason(terminated: &Value) -> String {
    match (terminated.text("reason"), terminated.integer("signal").unwrap_or_default()) {
        ("", 0) => format!("ExitCode:{}", exit_code(terminated)),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn condition_is_true(status: &Value, kind: &str) -> bool {
    status.list("conditions").iter().any(|condition| condition.text("type") == kind && condition.text("status") == "True")
}

/// How long ago, as kubectl prints it (`apimachinery/pkg/util/duration: HumanDuration`), from whole seconds.
pub fn human_duration(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    let two = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(seconds / MINUTE, "m", seconds % MINUTE, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => two(seconds / YEAR, "y", seconds % YEAR / DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests;
