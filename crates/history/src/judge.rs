//! Whether a limit was tried before and was not enough.

use crate::record::{KillRecord, Level, time};
use crate::suggestion::suggestion;

/// The kills of one container of a workload, under whatever limit and image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastKills {
    /// By pod, the last ones first.
    pub records: Vec<KillRecord>,
    /// The most memory that pods may have on any node, in bytes, where that is known.
    pub largest_node: Option<u64>,
}

/// What a limit falls short of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// The container was killed at this limit of its own, or at a higher one.
    ContainerLimit,
    /// A process of the container was killed at this limit of the pod, or at a higher one.
    PodLimit,
    /// Something else than these limits had the container killed when it held more than this.
    Peak,
}

/// Why a limit will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it falls short of.
    pub shortfall: Shortfall,
    /// The highest limit that was not enough, or the peak, in bytes.
    pub needed: u64,
    /// Incidents.
    pub times: u64,
    /// The last kill, in seconds since 1970.
    pub last: i64,
    /// The most that was seen to be held, in bytes.
    pub peak: Option<u64>,
    /// What to try instead, in bytes.
    pub suggestion: Option<u64>,
}

impl Judgement {
    /// The day of the last kill (UTC), as `2026-11-22`.
    pub fn last_day(&self) -> String {
        time(self.last).chars().take(10).collect()
    }
}

impl PastKills {
    /// Judges limits in bytes for a container with this image: its own, or the pod's where that is lower, and the pod's as a whole. `None`
    /// where nothing is known against them: the image is another, the limit was raised, or nothing was killed.
    pub fn judge(&self, image: &str, limit: u64, pod_limit: Option<u64>) -> Option<Judgement> {
        let of_image: Vec<&KillRecord> = self.records.iter().filter(|record| is_same_image(&record.image, image)).collect();
        let at = |level: Level, limit: u64| -> Vec<&KillRecord> {
            let reached = |record: &&&KillRecord| record.level == level && record.limit.is_some_and(|was| was >= limit);
            of_image.iter().filter(reached).copied().collect()
        };
        let own = at(Level::Container, limit);
        if !own.is_empty() {
            return self.judgement(Shortfall::ContainerLimit, &of_image, &own, Level::Container);
        }
        let pod = pod_limit.map_or_else(Vec::new, |limit| at(Level::Pod, limit));
        if !pod.is_empty() {
            return self.judgement(Shortfall::PodLimit, &of_image, &pod, Level::Pod);
        }
        let above = |record: &&&KillRecord| record.level != Level::Container && record.peak.is_some_and(|peak| peak > limit);
        let peaks: Vec<&KillRecord> = of_image.iter().filter(above).copied().collect();
        (!peaks.is_empty()).then(|| self.judgement(Shortfall::Peak, &of_image, &peaks, Level::Beyond))?
    }

    /// `of_image`: all that is known of this image, `against`: what speaks against the limit.
    fn judgement(&self, shortfall: Shortfall, of_image: &[&KillRecord], against: &[&KillRecord], level: Level) -> Option<Judgement> {
        let peak = against.iter().filter_map(|record| record.peak).max();
        let needed = match shortfall {
            Shortfall::Peak => peak?,
            Shortfall::ContainerLimit | Shortfall::PodLimit => against.iter().filter_map(|record| record.limit).max()?,
        };
        // A lower limit that was not enough either tells that it was raised before.
        let limits: Vec<u64> = match shortfall {
            Shortfall::Peak => Vec::new(),
            _ => of_image.iter().filter(|record| record.level == level).filter_map(|record| record.limit).collect(),
        };
        Some(Judgement {
            shortfall,
            needed,
            times: against.iter().fold(0_u64, |sum, record| sum.saturating_add(record.incidents)),
            last: against.iter().map(|record| record.last).max()?,
            peak,
            suggestion: suggestion(&limits, peak, self.largest_node),
        })
    }
}

