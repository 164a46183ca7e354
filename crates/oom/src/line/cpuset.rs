//! `java cpuset=docker-083a….scope mems_allowed=0-3` (`cpuset_print_current_mems_allowed`, before 5.0).

use super::scan;

/// The name of the trigger's cpuset, whose own name is `comm`.
pub(crate) fn cpuset<'a>(text: &'a [u8], comm: &[u8]) -> Option<&'a [u8]> {
    let rest = text.strip_prefix(comm)?.strip_prefix(b" cpuset=")?;
    scan::rsplit_once(rest, b" mems_allowed=").map(|(cpuset, _)| cpuset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(cpuset(b"java cpuset=docker-1.scope mems_allowed=0-3", b"java"), Some(&b"docker-1.scope"[..]));
        assert_eq!(cpuset(b"a cpuset=b cpuset=/ mems_allowed=0", b"a cpuset=b"), Some(&b"/"[..]));
        assert_eq!(cpuset(b"java cpuset=/ mems_allowed=0", b"node"), None);
    }
}
