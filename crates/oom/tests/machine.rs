//! Reports as kernels of all ages print them, and logs that are damaged, forged or hostile.

use podsight_kmsg::{Record, escape};
use podsight_oom::{Event, Kill, Machine, read_log};

/// Raw records from texts, with running numbers and times.
fn raw(texts: &[&str]) -> String {
    raw_from(1, 1_000_000, texts)
}

fn raw_from(seq: u64, usec: u64, texts: &[&str]) -> String {
    let mut log = String::new();
    for (number, text) in (0_u64..).zip(texts) {
        log.extend([format!("6,{},{},-;{}\n", seq + number, usec + number * 10, escape(text.as_bytes()))]);
    }
    log
}

fn events(log: &str) -> Vec<Event> {
    let mut events = Vec::new();
    read_log(log.as_bytes(), &mut Machine::default(), &mut events);
    events
}

fn text(bytes: Option<&Vec<u8>>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| escape(bytes))
}

fn shown(kill: &Kill) -> String {
    format!(
        "{}. {} {} in {} at {}{}{}{}",
        kill.incident,
        kill.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
        text(kill.comm.as_ref()),
        text(kill.victim_cgroup.as_ref()),
        if kill.global == Some(true) { "machine".to_owned() } else { text(kill.limit_cgroup.as_ref()) },
        if kill.group_kill { ", taken along" } else { "" },
        kill.group_cgroup.as_ref().map_or_else(String::new, |path| format!(", group {}", escape(path))),
        if kill.kill_line { "" } else { ", no kill line" },
    )
}

#[track_caller]
fn check(log: &str, expected: &[&str]) {
    let found: Vec<String> = events(log)
        .iter()
        .map(|event| match event {
            Event::Kill(kill) => shown(kill),
            Event::Incomplete(kill) => format!("incomplete: {}", shown(kill)),
            Event::NoKill(why) => format!("{why:?}"),
            Event::Suppressed(count) => format!("suppressed {count}"),
            Event::Rejected => "rejected".to_owned(),
        })
        .collect();
    assert_eq!(found, expected);
}

const TAIL: &str = "total-vm:103392kB, anon-rss:32448kB, file-rss:4kB, shmem-rss:648kB, UID:0 pgtables:104kB oom_score_adj:0";

fn invoked(comm: &str) -> String {
    format!("{comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0")
}

fn constraint(limit: &str, victim: &str, comm: &str, pid: u32) -> String {
    format!(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={limit},task_memcg={victim},task={comm},pid={pid},uid=0"
    )
}

fn killed(comm: &str, pid: u32) -> String {
    format!("Memory cgroup out of memory: Killed process {pid} ({comm}) {TAIL}")
}

fn group(path: &str) -> String {
    format!("Tasks in {path} are going to be killed due to memory.oom.group set")
}

#[test]
fn a_report_of_today() {
    check(&raw(&[&invoked("a"), &constraint("/p", "/p/c", "a", 7), &killed("a", 7)]), &["1. 7 a in /p/c at /p"]);
}

#[test]
fn a_kill_line_alone() {
    check(&raw(&[&killed("a", 7)]), &["1. 7 a in - at -"]);
    check(&raw(&[&format!("Out of memory: Killed process 7 (a) {TAIL}")]), &["1. 7 a in - at machine"]);
}

#[test]
fn the_storm_of_6_18() {
    let mut texts = Vec::new();
    for pid in 0..10 {
        texts.extend([invoked("a"), constraint("/p", "/p/c", "a", pid), killed("a", pid)]);
    }
    texts.extend((10..50).map(|pid| killed("a", pid)));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let log = raw(&texts);
    let later = raw_from(
        71,
        9_000_000,
        &["oom_kill_process: 40 callbacks suppressed", &invoked("a"), &constraint("/p", "/p/c", "a", 50), &killed("a", 50)],
    );
    let found = events(&(log + &later));
    let kills: Vec<_> = found.iter().filter_map(|event| if let Event::Kill(kill) = event { Some(kill) } else { None }).collect();
    assert_eq!(kills.len(), 51);
    assert_eq!(kills.iter().filter(|kill| kill.victim_cgroup.is_some()).count(), 11);
    assert_eq!(kills.iter().map(|kill| kill.incident).collect::<Vec<_>>(), (1..=51).collect::<Vec<_>>());
    assert!(found.contains(&Event::Suppressed(40)));
}

