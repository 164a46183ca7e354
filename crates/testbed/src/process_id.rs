//! A process that cannot be mistaken for another one with a recycled number.

use std::fs;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process number together with the time of its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The process number on this machine.
    pub pid: u32,
    /// Start after boot, in clock ticks (field 22 of `/proc/<pid>/stat`).
    pub started: u64,
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { pid, started: start_time(&stat)? })
    }

    /// Whether it is there (a zombie counts as gone).
    pub fn is_alive(self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.pid))
            .is_ok_and(|stat| start_time(&stat) == Some(self.started) && state(&stat) != Some("Z"))
    }

    /// Sends `signal` to it, if it is still there.
    pub fn signal(self, signal: Signal) {
        if let Some(pid) = self.target() {
            // It may have ended between the look and the signal, which is what a signal is for.
            kill(pid, signal).ok();
        }
    }

    /// Sends `signal` to the group it leads, if it is still there.
    pub fn signal_group(self, signal: Signal) {
        if let Some(pid) = self.target() {
            // As above; a process that leads no group is addressed by itself.
            killpg(pid, signal).or_else(|_| kill(pid, signal)).ok();
        }
    }

    fn target(self) -> Option<Pid> {
        let pid = i32::try_from(self.pid).ok().filter(|&pid| pid > 1)?;
        self.is_alive().then(|| Pid::from_raw(pid))
    }
}

/// All processes whose environment at their start held `NAME=value`, this one left out.
pub fn marked(name: &str, value: &str) -> Vec<ProcessId> {
    let mark = format!("{name}={value}");
    let Ok(entries) = fs::read_dir("/proc") else { return vec![] };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|&pid| pid != std::process::id())
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/environ")).is_ok_and(|all| all.split(|&byte| byte == 0).any(|one| one == mark.as_bytes()))
        })
        .filter_map(ProcessId::of)
        .collect()
}

// The name in parentheses may hold anything, also spaces and parentheses: the fields begin behind the last one.
fn fields(stat: &str) -> Option<std::str::SplitAsciiWhitespace<'_>> {
    stat.rsplit_once(')').map(|(_, rest)| rest.split_ascii_whitespace())
}

fn state(stat: &str) -> Option<&str> {
    fields(stat)?.next()
}

fn start_time(stat: &str) -> Option<u64> {
    fields(stat)?.nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::until;
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn a_name_cannot_forge_the_fields() {
        let stat = "42 (a) Z 1 2 3) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987 1 1";
        assert_eq!(state(stat), Some("S"));
        assert_eq!(start_time(stat), Some(987));
    }

    #[test]
    fn a_process_is_found_by_its_mark_and_killed() {
        let mark = format!("test-{}", std::process::id());
        let mut child = Command::new("sleep").arg("100").env("PODSIGHT_TEST_MARK", &mark).spawn().unwrap();
        // `spawn` returns in the middle of the exec, a moment before the new environment can be read.
        let found = until("the mark can be read", Duration::from_secs(20), || {
            let found = marked("PODSIGHT_TEST_MARK", &mark);
            Ok((!found.is_empty()).then_some(found))
        })
        .unwrap();
        assert_eq!(found.iter().map(|id| id.pid).collect::<Vec<_>>(), [child.id()]);
        let stranger = ProcessId { started: found[0].started + 1, ..found[0] };
        stranger.signal(Signal::SIGKILL);
        assert!(!stranger.is_alive() && found[0].is_alive());
        found[0].signal(Signal::SIGKILL);
        assert!(!child.wait().unwrap().success());
    }
}
