//! `OOM victim 1 (x) is already exiting. Skip killing the task` (`__oom_kill_process`, 5.9): no kill, and the kernel does not count one.

use super::scan;

/// A task that was chosen and needed no kill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyExiting<'a> {
    /// The process id.
    pub pid: u32,
    /// Its name.
    pub comm: &'a [u8],
}

pub(super) fn read(text: &[u8]) -> Option<AlreadyExiting<'_>> {
    // Behind `Memory cgroup out of memory: `, as the other lines of that function.
    let at = memchr::memmem::find(text.get(..text.len().min(80))?, b"OOM victim ")?;
    let before = text.get(..at)?;
    (before.is_empty() || before.ends_with(b": ")).then_some(())?;
    let (pid, rest) = scan::id(text.get(at..)?.strip_prefix(b"OOM victim ")?)?;
    let comm = rest.strip_prefix(b" (")?.strip_suffix(b") is already exiting. Skip killing the task")?;
    Some(AlreadyExiting { pid, comm })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let exiting = Some(AlreadyExiting { pid: 12, comm: b"a) b" });
        assert_eq!(read(b"OOM victim 12 (a) b) is already exiting. Skip killing the task"), exiting);
        assert_eq!(read(b"Memory cgroup out of memory: OOM victim 12 (a) b) is already exiting. Skip killing the task"), exiting);
        assert_eq!(read(b"OOM victim 12 (a)"), None);
    }
}