#[test]
fn a_group_is_one_incident_and_its_victim_one_kill() {
    let log = raw(&[
        &invoked("a"),
        &constraint("/p/c", "/p/c", "a", 7),
        &killed("a", 7),
        &group("/p/c"),
        &killed("a", 7),
        &killed("b", 8),
        &killed("c", 9),
        "next",
    ]);
    check(
        &log,
        &[
            "1. 7 a in /p/c at /p/c",
            "1. 7 a in /p/c at /p/c, group /p/c",
            "1. 8 b in /p/c at /p/c, taken along, group /p/c",
            "1. 9 c in /p/c at /p/c, taken along, group /p/c",
        ],
    );
    let mut machine = Machine::default();
    read_log(log.as_bytes(), &mut machine, &mut Vec::new());
    assert_eq!(machine.kill_lines(), 4);
}

#[test]
fn groups_without_reports_attribute_themselves() {
    let log = raw(&[&killed("a", 7), &group("/p/c"), &killed("a", 7), &killed("b", 8), &killed("x", 17), &group("/q/d"), &killed("x", 17)]);
    check(
        &log,
        &[
            "1. 7 a in - at -",
            "1. 7 a in /p/c at -, group /p/c",
            "1. 8 b in /p/c at -, taken along, group /p/c",
            "1. 17 x in /p/c at -, taken along, group /p/c",
            "2. 17 x in /q/d at -, group /q/d",
        ],
    );
}

/// While reports are left out, a kill line some time after a group's may be anybody's.
#[test]
fn a_group_takes_no_strangers_while_reports_are_left_out() {
    let mut texts = Vec::new();
    for pid in 0..10 {
        texts.extend([invoked("a"), constraint("/p", "/p/c", "a", pid), killed("a", pid)]);
    }
    texts.extend([killed("b", 20), group("/q/d"), killed("b", 20), killed("c", 21)]);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let log = raw(&texts) + &raw_from(35, 1_100_000, &[&killed("stranger", 30)]);
    let found = events(&log);
    let last = found.iter().rev().find_map(|event| if let Event::Kill(kill) = event { Some(kill) } else { None }).unwrap();
    assert_eq!(shown(last), "12. 30 stranger in - at -");
    let member = found.iter().rev().nth(1);
    assert!(matches!(member, Some(Event::Kill(kill)) if kill.group_kill && kill.pid == Some(21)), "{member:?}");
}

/// A log that begins in the middle of a storm shows few reports, and yet the kernel may be leaving some out.
#[test]
fn a_group_takes_no_strangers_where_the_log_begins_or_has_a_gap() {
    let texts = [invoked("a"), constraint("/p/c", "/p/c", "a", 7), killed("a", 7), group("/p/c"), killed("a", 7), killed("b", 8)];
    let texts = texts.each_ref().map(String::as_str);
    let members = [
        "1. 7 a in /p/c at /p/c",
        "1. 7 a in /p/c at /p/c, group /p/c",
        "1. 8 b in /p/c at /p/c, taken along, group /p/c",
        "2. 9 x in - at -",
    ];
    for stranger_usec in [100_002_000, 101_500_000] {
        let stranger = raw_from(106, stranger_usec, &[&killed("x", 9)]);
        check(&(raw_from(100, 100_000_000, &texts) + &stranger), &members);
        check(&(raw_from(1, 10_000_000, &["first"]) + &raw_from(100, 100_000_000, &texts) + &stranger), &members);
    }
    // Where all is known, there is no stranger without a report of its own.
    let known =
        raw_from(99, 10_000_000, &["first"]) + &raw_from(100, 100_000_000, &texts) + &raw_from(106, 101_500_000, &[&killed("x", 9)]);
    check(&known, &[members[0], members[1], members[2], "1. 9 x in /p/c at /p/c, taken along, group /p/c"]);
}

