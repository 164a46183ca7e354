//! `java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0` (`dump_header`).
//!
//! The first line of a report names the task whose allocation failed. Reports are rate-limited to ten in five seconds; kill lines are not.

use super::scan;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The task that ran into the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked<'a> {
    /// Its name; empty on kernels before 2.6.19, which do not tell it.
    pub comm: &'a [u8],
    /// The order of the allocation, 2^order pages. -1 is a kill that somebody asked for by `SysRq` f.
    pub order: Option<i32>,
    /// Its `oom_score_adj`.
    pub oom_score_adj: Option<i32>,
}

pub(super) fn read(text: &[u8]) -> Option<Invoked<'_>> {
    // No name has room for these words, so the first place is the only one.
    static WORDS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" invoked oom-killer: gfp_mask="));
    let (comm, rest) = match WORDS.find(text) {
        Some(end) => (text.get(..end)?, text.get(end..)?),
        None => (&b""[..], text.strip_prefix(b"oom-killer: gfp_mask=")?),
    };
    let number = |key: &[u8]| scan::value(rest, key).and_then(|value| i32::try_from(value).ok());
    Some(Invoked { comm, order: number(b"order="), oom_score_adj: number(b"oom_score_adj=") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, comm, order, adj) in [
            ("java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999", "java", Some(0), Some(999)),
            (
                "x invoked oom-killer: gfp_mask=0x6200ca(GFP_HIGHUSER_MOVABLE), nodemask=(null), order=0, oom_score_adj=-998",
                "x",
                Some(0),
                Some(-998),
            ),
            ("memorymonster invoked oom-killer: gfp_mask=0xd0, order=3, oom_score_adj=0", "memorymonster", Some(3), Some(0)),
            ("httpd invoked oom-killer: gfp_mask=0x280da, order=0, oom_adj=0, oom_score_adj=0", "httpd", Some(0), Some(0)),
            ("httpd invoked oom-killer: gfp_mask=0x201da, order=0, oomkilladj=0", "httpd", Some(0), None),
            ("oom-killer: gfp_mask=0xd0, order=1", "", Some(1), None),
            ("kworker/0:2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0", "kworker/0:2", Some(-1), Some(0)),
            (
                "runc:[2:INIT] invoked oom-killer: gfp_mask=0x500cc2(GFP_HIGHUSER|__GFP_ACCOUNT), order=0, oom_score_adj=0",
                "runc:[2:INIT]",
                Some(0),
                Some(0),
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Some(Invoked { comm: comm.as_bytes(), order, oom_score_adj: adj }), "{text}");
        }
    }

    #[test]
    fn names_that_imitate() {
        let text = b"Out of memory:  invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0";
        assert_eq!(read(text).unwrap().comm, b"Out of memory: ");
        assert_eq!(read(b"a invoked oom-killer"), None);
    }
}
