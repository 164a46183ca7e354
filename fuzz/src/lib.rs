//! What must hold whatever comes: one function a target.
//!
//! The targets run under `cargo +nightly fuzz run oom_machine tests/corpus/captured`; `cargo test` runs the same functions on the captured logs and on
//! pieces of them (`tests/offline/fuzz_targets.rs`).

pub mod explain;

use podsight_cgroup::parse;
use podsight_kmsg::{Replay, escape, unescape};
use podsight_oom::{Event, Kill, Machine, read_log};

/// A record, its escapes, and a log in any form.
pub fn kmsg_record(data: &[u8]) {
    if let Some(record) = podsight_kmsg::kmsg_record(data) {
        assert!(record.text.len() <= data.len());
        assert_eq!(&*unescape(escape(&record.text).as_bytes()), &*record.text, "escapes come back");
    }
    let lines = data.split(|byte| *byte == b'\n').count();
    for everything in [true, false] {
        let mut replay = Replay::new(data);
        let mut records = 0;
        while let Some(record) = replay.next(everything) {
            records += 1;
            assert!(record.level.is_none_or(|level| level < 8));
        }
        assert!(records <= lines, "no line is given twice");
    }
}

/// A whole log: whatever is found is bounded and makes sense.
pub fn oom_machine(data: &[u8]) {
    let mut machine = Machine::default();
    let mut events = Vec::new();
    read_log(data, &mut machine, &mut events);
    let mut kills = 0;
    let mut incident = 1;
    for event in &events {
        match event {
            Event::Kill(kill) => {
                is_sound(kill);
                assert!(kill.pid.is_some());
                assert!(kill.incident >= incident, "incidents are numbered in order");
                incident = kill.incident;
                kills += u64::from(kill.kill_line && kill.group_cgroup.is_none());
            }
            Event::Incomplete(kill) => {
                is_sound(kill);
                assert!(kill.pid.is_none());
            }
            Event::NoKill(_) | Event::Suppressed(_) | Event::Rejected => {}
        }
    }
    assert!(kills <= machine.kill_lines(), "no kill without its line");
    assert!(!machine.wants_everything(), "nothing is open at the end");
}

fn is_sound(kill: &Kill) {
    for path in [&kill.limit_cgroup, &kill.victim_cgroup, &kill.group_cgroup].into_iter().flatten() {
        assert!(path.starts_with(b"/") && path.len() <= 4096);
    }
    assert!(kill.comm.as_ref().is_none_or(|comm| comm.len() <= 64));
    assert!(kill.report.as_ref().is_none_or(|report| report.tasks.len() <= 10));
    assert!(kill.global != Some(true) || kill.limit_cgroup.is_none() || !kill.kill_line, "the machine's memory is no cgroup's");
}

/// A path: what is told of it has the shape that it must have.
pub fn cgroup_path(data: &[u8]) {
    let said = parse(data);
    assert_eq!(said.pods.len(), said.pod_uids.len());
    assert!(said.pods.len() <= 16);
    for (pod, uid) in said.pods.iter().zip(&said.pod_uids) {
        assert_eq!(&pod.uid, uid);
        assert!(
            matches!(uid.len(), 32 | 36) && uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        );
        assert!(pod.container_id.as_ref().is_none_or(|id| id.len() == 64));
    }
    assert!(said.container_id.is_none_or(|id| id.len() == 64));
    assert_eq!(said.scope.is_none(), data.is_empty());
}
