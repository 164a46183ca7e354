//! `oom_reaper: reaped process 1 (x), now anon-rss:0kB, …` (`oom_reap_task_mm`, 4.6).
//!
//! It confirms a kill, but is none: a task that was dying anyway is reaped too.

use super::scan;

/// A process whose memory was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaped<'a> {
    /// The process id.
    pub pid: u32,
    /// Its name.
    pub comm: &'a [u8],
    /// Whether it could be done (`unable to reap pid:…` says that it could not).
    pub done: bool,
}

pub(super) fn read(text: &[u8]) -> Option<Reaped<'_>> {
    let rest = text.strip_prefix(b"oom_reaper: ")?;
    if let Some(rest) = rest.strip_prefix(b"unable to reap pid:") {
        let (pid, rest) = scan::id(rest)?;
        let comm = rest.strip_prefix(b" (")?.strip_suffix(b")")?;
        return Some(Reaped { pid, comm, done: false });
    }
    let (pid, rest) = scan::id(rest.strip_prefix(b"reaped process ")?)?;
    let rest = rest.strip_prefix(b" (")?;
    // 4.6 has `), now` and before it 4.6-rc had ` :`; the end of the name is the last bracket.
    let comm = rest.get(..memchr::memrchr(b')', rest)?)?;
    Some(Reaped { pid, comm, done: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let text = b"oom_reaper: reaped process 387951 (runc:[2:INIT]), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB";
        assert_eq!(read(text), Some(Reaped { pid: 387_951, comm: b"runc:[2:INIT]", done: true }));
        assert_eq!(read(b"oom_reaper: unable to reap pid:7 ((sd-pam))"), Some(Reaped { pid: 7, comm: b"(sd-pam)", done: false }));
        assert_eq!(read(b"oom_reaper: something else"), None);
    }
}
