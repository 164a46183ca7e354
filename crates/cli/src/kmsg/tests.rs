//! The whole output of `podsight kmsg` on logs of every kind of incident.

use super::analysis::Analysis;
use super::{json, text};
use podsight_cause::Lang;
use podsight_oom::Machine;

fn analysis(log: &str) -> Analysis {
    let mut analysis = Analysis::default();
    analysis.read(log.as_bytes(), &mut Machine::default());
    analysis
}

/// The text without the codes of its styles.
fn plain(log: &str, lang: Lang) -> String {
    anstream::adapter::strip_str(&text::report(&analysis(log), lang)).to_string()
}

/// A container at its own limit, whose memory is mostly tmpfs; a group of three; the runtime's own process on a pod's limit; the machine; a service;
/// a kill line alone; a forgery; a report that breaks off; missing records.
const MIXED: &str = r"4,369,3542860,-;writer invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
4,370,3542900,-;CPU: 0 PID: 97 Comm: writer Not tainted 6.12
6,371,3546000,-;memory: usage 32768kB, limit 32768kB, failcnt 251
6,372,3546001,-;swap: usage 0kB, limit 0kB, failcnt 0
6,373,3546002,-;Memory cgroup stats for /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f1c2a44_9d1e_4b7a_8c55_0a1b2c3d4e5f.slice/cri-containerd-78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf.scope:
6,374,3546003,-;anon 1048576
6,375,3546004,-;file 31457280
6,376,3546005,-;kernel 524288
6,377,3546006,-;shmem 31457280
6,378,3546007,-;Tasks state (memory values in pages):
6,379,3546008,-;[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name
6,380,3546009,-;[     98]     0    98      505      300      256        0        44    40960        0             0 writer
6,381,3546010,-;[     97]     0    97      505      200      156        0        44    40960        0             0 a\x0ab\xc3\xa9 \x5c\x1b[31m
6,382,3546587,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf.scope,mems_allowed=0,oom_memcg=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f1c2a44_9d1e_4b7a_8c55_0a1b2c3d4e5f.slice/cri-containerd-78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf.scope,task_memcg=/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod3f1c2a44_9d1e_4b7a_8c55_0a1b2c3d4e5f.slice/cri-containerd-78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf.scope,task=writer,pid=98,uid=0
3,383,3550260,-;Memory cgroup out of memory: Killed process 98 (writer) total-vm:2020kB, anon-rss:60kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:40kB oom_score_adj:0
11,384,3550300,-;Memory cgroup out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0
6,385,4000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/kubepods/pod11111111-2222-3333-4444-555555555555/dd6637850262f8fb20b028e4369e1572af93436a0f2d7e42b1fe7d150d357d1f,task_memcg=/kubepods/pod11111111-2222-3333-4444-555555555555/dd6637850262f8fb20b028e4369e1572af93436a0f2d7e42b1fe7d150d357d1f,task=gunicorn,pid=134,uid=0
3,386,4000010,-;Memory cgroup out of memory: Killed process 134 (gunicorn) total-vm:103392kB, anon-rss:28076kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:92kB oom_score_adj:-997
6,387,4000020,-;Tasks in /kubepods/pod11111111-2222-3333-4444-555555555555/dd6637850262f8fb20b028e4369e1572af93436a0f2d7e42b1fe7d150d357d1f are going to be killed due to memory.oom.group set
3,388,4000030,-;Memory cgroup out of memory: Killed process 134 (gunicorn) total-vm:103392kB, anon-rss:28076kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:92kB oom_score_adj:-997
3,389,4000040,-;Memory cgroup out of memory: Killed process 136 (gunicorn) total-vm:2016kB, anon-rss:816kB, file-rss:0kB, shmem-rss:136kB, UID:0 pgtables:36kB oom_score_adj:-997
3,390,4000050,-;Memory cgroup out of memory: Killed process 137 (gunicorn) total-vm:2016kB, anon-rss:816kB, file-rss:0kB, shmem-rss:136kB, UID:0 pgtables:36kB oom_score_adj:-997
6,391,5000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/kubepods/burstable/pod11111111-2222-3333-4444-555555555555,task_memcg=/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf,task=runc:[2:INIT],pid=150,uid=0
3,392,5000010,-;Memory cgroup out of memory: Killed process 150 (runc:[2:INIT]) total-vm:103392kB, anon-rss:3000kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:92kB oom_score_adj:985
6,402,6000000,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/nginx.service,task=nginx,pid=213,uid=33
3,403,6000010,-;Out of memory: Killed process 213 (nginx) total-vm:66528kB, anon-rss:16096kB, file-rss:4kB, shmem-rss:648kB, UID:33 pgtables:72kB oom_score_adj:0
6,404,7000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/nginx.service,task_memcg=/system.slice/nginx.service,task=nginx,pid=214,uid=33
3,405,7000010,-;Memory cgroup out of memory: Killed process 214 (nginx) total-vm:66528kB, anon-rss:16096kB, file-rss:4kB, shmem-rss:648kB, UID:33 pgtables:72kB oom_score_adj:0
4,406,9000000,-;oom_kill_process: 3 callbacks suppressed
3,407,9000010,-;Memory cgroup out of memory: Killed process 300 (storm) total-vm:66528kB, anon-rss:16096kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:72kB oom_score_adj:0
6,408,9900000,-;Task in /kubepods/besteffort/pod11111111-2222-3333-4444-555555555555/78302202f130f2e84a3ac537f5b00778d5648136b876bd141d02f6ddf6515cdf killed as a result of limit of /kubepods
";

#[test]
fn a_report_in_english() {
    insta::assert_snapshot!(plain(MIXED, Lang::En));
}

#[test]
fn a_report_in_chinese() {
    insta::assert_snapshot!(plain(MIXED, Lang::Zh));
}

#[test]
fn the_same_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&json::Output::new(&analysis(MIXED))).unwrap());
}

