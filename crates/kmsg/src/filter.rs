//! A first look at a whole log: which lines can matter at all.

use aho_corasick::{AhoCorasick, MatchKind};
use std::sync::LazyLock;

/// What a line that begins or ends a report of the kernel's holds (`mm/oom_kill.c`, `mm/memcontrol.c`).
///
/// Only the *starts* are here: while a report is open every line is read.
const NEEDLES: [&str; 18] = [
    "oom-kill",
    "oom_reaper: ",
    "oom_kill_process: ",
    "oom.group",
    "illed process",
    "ill process ",
    "OOM victim ",
    "ut of memory",
    "ut of Memory",
    "as a result of limit of",
    "Task in /",
    "Tasks in /",
    "limit reached of cgroup",
    "deadlocked on memory",
    "memory: usage ",
    "tgid total_vm",
    // A journal entry whose text is no UTF-8 is a list of numbers.
    "\"MESSAGE\":[",
    "\"MESSAGE\" : [",
];

/// The needles as one automaton; it is built once. It is never built from so many that it could fail.
static SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(NEEDLES).ok());

/// Finds the lines that can matter, by vector instructions where the machine has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter;

impl Filter {
    /// The position in `bytes` of the first thing that can matter.
    pub fn find(self, bytes: &[u8]) -> Option<usize> {
        match &*SEARCH {
            Some(search) => search.find(bytes).map(|found| found.start()),
            // Every line is read.
            None => (!bytes.is_empty()).then_some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_can_matter() {
        let filter = Filter;
        for line in [
            "java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "oom-kill:constraint=CONSTRAINT_NONE",
            "Out of memory: Killed process 1 (x)",
            "Out of Memory: Kill process 1 (x) score 3 and children.",
            "Memory cgroup out of memory: kill process 1 (x) score 3 or a child",
            "Tasks in /a are going to be killed due to memory.oom.group set",
            "oom_kill_process: 240 callbacks suppressed",
            "Memory limit reached of cgroup /a",
        ] {
            assert!(filter.find(line.as_bytes()).is_some(), "{line}");
        }
    }

    #[test]
    fn passes_over_the_rest() {
        let filter = Filter;
        for line in [" oom_kill_process.cold+0x8/0x8d", "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready", "memory: 16384K", ""] {
            assert_eq!(filter.find(line.as_bytes()), None, "{line}");
        }
    }
}
