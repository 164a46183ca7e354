//! How fast a log is read: `cargo run --release -p podsight-oom --example throughput [MiB]`.
//!
//! Irrelevant lines in four forms, and reports one after the other. One thread's processor time, the best of five runs: other work on the machine only slows.
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use nix::time::{ClockId, clock_gettime};
use podsight_oom::{Machine, read_log};
use std::time::Duration;

const TEXTS: [&str; 8] = [
    "IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready",
    "cni0: port 3(veth1b2c3d4e) entered blocking state",
    "device veth1b2c3d4e entered promiscuous mode",
    "EXT4-fs (nvme0n1p1): mounted filesystem with ordered data mode. Opts: (null). Quota mode: none.",
    "audit: type=1400 audit(1700000000.123:45): apparmor=\"DENIED\" operation=\"ptrace\" profile=\"cri-containerd.apparmor.d\" pid=1234 comm=\"ps\"",
    "nvme nvme0: 2/0/0 default/read/poll queues",
    "TCP: request_sock_TCP: Possible SYN flooding on port 8443. Sending cookies.  Check SNMP counters.",
    "overlayfs: fs on '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1' does not support file handles, falling back to xino=off.",
];

fn log(bytes: usize, line: impl Fn(usize, &str) -> String) -> (Vec<u8>, usize) {
    let mut log = Vec::with_capacity(bytes + 512);
    let mut lines = 0;
    for (number, text) in TEXTS.iter().cycle().enumerate() {
        log.extend_from_slice(line(number, text).as_bytes());
        lines = number + 1;
        if log.len() >= bytes {
            break;
        }
    }
    (log, lines)
}

fn best(log: &[u8]) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut found = 0;
    for _ in 0..5 {
        let mut events = Vec::new();
        let start = processor_time();
        read_log(log, &mut Machine::default(), &mut events);
        best = best.min(processor_time().saturating_sub(start));
        found = events.len();
    }
    (best, found)
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

fn main() {
    let mebibytes: usize = std::env::args().nth(1).and_then(|size| size.parse().ok()).unwrap_or(256);
    let bytes = mebibytes << 20;
    let raw = |number: usize, text: &str| format!("6,{number},{},-;{text}\n", number * 7);
    let syslog = |number: usize, text: &str| format!("<6>[{:5}.{:06}] {text}\n", number / 1000, number % 1000);
    let dmesg = |number: usize, text: &str| format!("[{:5}.{:06}] {text}\n", number / 1000, number % 1000);
    let file = |number: usize, text: &str| format!("Nov 23 10:00:00 node-1 kernel: [{:5}.{:06}] {text}\n", number / 1000, number % 1000);
    for (form, (log, lines)) in [
        ("raw /dev/kmsg", log(bytes, raw)),
        ("syslog(2)", log(bytes, syslog)),
        ("dmesg", log(bytes, dmesg)),
        ("syslog file", log(bytes, file)),
    ] {
        let (time, found) = best(&log);
        assert_eq!(found, 0, "none of these lines is a kill");
        let seconds = time.as_secs_f64();
        println!(
            "{form:14} {:6.2} GB/s  {:5.1} ns a line of {} bytes",
            to_f64(log.len()) / seconds / 1e9,
            seconds * 1e9 / to_f64(lines),
            log.len() / lines
        );
    }
    let report = report();
    let lines = report.lines().count();
    let reports = (bytes / 16 / report.len()).max(1);
    let (time, found) = best(report.repeat(reports).as_bytes());
    assert_eq!(found, reports, "each report is a kill");
    println!(
        "reports        {:6.0} ns a line, {:.1} µs a report of {lines} lines",
        time.as_secs_f64() * 1e9 / to_f64(lines * reports),
        time.as_secs_f64() * 1e6 / to_f64(reports)
    );
    let storm = "3,1,1,-;Memory cgroup out of memory: Killed process 649 (storm11) total-vm:33760kB, anon-rss:4012kB, file-rss:0kB, shmem-rss:544kB, UID:0 pgtables:48kB oom_score_adj:0\n";
    let kills = (bytes / 16 / storm.len()).max(1);
    let (time, found) = best(storm.repeat(kills).as_bytes());
    assert_eq!(found, kills, "each line is a kill");
    println!("kill lines     {:6.0} ns a line", time.as_secs_f64() * 1e9 / to_f64(kills));
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn to_f64(number: usize) -> f64 {
    number as f64
}

/// A report as a 6.12 kernel prints it, with 60 tasks.
fn report() -> String {
    let mut texts = vec![
        "work invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0".to_owned(),
        "CPU: 1 UID: 0 PID: 98 Comm: work Not tainted 6.12".to_owned(),
    ];
    texts.extend((0..20).map(|line| format!(" try_charge_memcg+0x{line:x}/0x630")));
    texts.push("memory: usage 32768kB, limit 32768kB, failcnt 113".to_owned());
    texts.push("Memory cgroup stats for /kubepods/burstable/pod3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f:".to_owned());
    texts.extend((0..60).map(|line| format!("workingset_{line} {line}")));
    texts.push("[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name".to_owned());
    texts.extend((0..60).map(|pid| {
        format!("[{pid:>7}]     0 {pid:>5}    25848     5683     5547        0       136    86016        0             0 main")
    }));
    let path = "/kubepods/burstable/pod3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";
    texts.push(format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={path},task_memcg={path}/78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf,task=work,pid=98,uid=0"));
    texts.push("Memory cgroup out of memory: Killed process 98 (work) total-vm:103392kB, anon-rss:32448kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:104kB oom_score_adj:0".to_owned());
    texts.iter().map(|text| format!("[   12.345678] {text}\n")).collect::<Vec<_>>().concat()
}
