//! `Kill process 1 (x) sharing same memory` (`oom_kill_process` of 2.6 to 4.x): a process that shares the victim's memory dies with it.

use super::scan;

/// The process that dies with the victim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing<'a> {
    /// The process id.
    pub pid: u32,
    /// Its name.
    pub comm: &'a [u8],
}

pub(super) fn read(text: &[u8]) -> Option<Sharing<'_>> {
    let (pid, rest) = scan::id(text.strip_prefix(b"Kill process ")?)?;
    let comm = rest.strip_prefix(b" (")?.strip_suffix(b") sharing same memory")?;
    Some(Sharing { pid, comm })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(read(b"Kill process 7 (a) b) sharing same memory"), Some(Sharing { pid: 7, comm: b"a) b" }));
        assert_eq!(read(b"Kill process 7 (a) score 3 or sacrifice child"), None);
    }
}
