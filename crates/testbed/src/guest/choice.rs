//! Which kernel a guest runs, and how that counts memory.

use std::fmt;

use crate::description::Cgroup;

/// A guest's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The kernel.
    pub series: Series,
    /// The version of the memory controller that its init mounts.
    pub cgroup: Cgroup,
    /// Whether its log is written to `logs/guest.kmsg`, as `/dev/kmsg` gives it.
    pub keeps_log: bool,
}

/// A series of Debian's kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    /// Debian 11.
    V5_10,
    /// Debian 12.
    V6_1,
    /// Debian 13, and a backport to 12.
    V6_12,
    /// What Debian's development has.
    Newest,
}

/// Every pair that there is: Debian's kernels are built without version 1 of the memory controller from 6.12 on (`CONFIG_MEMCG_V1`).
pub const ALL: [Choice; 6] = [
    choice(Series::V5_10, Cgroup::V1),
    choice(Series::V5_10, Cgroup::V2),
    choice(Series::V6_1, Cgroup::V1),
    choice(Series::V6_1, Cgroup::V2),
    choice(Series::V6_12, Cgroup::V2),
    choice(Series::Newest, Cgroup::V2),
];

const fn choice(series: Series, cgroup: Cgroup) -> Choice {
    Choice { series, cgroup, keeps_log: true }
}

impl Default for Choice {
    fn default() -> Self {
        Self { series: Series::V6_12, cgroup: Cgroup::V2, keeps_log: false }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cgroup = match self.cgroup {
            Cgroup::V1 => "v1",
            Cgroup::V2 => "v2",
        };
        write!(formatter, "{}-{cgroup}", self.series.name())
    }
}

impl Series {
    /// The name on the command line and of the folder in the cache.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V5_10 => "5.10",
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::Newest => "newest",
        }
    }

    /// The packages that make up a kernel, as regular expressions for apt-cache; of each the newest.
    pub(super) const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::V5_10 => &[r"^linux-image-5\.10\.0-[0-9]+-cloud-amd64$"],
            Self::V6_1 => &[r"^linux-image-6\.1\.0-[0-9]+-cloud-amd64$"],
            Self::V6_12 => &[r"^linux-image-6\.12\..*-cloud-amd64-unsigned$"],
            Self::Newest => &[r"^linux-binary-[0-9.]+\+deb[0-9]+-cloud-amd64$", r"^linux-modules-[0-9.]+\+deb[0-9]+-cloud-amd64$"],
        }
    }

    /// Where Debian has it, should this machine's apt not know it: archive and suite.
    pub(super) const fn suites(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::V5_10 => &[("debian", "bullseye"), ("debian-security", "bullseye-security")],
            Self::V6_1 => &[("debian", "bookworm"), ("debian-security", "bookworm-security")],
            Self::V6_12 => &[("debian", "trixie"), ("debian-security", "trixie-security")],
            Self::Newest => &[("debian", "sid")],
        }
    }
}