#[test]
fn a_kill_long_after_a_torn_report_or_of_other_memory_is_not_its_own() {
    let legacy = raw_from(1, 1_000_000, &[&invoked("a"), "Task in /p/c killed as a result of limit of /p"]);
    let bare = "Killed process 9 (x) total-vm:1kB, anon-rss:2kB, file-rss:3kB";
    let incomplete = "incomplete: 0. - - in /p/c at /p, no kill line";
    check(&(legacy.clone() + &raw_from(3, 40_000_000, &[bare])), &[incomplete, "1. 9 x in - at -"]);
    let global = ["Out of memory: Kill process 9 (x) score 900 or sacrifice child", bare];
    check(&(legacy.clone() + &raw_from(3, 1_000_100, &global)), &[incomplete, "1. 9 x in - at machine"]);
    check(&(legacy + &raw_from(3, 1_000_100, &[bare])), &["1. 9 x in /p/c at /p"]);
    let modern = raw_from(1, 10_000_000, &["first", &invoked("a"), &constraint("/p", "/p/c", "a", 7)]);
    let (same, other) = (killed("a", 8), format!("Out of memory: Killed process 8 (a) {TAIL}"));
    check(&(modern.clone() + &raw_from(5, 13_000_000, &[&same])), &["1. 7 a in /p/c at /p, no kill line", "2. 8 a in - at -"]);
    check(&(modern + &raw_from(4, 10_000_100, &[&other])), &["AlreadyExiting", "1. 8 a in - at machine"]);
}

#[test]
fn a_group_whose_victim_was_exiting() {
    let log = raw(&[
        &invoked("a"),
        &constraint("/p/c", "/p/c", "a", 7),
        "OOM victim 7 (a) is already exiting. Skip killing the task",
        &group("/p/c"),
        &killed("b", 8),
    ]);
    check(&log, &["AlreadyExiting", "1. 8 b in /p/c at /p/c, taken along, group /p/c"]);
}

#[test]
fn kernels_before_5_0() {
    let log = raw(&[
        "memorymonster invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0",
        "memorymonster cpuset=/ mems_allowed=0",
        "CPU: 5 PID: 13536 Comm: memorymonster Tainted: P           OX 3.13.0-43-generic #72-Ubuntu",
        "Task in /mem2 killed as a result of limit of /mem2",
        "memory: usage 980kB, limit 980kB, failcnt 4152239",
        "Memory cgroup stats for /mem2: cache:0KB rss:980KB",
        "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
        "[13536] 275858 13536  8389663      343   16267  8324326             0 memorymonster",
        "Memory cgroup out of memory: Kill process 13536 (memorymonster) score 996 or sacrifice child",
        "Killed process 13536 (memorymonster) total-vm:33558652kB, anon-rss:920kB, file-rss:452kB",
    ]);
    check(&log, &["1. 13536 memorymonster in /mem2 at /mem2"]);
    let found = events(&log);
    let Some(Event::Kill(kill)) = found.first() else { panic!("{found:?}") };
    let report = kill.report.as_ref().unwrap();
    assert_eq!((report.memory.unwrap().usage_kb, report.stats.anon, report.task_count), (980, Some(980 * 1024), 1));
    let trigger = kill.trigger.as_ref().unwrap();
    assert_eq!((trigger.pid, trigger.cgroup.as_deref()), (Some(13536), Some(&b"/"[..])));
}

#[test]
fn who_shares_the_victims_memory_is_listed() {
    let log = raw(&[
        "Out of memory: Kill process 7 (a) score 996 or sacrifice child",
        "Killed process 7 (a) total-vm:33558652kB, anon-rss:920kB, file-rss:452kB",
        "Kill process 8 (b) c) sharing same memory",
        "Kill process 9 (d) sharing same memory",
    ]);
    let found = events(&log);
    let Some(Event::Kill(kill)) = found.last() else { panic!("{found:?}") };
    assert_eq!((kill.pid, &kill.sharing), (Some(7), &vec![(8, b"b) c".to_vec()), (9, b"d".to_vec())]));
    let ids: Vec<_> = found.iter().map(|event| if let Event::Kill(kill) = event { kill.seq } else { None }).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one kill, of which more and more is known: {found:?}");
}

