//! The command line.

use clap::Parser;
use podsight_runtime::telemetry::LogFormat;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Reads the kernel's own reports of out-of-memory kills and writes confirmed evidence on the pods of this node.
#[derive(Clone, Debug, Parser)]
#[command(name = "podsight-agent", version)]
pub struct Args {
    /// The node that the agent runs on; its pods are the ones that are annotated.
    #[arg(long, env = "NODE_NAME", value_name = "NAME")]
    pub node_name: String,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "PODSIGHT_ADMIN_LISTEN", default_value = "0.0.0.0:9090", value_name = "ADDRESS")]
    pub admin_listen: SocketAddr,
    /// Where the kernel log is read: `/dev/kmsg`, `syslog` for syslog(2), a recorded log, or `auto`: the first if it can be opened, else the second.
    #[arg(long, env = "PODSIGHT_KERNEL_LOG", default_value = "auto", value_name = "SOURCE")]
    pub kernel_log: KernelLog,
    /// The folder that keeps how far the log was read.
    #[arg(long, env = "PODSIGHT_STATE_DIR", default_value = "/var/lib/podsight", value_name = "DIR")]
    pub state_dir: PathBuf,
    /// The proc file system. With the node's own one, the processes' cgroups are known before a kill.
    #[arg(long, env = "PODSIGHT_PROC", default_value = "/proc", value_name = "DIR")]
    pub proc: PathBuf,
    /// The cgroup file system. With the node's own one, the containers' own counters are read.
    #[arg(long, env = "PODSIGHT_CGROUP_ROOT", default_value = "/sys/fs/cgroup", value_name = "DIR")]
    pub cgroup_root: PathBuf,
    /// How log lines look: `text` or `json`.
    #[arg(long, env = "PODSIGHT_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// How much is logged: a level (error, warn, info, debug, trace), or levels by module.
    #[arg(long, env = "PODSIGHT_LOG", default_value = "info,kube=warn", value_name = "FILTER")]
    pub log: String,
}

/// Where the kernel log is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelLog {
    /// `/dev/kmsg` if it can be opened, else syslog(2).
    Auto,
    /// `/dev/kmsg`
    DevKmsg,
    /// syslog(2), with nothing but `CAP_SYSLOG`.
    Syslog,
    /// A recorded log, in any form.
    File(PathBuf),
}

impl FromStr for KernelLog {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "auto" => Self::Auto,
            "/dev/kmsg" => Self::DevKmsg,
            "syslog" => Self::Syslog,
            path => Self::File(PathBuf::from(path)),
        })
    }
}
