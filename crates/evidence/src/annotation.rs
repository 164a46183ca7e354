//! The annotation's schema. Only this module knows the keys.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One sentence for people.
pub const OOM_KILLED: &str = "podsight.dev/oom-killed";
/// The evidence as JSON.
pub const OOM: &str = "podsight.dev/oom";
/// The largest size of the JSON, in bytes.
pub const MAX_BYTES: usize = 4096;

/// The value of `podsight.dev/oom`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of the schema: 1.
    pub v: u32,
    /// By container name.
    pub containers: BTreeMap<String, ContainerEvidence>,
    /// Kills in this pod that no container could be named for.
    #[serde(default)]
    pub unattributed: u64,
    /// Records that the agent knows it has lost.
    #[serde(default)]
    pub lost: u64,
}

/// What is known of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerEvidence {
    /// Killed processes.
    pub kills: u64,
    /// Incidents; a group kill is one.
    pub incidents: u64,
    /// First kill, RFC 3339.
    pub first: String,
    /// Last kill, RFC 3339.
    pub last: String,
    /// The level of the limit: `container`, `pod`, `qos`, `node-allocatable`, `node` or `cgroup`; absent knowledge is null.
    pub scope: Option<String>,
    /// The limit that was reached, as a quantity.
    pub limit: Option<String>,
    /// The most memory that a victim or its cgroup was seen to hold, as a quantity.
    pub peak: Option<String>,
    /// Whether the API ever showed the container as terminated by it.
    pub visible: bool,
    /// An id of the catalogue of causes.
    pub verdict: String,
    /// The last kills, newest last.
    pub recent: Vec<RecentKill>,
}

/// One kill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentKill {
    /// First 8 hex digits of the boot id, and the sequence number; or `boot:usec:pid`.
    pub id: String,
    /// When, RFC 3339.
    pub at: String,
    /// The process id.
    pub pid: Option<u32>,
    /// The process name, escaped.
    pub comm: Option<String>,
    /// Anonymous memory as a quantity.
    pub anon: Option<String>,
    /// `kernel-line`, `kernel-group`, `pid`, `counter` or `none`.
    pub attribution: String,
}