#[test]
fn nothing_to_report() {
    insta::assert_snapshot!(plain("[    1.000000] IPv6: link becomes ready\n", Lang::En), @"No OOM kill in this log.");
    insta::assert_snapshot!(plain("", Lang::Zh), @"日志中没有 OOM 终止。");
    insta::assert_snapshot!(plain("[ 8227.242706] Out of memory and no killable processes...\n", Lang::En), @r"
    No OOM kill in this log.

    1 time: memory was out and nobody could be killed.
    ");
}

#[test]
fn many_that_are_alike_are_told_together() {
    let mut log = String::new();
    for pid in 0..30 {
        log.extend([format!("[   {pid:2}.000000] Memory cgroup out of memory: Killed process {pid} (storm) total-vm:66528kB, anon-rss:16096kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:72kB oom_score_adj:0\n")]);
    }
    insta::assert_snapshot!(plain(&log, Lang::En));
}

#[test]
fn two_copies_of_one_ring_tell_a_kill_once() {
    let mut both = Analysis::default();
    let mut machine = Machine::default();
    both.read(MIXED.as_bytes(), &mut machine);
    let once = both.kills.len();
    both.read(MIXED.as_bytes(), &mut machine);
    assert_eq!(both.kills.len(), once);
}

#[test]
fn a_log_that_holds_a_copy_of_itself_tells_a_kill_once() {
    let line = |time: &str| {
        format!(
            "[{time}] Memory cgroup out of memory: Killed process 7 (a) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0\n"
        )
    };
    assert_eq!(analysis(&[line("    1.000000"), line("    1.000000")].concat()).kills.len(), 1);
    assert_eq!(analysis(&[MIXED, MIXED].concat()).kills.len(), analysis(MIXED).kills.len());
    // Another boot.
    assert_eq!(analysis(&[line("    5.000000"), line("    1.000000")].concat()).kills.len(), 2);
}
