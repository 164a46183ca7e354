//! `Memory cgroup out of memory: Kill process 1 (x) score 904 or sacrifice child` (`oom_kill_process`, before 5.1).
//!
//! It names the task that was chosen. A child of it may be the one that is killed.

use super::killed::{Domain, prefix};
use super::scan;

/// The task that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillAnnounced<'a> {
    /// Whose memory was out.
    pub domain: Option<Domain>,
    /// The process id, possibly of a thread.
    pub pid: u32,
    /// Its name.
    pub comm: &'a [u8],
    /// How bad it is, usually 0 to 1000 of the memory's thousandths.
    pub score: Option<u64>,
}

pub(super) fn read(text: &[u8]) -> Option<KillAnnounced<'_>> {
    let (domain, rest) = prefix(text);
    let rest = rest.strip_prefix(b"Kill process ").or_else(|| rest.strip_prefix(b"kill process "))?;
    let (pid, rest) = scan::id(rest)?;
    let (comm, rest) = scan::rsplit_once(rest.strip_prefix(b" (")?, b") score ")?;
    let (score, rest) = scan::number(rest)?;
    // A wrapped line may break off here; nothing that matters comes after the score.
    let known = [&b" or sacrifice child"[..], b" or a child", b" and children."].iter().any(|ending| ending.starts_with(rest));
    known.then_some(KillAnnounced { domain, pid, comm, score: Some(score) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, domain) in [
            ("Memory cgroup out of memory: Kill process 12 (a) b) score 904 or sacrifice child", Some(Domain::Memcg)),
            ("Out of memory: Kill process 12 (a) b) score 904 or sacrifice child", Some(Domain::Machine)),
            ("Out of memory (oom_kill_allocating_task): Kill process 12 (a) b) score 904 or sacrifice child", Some(Domain::Machine)),
            ("Out of memory: kill process 12 (a) b) score 904 or a child", Some(Domain::Machine)),
            ("Out of Memory: Kill process 12 (a) b) score 904 and children.", Some(Domain::Machine)),
            ("Kill process 12 (a) b) score 904 or sacrifice child", None),
        ] {
            assert_eq!(read(text.as_bytes()), Some(KillAnnounced { domain, pid: 12, comm: b"a) b", score: Some(904) }), "{text}");
        }
        assert_eq!(read(b"Kill process 7 (a) sharing same memory"), None);
    }
}
