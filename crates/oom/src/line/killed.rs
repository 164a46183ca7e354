//! `Memory cgroup out of memory: Killed process 1 (x) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:1kB, UID:0 pgtables:1kB oom_score_adj:0`
//! (`__oom_kill_process`). The one line that is never left out: each is one kill, and one step of `/proc/vmstat oom_kill`.
//!
//! ```text
//! Out of Memory: Killed process 27501 (httpd).                                                             2.4, 2.6.9
//! Out of memory: Killed process 3201, UID 500, (java).                                                     RHEL 5
//! Killed process 3201 (java) vsz:1kB, anon-rss:1kB, file-rss:1kB                                           2.6.33
//! Killed process 11726, UID 498, (mysqld) total-vm:1kB, anon-rss:1kB, file-rss:1kB                         RHEL 6
//! Killed process 1847 (node), UID 80, total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB              RHEL 7
//! Killed process 3201 (java) total-vm:1kB, anon-rss:1kB, file-rss:1kB[, shmem-rss:1kB]                     2.6.36, 4.5
//! Out of memory in UB 101: OOM killed process 3201 (java) score 0 vm:1kB, rss:1kB, swap:1kB                OpenVZ
//! ```

use super::scan;
use super::{Line, Reading};

/// Longer than any name a kernel gives to a task (`TASK_COMM_LEN` is 16).
const MAX_COMM_BYTES: usize = 64;

/// A killed process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Killed<'a> {
    /// Whose memory was out, where the line says it.
    pub domain: Option<Domain>,
    /// The process id, possibly of a thread.
    pub pid: u32,
    /// Its name.
    pub comm: Option<&'a [u8]>,
    /// The user id.
    pub uid: Option<u32>,
    /// Virtual size in KiB.
    pub total_vm_kb: Option<u64>,
    /// Anonymous memory in KiB.
    pub anon_rss_kb: Option<u64>,
    /// File-backed memory in KiB.
    pub file_rss_kb: Option<u64>,
    /// Shared memory in KiB.
    pub shmem_rss_kb: Option<u64>,
    /// Page tables in KiB.
    pub pgtables_kb: Option<u64>,
    /// `oom_score_adj`.
    pub oom_score_adj: Option<i32>,
}

/// Whose memory was out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A memory cgroup's.
    Memcg,
    /// The machine's, or that of a part of it (cpuset, memory policy).
    Machine,
}

pub(super) fn read(text: &[u8]) -> Reading<'_> {
    let (domain, rest) = prefix(text);
    let Some(rest) = [&b"Killed process "[..], b"OOM killed process "].iter().find_map(|verb| rest.strip_prefix(*verb)) else {
        return start_of_prefix(text);
    };
    let Some((pid, rest)) = scan::id(rest) else {
        return if rest.is_empty() { Reading::Start(None) } else { Reading::No };
    };
    let mut killed = Killed { domain, pid, ..Killed::default() };
    let breaks_off = |killed| Reading::Start(Some(Line::Killed(killed)));
    // The name starts after ` (` or, on RHEL 5 and 6, `, UID 498, (`.
    let rest = match rest.strip_prefix(b", UID ").map(scan::id) {
        Some(Some((uid, rest))) => {
            killed.uid = Some(uid);
            match rest.strip_prefix(b", (") {
                Some(rest) => rest,
                None if b", (".starts_with(rest) => return breaks_off(killed),
                None => return Reading::No,
            }
        }
        Some(None) => return Reading::No,
        None => match rest.strip_prefix(b" (") {
            Some(rest) => rest,
            None if b" (".starts_with(rest) => return breaks_off(killed),
            None => return Reading::No,
        },
    };
    // What follows the name has no bracket in it, so the name ends at the last one.
    let Some((comm, fields)) = memchr::memrchr(b')', rest).and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?))) else {
        return if rest.len() <= MAX_COMM_BYTES { breaks_off(killed) } else { Reading::No };
    };
    if comm.len() > MAX_COMM_BYTES {
        return Reading::No;
    }
    killed.comm = Some(comm);
    let before = killed.clone();
    match read_fields(fields, &mut killed) {
        Fields::Whole if killed.oom_score_adj.is_some() && killed.total_vm_kb.is_some() => Reading::Whole(Line::Killed(killed)),
        Fields::Whole => Reading::Either(Line::Killed(killed)),
        Fields::BreaksOff => breaks_off(killed),
        // The name may go on after a newline, and what looked like its end is a part of it.
        Fields::Strange if rest.len() <= MAX_COMM_BYTES => breaks_off(Killed { comm: None, ..before }),
        Fields::Strange => Reading::No,
    }
}