/// Whether two references name the same image: written the same, but for what Docker Hub's names may leave out.
fn is_same_image(left: &str, right: &str) -> bool {
    let short = |image: &str| -> String {
        let image = image.strip_prefix("docker.io/").or_else(|| image.strip_prefix("index.docker.io/")).unwrap_or(image);
        let image = image.strip_prefix("library/").unwrap_or(image);
        let has_tag = image.contains('@') || image.rsplit('/').next().is_some_and(|last| last.contains(':'));
        if has_tag { image.to_owned() } else { format!("{image}:latest") }
    };
    left == right || short(left) == short(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MI: u64 = 1 << 20;

    fn record(pod: &str, level: Level, limit: Option<u64>, peak: u64, incidents: u64) -> KillRecord {
        KillRecord {
            kills: incidents,
            last: 1_795_341_900,
            first: 1_795_341_600,
            incidents,
            level,
            limit: limit.map(|limit| limit * MI),
            peak: Some(peak * MI),
            image: "app:1".to_owned(),
            pod: pod.to_owned(),
        }
    }

    fn past(records: &[KillRecord]) -> PastKills {
        PastKills { records: records.to_vec(), largest_node: None }
    }

    #[test]
    fn a_limit_that_is_kept_or_lowered() {
        let past = past(&[record("a", Level::Container, Some(256), 255, 2), record("b", Level::Container, Some(256), 254, 1)]);
        let want = Judgement {
            shortfall: Shortfall::ContainerLimit,
            needed: 256 * MI,
            times: 3,
            last: 1_795_341_900,
            peak: Some(255 * MI),
            suggestion: Some(384 * MI),
        };
        assert_eq!(past.judge("app:1", 256 * MI, None), Some(want));
        assert_eq!(past.judge("app:1", 128 * MI, None), Some(want));
        assert_eq!(want.last_day(), "2026-11-22");
        // A raised limit ends it, and so does a new image.
        assert_eq!(past.judge("app:1", 256 * MI + 1, None), None);
        assert_eq!(past.judge("app:2", 256 * MI, None), None);
    }

    #[test]
    fn a_limit_that_was_raised_and_was_not_enough_again() {
        let past = past(&[record("b", Level::Container, Some(384), 383, 1), record("a", Level::Container, Some(256), 255, 9)]);
        let judgement = past.judge("app:1", 384 * MI, None).unwrap();
        assert_eq!((judgement.needed, judgement.times, judgement.suggestion), (384 * MI, 1, Some(768 * MI)));
        let judgement = past.judge("app:1", 256 * MI, None).unwrap();
        assert_eq!((judgement.needed, judgement.times, judgement.suggestion), (384 * MI, 10, Some(768 * MI)));
        assert_eq!(past.judge("app:1", 512 * MI, None), None);
    }

    #[test]
    fn the_pods_limit_and_a_peak_that_was_seen() {
        let pod = past(&[record("a", Level::Pod, Some(512), 300, 1)]);
        let judgement = pod.judge("app:1", 400 * MI, Some(512 * MI)).unwrap();
        assert_eq!((judgement.shortfall, judgement.needed, judgement.suggestion), (Shortfall::PodLimit, 512 * MI, Some(768 * MI)));
        assert_eq!(pod.judge("app:1", 400 * MI, Some(513 * MI)), None);
        assert_eq!(pod.judge("app:1", 400 * MI, None), None);
        let node = past(&[record("a", Level::Beyond, None, 900, 1)]);
        let judgement = node.judge("app:1", 512 * MI, Some(512 * MI)).unwrap();
        assert_eq!((judgement.shortfall, judgement.needed, judgement.suggestion), (Shortfall::Peak, 900 * MI, Some(1280 * MI)));
        assert_eq!(node.judge("app:1", 900 * MI, None), None);
    }

    #[test]
    fn images_are_compared_as_they_are_meant() {
        for (left, right, same) in [
            ("nginx", "docker.io/library/nginx:latest", true),
            ("nginx:1", "index.docker.io/library/nginx:1", true),
            ("a/b:1", "docker.io/a/b:1", true),
            ("localhost:5000/a", "localhost:5000/a:latest", true),
            ("nginx:1", "nginx:2", false),
            ("mirror.test/nginx:1", "nginx:1", false),
            ("a@sha256:1", "a", false),
        ] {
            assert_eq!(is_same_image(left, right), same, "{left} {right}");
        }
    }
}
