//! `Tasks in /a are going to be killed due to memory.oom.group set` (`mem_cgroup_print_oom_group`, 4.19).
//!
//! It is not rate-limited: it names the cgroup of kills whose report was left out.

use super::{Line, Reading};

/// The cgroup that is killed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// Its path.
    pub path: &'a [u8],
}

pub(super) fn read(text: &[u8]) -> Reading<'_> {
    let Some(rest) = text.strip_prefix(b"Tasks in ").filter(|rest| rest.starts_with(b"/")) else {
        return Reading::No;
    };
    match rest.strip_suffix(b" are going to be killed due to memory.oom.group set") {
        Some(path) => Reading::Whole(Line::Group(Group { path })),
        None => Reading::Start(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(
            read(b"Tasks in /a b/c are going to be killed due to memory.oom.group set"),
            Reading::Whole(Line::Group(Group { path: b"/a b/c" }))
        );
        assert_eq!(read(b"Tasks in /a b/c are going to be killed due to mem"), Reading::Start(None));
        assert_eq!(read(b"Tasks state (memory values in pages):"), Reading::No);
    }
}
