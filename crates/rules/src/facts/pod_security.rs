//! The Pod Security level that a namespace enforces (`k8s.io/pod-security-admission/api/helpers.go: PolicyToEvaluate`).

/// The label with the level.
const LEVEL: &str = "pod-security.kubernetes.io/enforce";
/// The label with the version of the level.
const VERSION: &str = "pod-security.kubernetes.io/enforce-version";

/// A level above `privileged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `baseline`
    Baseline,
    /// `restricted`
    Restricted,
}

impl Level {
    /// The level's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

/// What a namespace enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodSecurity {
    /// The level.
    pub level: Level,
    /// The minor version of Kubernetes whose checks are made; `None`: those of the server, which is not known.
    pub minor: Option<u32>,
}

impl PodSecurity {
    /// What the labels of a namespace enforce, on a server of this minor version. A level that is none is enforced as `restricted`.
    pub fn of_labels<'a>(label: impl Fn(&str) -> Option<&'a str>, server_minor: Option<u32>) -> Option<Self> {
        let level = match label(LEVEL)? {
            "privileged" => return None,
            "baseline" => Level::Baseline,
            _ => Level::Restricted,
        };
        let pinned = label(VERSION).and_then(|version| version.strip_prefix("v1.")).and_then(|minor| minor.parse::<u32>().ok());
        // Newer checks than its own the server does not have.
        let minor = match (pinned, server_minor) {
            (Some(pinned), Some(server)) => Some(pinned.min(server)),
            (pinned, server) => pinned.or(server),
        };
        Some(Self { level, minor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_the_admission_plugin_reads_them() {
        let of = |level: Option<&'static str>, version: Option<&'static str>, server| {
            PodSecurity::of_labels(|label| if label == LEVEL { level } else { version }, server)
        };
        let some = |level, minor| Some(PodSecurity { level, minor });
        assert_eq!(of(None, None, Some(37)), None);
        assert_eq!(of(Some("privileged"), None, Some(37)), None);
        assert_eq!(of(Some("baseline"), None, Some(37)), some(Level::Baseline, Some(37)));
        assert_eq!(of(Some("restricted"), Some("v1.25"), Some(37)), some(Level::Restricted, Some(25)));
        assert_eq!(of(Some("restricted"), Some("v1.99"), Some(37)), some(Level::Restricted, Some(37)));
        assert_eq!(of(Some("restricted"), Some("latest"), None), some(Level::Restricted, None));
        assert_eq!(of(Some("strict"), None, None), some(Level::Restricted, None));
    }
}
