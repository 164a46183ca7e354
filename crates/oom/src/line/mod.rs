//! The kernel's lines, one file each.
//!
//! A line is recognised by what it says, never by the kernel's version, since vendors carry changes back and forth.
//! Names of processes are up to 15 bytes of anything and cgroup paths nearly so, therefore lines are read from both ends.

mod already_exiting;
mod constraint;
mod cpuset;
mod group;
mod invoked;
mod kill_announced;
mod killed;
mod limit_reached;
mod no_killable;
mod panic;
mod reaped;
mod scan;
mod sharing;
mod stats;
mod suppressed;
mod task_in;
mod task_table;
mod trigger_pid;
mod usage;

pub use already_exiting::AlreadyExiting;
pub use constraint::ConstraintLine;
pub use group::Group;
pub use invoked::Invoked;
pub use kill_announced::KillAnnounced;
pub use killed::{Domain, Killed};
pub use reaped::Reaped;
pub use sharing::Sharing;
pub use stats::{StatsHeader, stat};
pub use task_in::TaskIn;
pub use task_table::{Columns, Row, row};
pub use usage::{Counter, UsageLine};

pub(crate) use constraint::continues as continues_constraint;
pub(crate) use cpuset::cpuset;

/// A line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// `java invoked oom-killer: …`
    Invoked(Invoked<'a>),
    /// `CPU: 1 PID: 12275 Comm: …`: the pid of the task that ran into the limit.
    TriggerPid(u32),
    /// `Task in P1 killed as a result of limit of P2`
    TaskIn(TaskIn<'a>),
    /// `memory: usage …kB, limit …kB, failcnt …`
    Usage(UsageLine),
    /// `Memory cgroup stats for P: …`
    StatsHeader(StatsHeader<'a>),
    /// `[  pid  ]   uid  tgid total_vm …`
    TableHeader(Columns),
    /// `oom-kill:constraint=…`
    Constraint(ConstraintLine<'a>),
    /// `Kill process 1 (x) score 2 or sacrifice child`
    KillAnnounced(KillAnnounced<'a>),
    /// `Killed process 1 (x) total-vm:…`
    Killed(Killed<'a>),
    /// `Kill process 1 (x) sharing same memory`
    Sharing(Sharing<'a>),
    /// `Tasks in P are going to be killed due to memory.oom.group set`
    Group(Group<'a>),
    /// `oom_reaper: reaped process 1 (x), now anon-rss:…`
    Reaped(Reaped<'a>),
    /// `OOM victim 1 (x) is already exiting. Skip killing the task`
    AlreadyExiting(AlreadyExiting<'a>),
    /// `Out of memory and no killable processes...`
    NoKillable,
    /// `Memory limit reached of cgroup P`
    LimitReached(&'a [u8]),
    /// `System is deadlocked on memory`, `Out of memory: … panic_on_oom is enabled`
    Panic,
    /// `oom_kill_process: 240 callbacks suppressed`
    Suppressed(u64),
}

/// What a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// A whole line.
    Whole(Line<'a>),
    /// A line that is whole for some kernel, while the same line of another has more: the next text may be the rest of it.
    Either(Line<'a>),
    /// The start of a line that breaks off. What it tells so far is given where that is of use.
    Start(Option<Line<'a>>),
    /// Something else.
    No,
}

/// Reads one text of the log.
pub fn read(text: &[u8]) -> Reading<'_> {
    let text = text.trim_ascii_end();
    // These begin with fixed words longer than any process name, so that no name can look like them.
    let whole = match text.first() {
        None => return Reading::No,
        Some(b'o') if text.starts_with(b"oom-kill:") => return constraint::read(text),
        Some(b'T') if text.starts_with(b"Task in /") => return task_in::read(text),
        _ => invoked::read(text).map(Line::Invoked),
    };
    if let Some(line) = whole {
        return Reading::Whole(line);
    }
    let whole = match text.first() {
        Some(b'M' | b'O' | b'K' | b'k') => {
            let victim = killed::read(text);
            if victim != Reading::No {
                return victim;
            }
            kill_announced::read(text)
                .map(Line::KillAnnounced)
                .or_else(|| sharing::read(text).map(Line::Sharing))
                .or_else(|| no_killable::read(text).then_some(Line::NoKillable))
                .or_else(|| limit_reached::read(text).map(Line::LimitReached))
                .or_else(|| stats::read(text).map(Line::StatsHeader))
                .or_else(|| already_exiting::read(text).map(Line::AlreadyExiting))
                .or_else(|| panic::read(text).then_some(Line::Panic))
                .or_else(|| usage::read(text).map(Line::Usage))
        }
        Some(b'm' | b's') => usage::read(text).map(Line::Usage),
        Some(b'T') => return group::read(text),
        Some(b'o') => reaped::read(text).map(Line::Reaped).or_else(|| suppressed::read(text).map(Line::Suppressed)),
        Some(b'[') => task_table::read(text).map(Line::TableHeader),
        Some(b'C' | b'P') => trigger_pid::read(text).map(Line::TriggerPid),
        Some(b'S') => panic::read(text).then_some(Line::Panic),
        Some(b'd') => suppressed::read(text).map(Line::Suppressed),
        _ => None,
    };
    whole.map_or(Reading::No, Reading::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(text in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _reading = read(&text);
        }

        /// Pieces of lines in any order: what is hostile looks like this rather than like noise.
        #[test]
        fn pieces_of_lines_are_taken(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "Memory cgroup out of memory: ", "Out of memory: ", "Killed process ", "Kill process ", "12", " (", "(", ")", " total-vm:", "kB", ", ",
            "oom-kill:constraint=", "CONSTRAINT_MEMCG", ",oom_memcg=/", ",task_memcg=/", ",task=", ",pid=", ",uid=", "UID:", "99999999999999999999",
            " invoked oom-killer: gfp_mask=0x0, order=", "Task in /", " killed as a result of limit of /", "[  pid  ]", " uid tgid total_vm rss name", "\n", "-",
        ]), 0..24)) {
            let _reading = read(pieces.concat().as_bytes());
        }
    }
}
