//! Pods that come and go, and runs that follow each other.

use super::*;
use crate::metrics::WriteLabels;
use crate::publish::events;
use podsight_evidence::annotation::{self, Evidence};
use podsight_evidence::pods::{Container, Ended};
use std::time::Duration;

pub(super) const UID: &str = "3f1c2a44-9d1e-4b7a-8c55-0a1b2c3d4e5f";

fn two_containers() -> Pod {
    let container = |name: &str, digit: &str| Container { name: name.to_owned(), id: Some(digit.repeat(64)), ..Container::default() };
    Pod {
        uid: UID.to_owned(),
        namespace: "default".to_owned(),
        name: "a".to_owned(),
        containers: vec![container("main", "5"), container("side", "6")],
        ..Pod::default()
    }
}

/// A kill in the container whose id has this digit alone.
pub(super) fn kill_of(seq: u64, digit: &str) -> Kill {
    let cgroup = format!("/kubepods/burstable/pod{UID}/{}", digit.repeat(64)).into_bytes();
    Kill {
        incident: seq,
        seq: Some(seq),
        usec: Some(seq * 1_000),
        pid: Some(7),
        comm: Some(b"work".to_vec()),
        global: Some(false),
        victim_cgroup: Some(cgroup.clone()),
        limit_cgroup: Some(cgroup),
        ..Kill::default()
    }
}

/// A node with a pod of two containers.
fn node_with_pod(start: Instant) -> Node {
    let mut node = Node::new("4f1d2c3b".parse().unwrap(), None, AgentMetrics::unregistered(), start);
    node.list_begins();
    node.pod(two_containers(), start);
    node.list_ends(start);
    node
}

fn paths(events: &[serde_json::Value]) -> Vec<&str> {
    events.iter().map(|event| event["involvedObject"]["fieldPath"].as_str().unwrap_or("none")).collect()
}

#[test]
fn the_first_kill_of_each_container_has_its_event() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut node = node_with_pod(start);
    for (seq, digit) in [(1, "5"), (2, "6"), (3, "5")] {
        node.kill(kill_of(seq, digit), wall, start);
    }
    node.settle(start);
    let write = node.next_write(start).unwrap();
    assert_eq!(paths(&events(&write, "node-1")), ["spec.containers{main}", "spec.containers{side}"]);
    node.written(&write.uid, Outcome::Failed, wall, start);
    let later = start + Duration::from_mins(1);
    let write = node.next_write(later).unwrap();
    assert_eq!(events(&write, "node-1").len(), 2, "what failed goes with the next try");
    node.written(&write.uid, Outcome::Written, wall, later);
    assert_eq!(node.next_write(later), None);
}

fn kinds(write: &Write) -> Vec<String> {
    events(write, "node-1").iter().map(|event| event["involvedObject"]["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn after_a_restart_an_id_from_before_the_last_two_is_known() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut node = node_with_pod(start);
    let restarted = |digit: &str| {
        let mut pod = two_containers();
        pod.containers[0].id = Some(digit.repeat(64));
        pod
    };
    for digit in ["7", "8", "9"] {
        node.pod(restarted(digit), start);
    }
    let mut node = Node::new("4f1d2c3b".parse().unwrap(), Some(node.checkpoint()), AgentMetrics::unregistered(), start);
    node.list_begins();
    node.pod(restarted("9"), start);
    node.list_ends(start);
    node.kill(kill_of(1, "7"), wall, start);
    node.settle(start);
    let write = node.next_write(start).unwrap();
    assert_eq!(paths(&events(&write, "node-1")), ["spec.containers{main}"]);
}

/// `printk.time=0`, read by syslog(2): a line bears nothing but its text.
fn unstamped(pid: u32) -> Kill {
    Kill { incident: u64::from(pid), seq: None, usec: None, pid: Some(pid), ..kill_of(1, "5") }
}

#[test]
fn lines_without_any_stamp_are_not_counted_again_by_another_run() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut pod = two_containers();
    let mut checkpoint = None;
    let mut total = 0;
    // The first run, one with its checkpoint, and one without.
    for (has_checkpoint, lines, expected, in_account) in [(false, 1..4, 3, 4), (true, 1..5, 0, 1), (false, 1..5, 0, 5)] {
        let checkpoint_now = if has_checkpoint { checkpoint.take() } else { None };
        let mut node = Node::new("4f1d2c3b".parse().unwrap(), checkpoint_now, AgentMetrics::unregistered(), start);
        node.list_begins();
        node.pod(pod.clone(), start);
        node.list_ends(start);
        for pid in lines {
            node.kill(unstamped(pid), wall, start);
        }
        node.settle(start);
        node.log_reaches(Reach::End, None);
        // A live one is new in any case.
        node.kill(unstamped(100 + total), wall, start);
        node.settle(start);
        let write = node.next_write(start).unwrap();
        node.written(&write.uid, Outcome::Written, wall, start);
        pod.evidence = annotation::read(&write.evidence).ok();
        total += expected + 1;
        let kills = pod.evidence.as_ref().map(Evidence::kills);
        assert_eq!(kills, Some(u64::from(total)), "checkpoint: {has_checkpoint}");
        assert_eq!(node.balance().attributed, in_account, "an account of before goes on, and has these lines");
        checkpoint = Some(node.checkpoint());
    }
}

#[test]
fn what_was_not_written_on_a_pod_that_went_is_told_of_elsewhere() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut node = node_with_pod(start);
    node.kill(kill_of(1, "5"), wall, start);
    node.settle(start);
    let write = node.next_write(start).unwrap();
    node.written(&write.uid, Outcome::Written, wall, start);
    // One more in the same ten minutes: on the pod it would be one number more, and no Event.
    node.kill(kill_of(2, "5"), wall, start);
    node.settle(start);
    node.pod_deleted(UID, start);
    let mut now = start;
    for _ in 0..20 {
        let write = node.next_write(now).unwrap();
        assert_eq!((write.is_gone, kinds(&write)), (true, vec!["Node".to_owned()]));
        node.written(UID, Outcome::Failed, wall, now);
        now = node.next_write_at(now).unwrap();
    }
    let write = node.next_write(now).unwrap();
    assert!(events(&write, "node-1")[0]["metadata"]["name"].as_str().unwrap().ends_with("4f1d2c3b-2"));
    node.written(UID, Outcome::Written, wall, now);
    assert_eq!(node.metrics.gone_pods.get_or_create(&WriteLabels { outcome: "told" }).get(), 1);
    assert!(node.records.is_empty());
    assert_eq!(node.checkpoint().through.and_then(|id| id.seq), Some(2));
}