/// `journalctl -r`
#[test]
fn a_log_with_the_newest_line_first() {
    let log = raw(&[
        &invoked("a"),
        &constraint("/p", "/p/c", "a", 7),
        &killed("a", 7),
        &invoked("b"),
        &constraint("/p", "/p/d", "b", 8),
        &killed("b", 8),
    ]);
    let turned = log.lines().rev().fold(String::new(), |turned, line| format!("{turned}{line}\n"));
    check(&turned, &["1. 7 a in /p/c at /p", "2. 8 b in /p/d at /p"]);
}

#[test]
fn the_child_of_the_chosen_process() {
    let log = raw(&[
        &invoked("node"),
        "Task in /p/c killed as a result of limit of /p",
        "Memory cgroup out of memory: Kill process 1858 (node) score 900 or sacrifice child",
        "Killed process 1847 (node /opt/www/p), UID 80, total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB",
        // Only the kill line after the report belongs to it.
        "Memory cgroup out of memory: Kill process 5 (x) score 900 or sacrifice child",
        "Killed process 6 (x) total-vm:1kB, anon-rss:2kB, file-rss:3kB",
    ]);
    check(&log, &["1. 1847 node /opt/www/p in /p/c at /p", "2. 6 x in - at -"]);
    let found = events(&log);
    assert!(matches!(found.first(), Some(Event::Kill(kill)) if kill.chosen_pid == Some(1858) && kill.uid == Some(80)));
}

#[test]
fn the_very_old() {
    check(
        &raw(&["oom-killer: gfp_mask=0xd0, order=1", "Out of Memory: Killed process 27501 (httpd)."]),
        &["1. 27501 httpd in - at machine"],
    );
    check(&raw(&["Out of memory: Killed process 3201, UID 500, (java)."]), &["1. 3201 java in - at machine"]);
    check(&raw(&["Out of memory: kill process 9 (x) score 3 or a child", "Killed process 10 (y)"]), &["1. 10 y in - at machine"]);
}

#[test]
fn short_lines_of_old_kernels_are_not_parts_of_each_other() {
    check(
        "Killed process 3 (httpd)\nKilled process 4 (httpd).\nfoo\nKilled process 5 (x)\n",
        &["1. 3 httpd in - at -", "2. 4 httpd in - at -", "3. 5 x in - at -"],
    );
}

#[test]
fn another_thread_of_the_chosen_process() {
    let table = [
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[      7]     0     7    25848     8275   102400        0             0 a",
    ];
    check(
        &raw(&[&invoked("a"), table[0], table[1], &constraint("/p", "/p/c", "a", 7), &killed("worker", 9)]),
        &["1. 9 worker in /p/c at /p"],
    );
    // Somebody else, when nothing shows that it is the same memory.
    check(&raw(&[&invoked("a"), &constraint("/p", "/p/c", "a", 7), &killed("b", 9)]), &["AlreadyExiting", "1. 9 b in - at -"]);
}

#[test]
fn nobody_was_killed() {
    check(
        &raw(&[&invoked("a"), "Memory limit reached of cgroup /p", "Out of memory and no killable processes...", &killed("b", 9)]),
        &["NoKillable", "1. 9 b in - at -"],
    );
    check(
        &raw(&[
            &invoked("a"),
            &constraint("/p", "/p/c", "a", 7),
            "OOM victim 7 (a) is already exiting. Skip killing the task",
            &invoked("b"),
        ]),
        &["AlreadyExiting"],
    );
    // Before 5.9 nothing is said; the numbers show that no line is missing.
    check(
        &raw(&[&invoked("a"), &constraint("/p", "/p/c", "a", 7), &invoked("b"), &constraint("/q", "/q/c", "b", 8), &killed("b", 8)]),
        &["AlreadyExiting", "1. 8 b in /q/c at /q"],
    );
    check(&raw(&[&invoked("a"), "Kernel panic - not syncing: System is deadlocked on memory"]), &["Panic"]);
}

