//! `Task in /victim killed as a result of limit of /owner` (`mem_cgroup_print_oom_info`, before 5.0 and on RHEL 8.1).

use super::scan::{is_below, rsplit_once, split_once};
use super::{Line, Reading};

/// The cgroups of the victim and of the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskIn<'a> {
    /// The cgroup of the chosen task.
    pub victim: &'a [u8],
    /// The cgroup whose limit was reached.
    pub limit: &'a [u8],
}

pub(super) fn read(text: &[u8]) -> Reading<'_> {
    const WORDS: &[u8] = b" killed as a result of limit of ";
    let Some(paths) = text.strip_prefix(b"Task in ") else {
        return Reading::No;
    };
    // A cgroup may have these words in its name. The victim's path lies below the limit's: only the right place to cut makes that so.
    let mut searched = 0;
    while let Some(found) = paths.get(searched..).and_then(|rest| memchr::memmem::find(rest, WORDS)) {
        let at = searched + found;
        if let (Some(victim), Some(limit)) = (paths.get(..at), paths.get(at + WORDS.len()..))
            && limit.starts_with(b"/")
            && is_below(victim, limit)
        {
            return Reading::Whole(Line::TaskIn(TaskIn { victim, limit }));
        }
        searched = at + 1;
    }
    if let Some((victim, limit)) = split_once(paths, WORDS).filter(|(_, limit)| limit.starts_with(b"/")) {
        return Reading::Whole(Line::TaskIn(TaskIn { victim, limit }));
    }
    // Printed in pieces, which another processor's line may separate.
    let open =
        rsplit_once(paths, b" killed").is_some_and(|(_, rest)| b" as a result of limit of ".starts_with(rest)) || !paths.contains(&b' ');
    if open { Reading::Start(None) } else { Reading::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn whole(text: &str, victim: &str, limit: &str) {
        assert_eq!(
            read(text.as_bytes()),
            Reading::Whole(Line::TaskIn(TaskIn { victim: victim.as_bytes(), limit: limit.as_bytes() })),
            "{text}"
        );
    }

    #[test]
    fn forms() {
        whole("Task in /mem2 killed as a result of limit of /mem2", "/mem2", "/mem2");
        whole("Task in /kubepods/pod1/2 killed as a result of limit of /kubepods/pod1", "/kubepods/pod1/2", "/kubepods/pod1");
        whole("Task in / killed as a result of limit of /", "/", "/");
        // The task has moved since.
        whole("Task in /a killed as a result of limit of /b", "/a", "/b");
    }

    #[test]
    fn names_that_imitate() {
        let owner = "/mine/x killed as a result of limit of /theirs";
        whole(&format!("Task in {owner}/c killed as a result of limit of {owner}"), &format!("{owner}/c"), owner);
    }

    #[test]
    fn pieces() {
        assert_eq!(read(b"Task in /a/b"), Reading::Start(None));
        assert_eq!(read(b"Task in /a/b killed"), Reading::Start(None));
        assert_eq!(read(b"Task in /a/b killed as a result of limit of"), Reading::Start(None));
        assert_eq!(read(b"Task in /a/b is well"), Reading::No);
    }
}
