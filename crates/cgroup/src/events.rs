//! The files that count out-of-memory kills: bytes to counters.
//!
//! A counter that the kernel does not have is `None`, which is not the same as 0.

/// The contents of `memory.events` (cgroup v2; `mm/memcontrol.c: __memory_events_show`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryEvents {
    /// Times that memory below the `low` boundary was reclaimed.
    pub low: Option<u64>,
    /// Times that the cgroup was throttled over `high`.
    pub high: Option<u64>,
    /// Times that usage was about to go over `max`.
    pub max: Option<u64>,
    /// Times that the limit was reached and an allocation was about to fail.
    pub oom: Option<u64>,
    /// Processes of this cgroup, and of those below it, that any kind of out-of-memory killer killed (4.13).
    pub oom_kill: Option<u64>,
    /// Times that a whole group was killed (5.17).
    pub oom_group_kill: Option<u64>,
}

/// The contents of `memory.oom_control` (cgroup v1; `mm/memcontrol-v1.c: mem_cgroup_oom_control_read`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OomControl {
    /// Whether the killer is switched off for this cgroup.
    pub oom_kill_disable: Option<bool>,
    /// Whether tasks wait for memory at this moment.
    pub under_oom: Option<bool>,
    /// Processes of this cgroup that were killed, without those of cgroups below (4.13).
    pub oom_kill: Option<u64>,
}

/// Reads `memory.events` or `memory.events.local`.
pub fn memory_events(contents: &[u8]) -> MemoryEvents {
    let mut events = MemoryEvents::default();
    for (key, value) in pairs(contents) {
        let counter = match key {
            b"low" => &mut events.low,
            b"high" => &mut events.high,
            b"max" => &mut events.max,
            b"oom" => &mut events.oom,
            b"oom_kill" => &mut events.oom_kill,
            b"oom_group_kill" => &mut events.oom_group_kill,
            _ => continue,
        };
        *counter = Some(value);
    }
    events
}

/// Reads `memory.oom_control`.
pub fn oom_control(contents: &[u8]) -> OomControl {
    let mut control = OomControl::default();
    for (key, value) in pairs(contents) {
        match key {
            b"oom_kill_disable" => control.oom_kill_disable = Some(value != 0),
            b"under_oom" => control.under_oom = Some(value != 0),
            b"oom_kill" => control.oom_kill = Some(value),
            _ => {}
        }
    }
    control
}

/// The machine's own count of out-of-memory kills since boot, from `/proc/vmstat` (4.13).
///
/// It counts every `Killed process` line, so the victim of a `memory.oom.group` kill twice.
pub fn vmstat_oom_kill(contents: &[u8]) -> Option<u64> {
    let count = contents.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"oom_kill "))?;
    std::str::from_utf8(count).ok()?.trim().parse().ok()
}

fn pairs(contents: &[u8]) -> impl Iterator<Item = (&[u8], u64)> {
    contents.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let key = words.next()?;
        let value = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        Some((key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_events_of_a_5_10_kernel_have_no_group_counter() {
        let events = memory_events(b"low 0\nhigh 0\nmax 113\noom 5\noom_kill 3\n");
        assert_eq!(events.oom_kill, Some(3));
        assert_eq!(events.max, Some(113));
        assert_eq!(events.oom_group_kill, None);
    }

    #[test]
    fn memory_events_of_a_6_12_kernel() {
        let events = memory_events(b"low 0\nhigh 0\nmax 12\noom 2\noom_kill 6\noom_group_kill 1\nsock_throttled 4\n");
        assert_eq!(events.oom_kill, Some(6));
        assert_eq!(events.oom_group_kill, Some(1));
    }

    #[test]
    fn oom_control_before_4_13_has_no_counter() {
        let control = oom_control(b"oom_kill_disable 0\nunder_oom 1\n");
        assert_eq!(control, OomControl { oom_kill_disable: Some(false), under_oom: Some(true), oom_kill: None });
        assert_eq!(oom_control(b"oom_kill_disable 0\nunder_oom 0\noom_kill 240\n").oom_kill, Some(240));
    }

    #[test]
    fn vmstat_takes_the_whole_key() {
        assert_eq!(vmstat_oom_kill(b"nr_free_pages 1\noom_kill_x 9\noom_kill 17\npgfault 4\n"), Some(17));
        assert_eq!(vmstat_oom_kill(b"nr_free_pages 1\n"), None);
    }

    #[test]
    fn nonsense_is_no_counter() {
        assert_eq!(memory_events(b"oom_kill\noom_kill x\n\xff\xff 1\noom_kill 99999999999999999999999"), MemoryEvents::default());
    }
}