#[test]
fn reports_without_a_kill_line() {
    // Excerpts: `dmesg | grep oom-kill`.
    let log = format!("[    1.000000] {}\n[    2.000000] {}\n", constraint("/p", "/p/c", "a", 7), constraint("/p", "/p/c", "b", 8));
    check(&log, &["1. 7 a in /p/c at /p, no kill line", "2. 8 b in /p/c at /p, no kill line"]);
    check(&raw(&["Task in /p/c killed as a result of limit of /p"]), &["incomplete: 0. - - in /p/c at /p, no kill line"]);
    // The reaper confirms it.
    let reaped = "oom_reaper: reaped process 7 (a), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB";
    check(&raw(&[&invoked("a"), &constraint("/p", "/p/c", "a", 7), reaped, &invoked("b")]), &["1. 7 a in /p/c at /p, no kill line"]);
    let legacy = "Task in /p/c killed as a result of limit of /p";
    check(&raw(&[&invoked("a"), legacy, reaped]), &["1. 7 a in /p/c at /p, no kill line"]);
    check(
        &raw(&[&killed("a", 7), &invoked("b"), legacy, reaped, "Killed process 8 (b) total-vm:1kB, anon-rss:2kB, file-rss:3kB"]),
        &["1. 7 a in - at -", "2. 8 b in /p/c at /p"],
    );
    // Alone it confirms nothing: a task that was dying anyway is reaped too.
    check(&raw(&[reaped]), &[]);
}

#[test]
fn a_gap_between_report_and_kill_joins_nothing() {
    let log = raw(&[&invoked("a"), "Task in /p/c killed as a result of limit of /p"])
        + &raw_from(50, 2_000_000, &["Killed process 9 (x) total-vm:1kB, anon-rss:2kB, file-rss:3kB"]);
    check(&log, &["incomplete: 0. - - in /p/c at /p, no kill line", "1. 9 x in - at -"]);
}

#[test]
fn a_new_boot_ends_what_was_open() {
    let log = raw_from(900, 9_000_000, &[&invoked("a"), &constraint("/p", "/p/c", "a", 7)]) + &raw_from(1, 1_000_000, &[&killed("a", 7)]);
    check(&log, &["1. 7 a in /p/c at /p, no kill line", "2. 7 a in - at -"]);
}

#[test]
fn what_the_kernel_did_not_write_is_rejected() {
    let line = |prio: u32, text: &str| format!("{prio},1,1,-;{text}\n");
    for prio in [8, 11, 14, 30, 1024] {
        check(&line(prio, &killed("init", 1)), &["rejected"]);
        check(&line(prio, &constraint("/p", "/p/c", "init", 1)), &["rejected"]);
        check(&line(prio, &group("/p")), &["rejected"]);
    }
    check(&line(14, "memory: usage 1kB, limit 1kB, failcnt 1"), &[]);
    // It does not come between a report and its kill line either.
    let log = raw(&[&invoked("a"), &constraint("/p", "/p/c", "a", 7)])
        + &format!("12,3,1000020,-;{}\n", killed("init", 1))
        + &raw_from(4, 1_000_030, &[&killed("a", 7)]);
    check(&log, &["rejected", "1. 7 a in /p/c at /p"]);
}

#[test]
fn a_line_in_pieces() {
    let whole = constraint("/kubepods/pod1", "/kubepods/pod1/2", "a", 7);
    let (first, rest) = whole.split_at(whole.find(",oom_memcg").unwrap());
    check(&raw(&[&invoked("a"), first, rest, &killed("a", 7)]), &["1. 7 a in /kubepods/pod1/2 at /kubepods/pod1"]);
    check(
        &raw(&["Task in /p/c", " killed as a result of limit of /p", "Killed process 7 (a) total-vm:1kB, anon-rss:2kB, file-rss:3kB"]),
        &["1. 7 a in /p/c at /p"],
    );
    // It breaks off where a record has no room: what it says so far holds.
    check(&raw(&[&invoked("a"), first, &killed("a", 7)]), &["1. 7 a in - at -"]);
}

#[test]
fn live_lines_are_held_back_only_while_they_may_go_on() {
    let mut machine = Machine::default();
    let mut events = Vec::new();
    let record = |usec, text: &'static str| Record {
        usec: Some(usec),
        facility: Some(0),
        level: Some(3),
        text: text.as_bytes().into(),
        ..Record::default()
    };
    machine.push(&record(5, "Killed process 7 (a) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB"), &mut events);
    assert!(events.is_empty());
    machine.idle(&mut events);
    assert_eq!(events.len(), 1);
    machine.push(&record(9, "Killed process 8 (a"), &mut events);
    machine.idle(&mut events);
    assert_eq!(events.len(), 1);
    machine.push(&record(9, "b) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0"), &mut events);
    assert!(matches!(events.get(1), Some(Event::Kill(kill)) if kill.comm.as_deref() == Some(b"a\nb")));
}