#[test]
fn nothing_is_kept_of_pods_that_were_gone_when_they_were_listed_again() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut node = node_with_pod(start);
    node.log_reaches(Reach::End, None);
    node.judges_ends_since(wall);
    node.kill(kill_of(1, "5"), wall, start);
    node.settle(start);
    while let Some(write) = node.next_write(start) {
        node.written(&write.uid, Outcome::Written, wall, start);
    }
    let mut ended = two_containers();
    ended.containers[0].ended = vec![Ended { id: None, at: wall, exit_code: 137, reason: "Error".to_owned() }];
    node.pod(ended, start);
    node.judge_ends(start + Duration::from_secs(11));
    while let Some(write) = node.next_write(start) {
        node.written(&write.uid, Outcome::Written, wall, start);
    }
    assert_eq!((node.records.len(), node.ends.remembered()), (1, 1));
    node.list_begins();
    node.list_ends(start);
    assert_eq!((node.records.len(), node.ends.remembered()), (0, 0));
    // A kill of before, which is read again and changes nothing.
    node.records.insert(UID.to_owned(), PodRecord::new(Evidence::default()));
    node.review(wall, start);
    assert!(node.records.is_empty());
}

#[test]
fn after_a_crash_what_was_written_on_a_pod_that_is_gone_is_not_told_again() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut strange = kill_of(1, "5");
    strange.victim_cgroup = Some(b"/kubepods/burstable/pod7b2d8e10-1c3f-4a5b-9d6e-00112233aabb".to_vec());
    let mut node = node_with_pod(start);
    node.kill(strange.clone(), wall, start);
    node.kill(kill_of(2, "5"), wall, start);
    node.settle(start);
    let write = node.next_write(start).unwrap();
    assert_eq!(write.uid, UID);
    node.written(UID, Outcome::Written, wall, start);
    let checkpoint = node.checkpoint();
    assert_eq!(checkpoint.through, None, "the stranger may still be shown");

    // The pod is deleted while there is no agent.
    let mut node = Node::new("4f1d2c3b".parse().unwrap(), Some(checkpoint), AgentMetrics::unregistered(), start);
    node.list_begins();
    node.list_ends(start);
    node.kill(strange, wall, start);
    node.kill(kill_of(2, "5"), wall, start);
    let later = start + Duration::from_secs(5);
    node.settle(later);
    assert_eq!(node.checkpoint().written.len(), 1, "for a second crash");
    let write = node.next_write(later).unwrap();
    assert_ne!(write.uid, UID);
    node.written(&write.uid, Outcome::Written, wall, later);
    assert_eq!(node.next_write(later), None);
    assert_eq!(node.checkpoint().written, []);
    // One that was not written is told.
    node.kill(kill_of(3, "5"), wall, later);
    let last = later + Duration::from_secs(5);
    node.settle(last);
    assert_eq!(node.next_write(last).unwrap().uid, UID);
}

/// The victim of a group kill has a second line, which a slow console may print after the kills before it were written.
#[test]
fn a_second_line_that_comes_late_is_counted() {
    let start = Instant::now();
    let wall = Timestamp::from_second(1_763_805_600).unwrap();
    let mut node = node_with_pod(start);
    node.has_counters();
    let mut now = start;
    let mut evidence = Evidence::default();
    for step in 0..3 {
        match step {
            0 => node.kill(kill_of(1, "5"), wall, now),
            1 => node.kill(kill_of(2, "5"), wall, now),
            _ => node.second_line(now),
        }
        node.settle(now);
        now += Duration::from_secs(30);
        let write = node.next_write(now).unwrap();
        evidence = annotation::read(&write.evidence).unwrap();
        node.written(&write.uid, Outcome::Written, wall, now);
    }
    assert_eq!((evidence.containers["main"].kills, evidence.counted(&"5".repeat(64)), evidence.counted(UID)), (2, Some(3), Some(3)));
    assert_eq!(node.next_write(now), None);
}
