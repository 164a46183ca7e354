//! `memory: usage 32768kB, limit 32768kB, failcnt 100`, and the same for `memory+swap`, `swap` and `kmem` (`mem_cgroup_print_oom_meminfo`).

use super::scan;

/// One counter of the cgroup whose limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageLine {
    /// Which counter.
    pub counter: Counter,
    /// In KiB.
    pub usage_kb: u64,
    /// In KiB; the largest values stand for no limit.
    pub limit_kb: u64,
    /// How often the limit was met.
    pub failcnt: u64,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Memory.
    Memory,
    /// Memory and swap together (cgroup v1).
    MemoryAndSwap,
    /// Swap (cgroup v2).
    Swap,
    /// Kernel memory (cgroup v1).
    Kernel,
}

pub(super) fn read(text: &[u8]) -> Option<UsageLine> {
    let (name, rest) = scan::split_once(text, b": usage ")?;
    let counter = match name {
        b"memory" => Counter::Memory,
        b"memory+swap" => Counter::MemoryAndSwap,
        b"swap" => Counter::Swap,
        b"kmem" => Counter::Kernel,
        _ => return None,
    };
    let (usage_kb, rest) = scan::number(rest)?;
    let (limit_kb, rest) = scan::number(rest.strip_prefix(b"kB, limit ")?)?;
    let (failcnt, _) = scan::number(rest.strip_prefix(b"kB, failcnt ")?)?;
    Some(UsageLine { counter, usage_kb, limit_kb, failcnt })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (name, counter) in
            [("memory", Counter::Memory), ("memory+swap", Counter::MemoryAndSwap), ("swap", Counter::Swap), ("kmem", Counter::Kernel)]
        {
            let text = format!("{name}: usage 980kB, limit 9007199254740988kB, failcnt 4152239");
            assert_eq!(
                read(text.as_bytes()),
                Some(UsageLine { counter, usage_kb: 980, limit_kb: 9_007_199_254_740_988, failcnt: 4_152_239 })
            );
        }
        assert_eq!(read(b"memory: usage 980kB"), None);
        assert_eq!(read(b"cpu: usage 980kB, limit 1kB, failcnt 1"), None);
    }
}