#[test]
fn sysrq_is_told() {
    let texts = [
        "kworker/0:2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0",
        &format!("Out of memory: Killed process 651 (unattended-upgr) {TAIL}"),
    ];
    let found = events(&raw(&texts));
    assert!(matches!(found.first(), Some(Event::Kill(kill)) if kill.sysrq && kill.global == Some(true)));
}

proptest::proptest! {
    /// Any name survives the way through a raw log, and none makes another kill.
    #[test]
    fn any_name_is_one_kill(comm in proptest::collection::vec(1_u8.., 0..16), pid in 1_u32..4_000_000) {
        let mut log = Vec::new();
        let name = escape(&comm);
        for (seq, text) in [
            format!("{name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
            format!("CPU: 1 PID: {pid} Comm: {name} Not tainted 6.1"),
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name".to_owned(),
            format!("[{pid:>7}]     0 {pid:>5}    25848     8275   102400        0             0 {name}"),
            constraint("/p", "/p/c", &name, pid),
            killed(&name, pid),
            format!("oom_reaper: reaped process {pid} ({name}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"),
        ].iter().enumerate() {
            log.extend_from_slice(format!("6,{seq},{seq},-;{text}\n").as_bytes());
        }
        let mut events = Vec::new();
        read_log(&log, &mut Machine::default(), &mut events);
        assert_eq!(events.len(), 1, "{events:?}");
        let Event::Kill(kill) = &events[0] else { panic!("{events:?}") };
        assert_eq!(kill.comm.as_deref(), Some(&comm[..]));
        assert_eq!((kill.pid, kill.victim_cgroup.as_deref(), kill.limit_cgroup.as_deref()), (Some(pid), Some(&b"/p/c"[..]), Some(&b"/p"[..])));
    }

    /// The same through syslog(2), which makes two lines of a newline in a name.
    #[test]
    fn any_name_is_one_kill_line_by_line(comm in "[a-c()\n :,=]{0,15}", pid in 1_u32..4_000_000) {
        let mut log = String::new();
        for (time, text) in [
            format!("{comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
            constraint("/p", "/p/c", &comm, pid),
            killed(&comm, pid),
        ].iter().enumerate() {
            for line in text.split('\n') {
                log.extend([format!("<4>[    1.{time:06}] {line}\n")]);
            }
        }
        let found = events(&log);
        assert_eq!(found.len(), 1, "{found:?}");
        let Event::Kill(kill) = &found[0] else { panic!("{found:?}") };
        // A space at the end of a line cannot be told from a newline after a space, but nothing else is lost.
        assert_eq!(kill.comm.as_deref(), Some(comm.as_bytes()));
        assert_eq!((kill.pid, kill.victim_cgroup.as_deref()), (Some(pid), Some(&b"/p/c"[..])));
    }

    /// Whatever comes, nothing panics, and what is held stays small.
    #[test]
    fn any_log_is_taken(lines in proptest::collection::vec(proptest::sample::select(vec![
        "6,1,1,-;a invoked oom-killer: gfp_mask=0x0, order=0, oom_score_adj=0", "Task in /a", "Task in /a killed as a result of limit of /a",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a,task=", "a,pid=1,uid=0",
        "Memory cgroup out of memory: Killed process 1 (", "a) total-vm:1kB, anon-rss:1kB, file-rss:1kB", "Tasks in /a are going to be killed due to memory.oom.group set",
        "[  pid  ]   uid  tgid total_vm      rss name", "[ 1 ] 0 1 1 1 a", "<3>[    1.000000] Killed process 2 (", "<3>[    1.000000] b)", "oom_reaper: reaped process 1 (a)",
        "oom_kill_process: 3 callbacks suppressed", "Out of memory and no killable processes...", "", " ", "{", "\"MESSAGE\":[", "\u{fffd}",
    ]), 0..60)) {
        let found = events(&lines.join("\n"));
        assert!(found.len() <= lines.len());
    }
}