/// `Memory cgroup out of memory: `, `Out of memory: ` and the like: whose memory was out, and what follows.
pub(super) fn prefix(text: &[u8]) -> (Option<Domain>, &[u8]) {
    const PREFIXES: [(&[u8], Domain); 6] = [
        (b"Memory cgroup out of memory: ", Domain::Memcg),
        (b"Out of memory: ", Domain::Machine),
        (b"Out of memory (oom_kill_allocating_task): ", Domain::Machine),
        (b"Memory cgroup out of memory (oom_kill_allocating_task): ", Domain::Memcg),
        (b"Out of Memory: ", Domain::Machine),
        (b"Out of memory and no swap: ", Domain::Machine),
    ];
    for (words, domain) in PREFIXES {
        if let Some(rest) = text.strip_prefix(words) {
            return (Some(domain), rest);
        }
    }
    // A container of OpenVZ is a group with a limit.
    if let Some(rest) = text.strip_prefix(b"Out of memory in UB ")
        && let Some((_, rest)) = scan::split_once(rest.get(..rest.len().min(80)).unwrap_or_default(), b": ")
            .map(|(id, _)| (id, rest.get(id.len() + 2..).unwrap_or_default()))
    {
        return (Some(Domain::Memcg), rest);
    }
    (None, text)
}

/// A text that ends within the words in front of the pid, as a wrapped line may.
fn start_of_prefix(text: &[u8]) -> Reading<'_> {
    let starts = [&b"Memory cgroup out of memory: Killed process "[..], b"Out of memory: Killed process "];
    let breaks_off = text.len() >= b"Out of memory".len() && starts.iter().any(|start| start.starts_with(text));
    if breaks_off { Reading::Start(None) } else { Reading::No }
}

enum Fields {
    Whole,
    BreaksOff,
    Strange,
}

