//! Kernel logs of a node with pods, in the form of `/dev/kmsg`, line by line as Linux 6.12 prints them.

use std::fmt::Write;

/// A log that grows.
#[derive(Default)]
pub(crate) struct KernelLog {
    text: String,
    seq: u64,
    usec: u64,
}

impl KernelLog {
    /// A log that begins some time after boot.
    pub(crate) fn new() -> Self {
        let mut log = Self { text: String::new(), seq: 400, usec: 5_000_000 };
        log.line(6, "Run /init as init process");
        log
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A line of this priority (facility × 8 + level).
    pub(crate) fn line(&mut self, priority: u8, text: &str) {
        writeln!(self.text, "{priority},{},{},-;{text}", self.seq, self.usec).unwrap();
        self.seq += 1;
        self.usec += 37;
    }

    /// A whole report: the limit of `owner` was reached, and `pid` in `victim` was killed.
    pub(crate) fn report(&mut self, pid: u32, owner: &str, victim: &str) -> u64 {
        self.usec += 1_000_000;
        self.line(4, "work invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=969");
        self.line(4, &format!("CPU: 0 UID: 0 PID: {pid} Comm: work Not tainted 6.12.107+deb13-cloud-amd64 #1  Debian 6.12.107-1"));
        self.line(6, "memory: usage 32768kB, limit 32768kB, failcnt 23");
        self.line(6, &format!("Memory cgroup stats for {owner}:"));
        self.line(6, "anon 33161216");
        self.line(6, "Tasks state (memory values in pages):");
        self.line(6, "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name");
        self.line(
            6,
            &format!("[{pid:>7}]     0 {pid:>5}    25848     8140     8140        0         0   557056        0           969 work"),
        );
        self.line(
            6,
            &format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={owner},task_memcg={victim},task=work,pid={pid},uid=0"),
        );
        self.kill(pid, "work")
    }

    /// A kill line alone, as the kernel prints it in a storm. Gives back its sequence number.
    pub(crate) fn kill(&mut self, pid: u32, comm: &str) -> u64 {
        let seq = self.seq;
        self.line(3, &kill_line(pid, comm));
        seq
    }

    /// The same line as a program would write it through `/dev/kmsg`.
    pub(crate) fn forged(&mut self, pid: u32, comm: &str) {
        self.line(8 + 3, &kill_line(pid, comm));
    }
}

fn kill_line(pid: u32, comm: &str) -> String {
    format!(
        "Memory cgroup out of memory: Killed process {pid} ({comm}) total-vm:103392kB, anon-rss:32560kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:544kB oom_score_adj:969"
    )
}

/// 64 hex digits that belong to the n-th container of a pod.
pub(crate) fn container_id(uid: &str, index: usize) -> String {
    let digits: String = uid.chars().filter(char::is_ascii_hexdigit).collect();
    format!("{digits}{index:032x}")
}

/// The cgroup of a pod, as the kubelet with the cgroupfs driver makes it.
pub(crate) fn pod_cgroup(uid: &str) -> String {
    format!("/kubepods/burstable/pod{uid}")
}

/// The cgroup of a container.
pub(crate) fn container_cgroup(uid: &str, index: usize) -> String {
    format!("{}/{}", pod_cgroup(uid), container_id(uid, index))
}