/// ` total-vm:1kB, anon-rss:1kB, …, UID:0 pgtables:1kB oom_score_adj:0`, in any order, with unknown ones between.
///
/// Nothing else may follow: a log message of somebody else that quotes a kill line goes on with words of its own.
fn read_fields(fields: &[u8], killed: &mut Killed<'_>) -> Fields {
    let mut rest = fields.strip_prefix(b".").unwrap_or(fields);
    loop {
        let skipped = rest.iter().take_while(|byte| matches!(byte, b' ' | b',')).count();
        rest = rest.get(skipped..).unwrap_or_default();
        if rest.is_empty() {
            return if fields.ends_with(b",") { Fields::BreaksOff } else { Fields::Whole };
        }
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')).count();
        let (key, after) = rest.split_at_checked(length).unwrap_or((rest, b""));
        if key.is_empty() || length > 32 {
            return Fields::Strange;
        }
        let Some(value) = after.strip_prefix(b":").or_else(|| after.strip_prefix(b" ").filter(|_| matches!(key, b"UID" | b"score"))) else {
            return if after.is_empty() { Fields::BreaksOff } else { Fields::Strange };
        };
        let Some((value, after)) = scan::signed(value) else {
            return if value.is_empty() || value == b"-" { Fields::BreaksOff } else { Fields::Strange };
        };
        let size = u64::try_from(value).ok();
        let after_unit = after.strip_prefix(b"kB");
        match key {
            b"UID" => killed.uid = u32::try_from(value).ok(),
            b"oom_score_adj" => killed.oom_score_adj = i32::try_from(value).ok(),
            b"score" => {}
            // Sizes carry their unit; without it the line breaks off or is no kernel's.
            _ if after_unit.is_none() => return if b"kB".starts_with(after) { Fields::BreaksOff } else { Fields::Strange },
            b"total-vm" | b"vsz" | b"vm" => killed.total_vm_kb = size,
            b"anon-rss" => killed.anon_rss_kb = size,
            b"file-rss" => killed.file_rss_kb = size,
            b"shmem-rss" => killed.shmem_rss_kb = size,
            b"pgtables" => killed.pgtables_kb = size,
            _ => {}
        }
        rest = after_unit.unwrap_or(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn full(text: &str) -> Killed<'static> {
        match read(text.to_owned().leak().as_bytes()) {
            Reading::Whole(Line::Killed(killed)) => killed,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[track_caller]
    fn either(text: &str) -> Killed<'static> {
        match read(text.to_owned().leak().as_bytes()) {
            Reading::Either(Line::Killed(killed)) => killed,
            other => panic!("{text}: {other:?}"),
        }
    }

    const TAIL: &str = " total-vm:103392kB, anon-rss:32448kB, file-rss:4kB, shmem-rss:648kB, UID:1001 pgtables:104kB oom_score_adj:-998";

    #[test]
    fn from_5_4_on() {
        let killed = full(&format!("Memory cgroup out of memory: Killed process 98 (work){TAIL}"));
        assert_eq!(
            killed,
            Killed {
                domain: Some(Domain::Memcg),
                pid: 98,
                comm: Some(b"work"),
                uid: Some(1001),
                total_vm_kb: Some(103_392),
                anon_rss_kb: Some(32_448),
                file_rss_kb: Some(4),
                shmem_rss_kb: Some(648),
                pgtables_kb: Some(104),
                oom_score_adj: Some(-998),
            }
        );
        assert_eq!(
            full(&format!("Out of memory (oom_kill_allocating_task): Killed process 98 (work){TAIL}")).domain,
            Some(Domain::Machine)
        );
    }

    #[test]
    fn older_kernels() {
        let killed = either("Killed process 11726, UID 498, (mysqld) total-vm:1kB, anon-rss:2kB, file-rss:3kB");
        assert_eq!(
            (killed.pid, killed.uid, killed.comm, killed.total_vm_kb, killed.file_rss_kb),
            (11726, Some(498), Some(&b"mysqld"[..]), Some(1), Some(3))
        );
        let killed = either("Killed process 1847 (node /opt/www/p), UID 80, total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB");
        assert_eq!((killed.uid, killed.comm, killed.shmem_rss_kb), (Some(80), Some(&b"node /opt/www/p"[..]), Some(0)));
        assert_eq!(either("Killed process 3201 (java) vsz:9kB, anon-rss:1kB, file-rss:1kB").total_vm_kb, Some(9));
        assert_eq!(either("Out of Memory: Killed process 27501 (httpd).").comm, Some(&b"httpd"[..]));
        let killed = either("Out of memory: Killed process 3201, UID 500, (java).");
        assert_eq!((killed.uid, killed.comm, killed.domain), (Some(500), Some(&b"java"[..]), Some(Domain::Machine)));
        let killed = either("Out of memory in UB 101: OOM killed process 3201 (java) score 0 vm:5kB, rss:4kB, swap:3kB");
        assert_eq!((killed.pid, killed.total_vm_kb, killed.domain), (3201, Some(5), Some(Domain::Memcg)));
    }

    #[test]
    fn names_with_anything_in_them() {
        for comm in
            ["(sd-pam)", "a,pid=1,uid=0", "1 (x) total-vm:", "x) total-vm:1kB", "a\nbé \\z", ")", "", " ", "), UID 0, ", "x) vsz:1kB, a-r"]
        {
            let killed = full(&format!("Memory cgroup out of memory: Killed process 98 ({comm}){TAIL}"));
            assert_eq!(killed.comm, Some(comm.as_bytes()));
            assert_eq!((killed.pid, killed.total_vm_kb), (98, Some(103_392)));
        }
    }

    #[test]
    fn lines_that_break_off() {
        let line = format!("Memory cgroup out of memory: Killed process 98 (work){TAIL}");
        for end in 15..line.len() {
            let reading = read(&line.as_bytes()[..end]);
            assert_ne!(reading, Reading::No, "{end}");
        }
        assert!(matches!(read(b"Killed process 176 (a"), Reading::Start(Some(Line::Killed(Killed { pid: 176, comm: None, .. })))));
        assert!(matches!(read(b"Killed process 176 (a) b"), Reading::Start(Some(Line::Killed(Killed { pid: 176, .. })))));
    }

    #[test]
    fn words_of_somebody_else() {
        assert_eq!(read(b"Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB IN=eth0 OUT= MAC=00:00 SRC=10.0.0.1 DST=1"), Reading::No);
        assert_eq!(read(b"Killed process x (init)"), Reading::No);
        assert_eq!(read(b"Killed process 99999999999 (init)"), Reading::No);
    }

    proptest::proptest! {
        #[test]
        fn any_name_survives(comm in proptest::collection::vec(proptest::num::u8::ANY, 0..16), pid: u32, uid: u32, adj in -1000..1001) {
            let mut line = format!("Memory cgroup out of memory: Killed process {pid} (").into_bytes();
            line.extend_from_slice(&comm);
            line.extend_from_slice(format!(") total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:4kB, UID:{uid} pgtables:5kB oom_score_adj:{adj}").as_bytes());
            let Reading::Whole(Line::Killed(killed)) = read(&line) else { panic!("{line:?}") };
            assert_eq!((killed.pid, killed.comm, killed.uid, killed.oom_score_adj), (pid, Some(&comm[..]), Some(uid), Some(adj)));
        }
    }
}
