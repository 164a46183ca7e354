//! Whole logs of real kernels after real out-of-memory scenarios, against what an independent reader made of them.

use anyhow::{Context as _, Result};
use podsight_oom::{Constraint, Event, Kill, Machine, read_log};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The folder of the captured logs.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/captured")
}

/// The names of the logs without their endings.
pub(crate) fn names() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder())? {
        if let Some(name) = entry?.file_name().to_str().and_then(|name| name.strip_suffix(".expected.tsv")) {
            names.insert(name.to_owned());
        }
    }
    assert!(!names.is_empty());
    Ok(names)
}

/// What a log says: the kills with their last word, and the other events.
pub(crate) fn kills(log: &[u8]) -> (Vec<Kill>, Vec<Event>) {
    let mut events = Vec::new();
    read_log(log, &mut Machine::default(), &mut events);
    let mut kills: Vec<Kill> = Vec::new();
    let mut others = Vec::new();
    for event in events {
        match event {
            Event::Kill(kill) => match kills
                .last_mut()
                .filter(|last| (last.seq, last.usec, last.pid) == (kill.seq, kill.usec, kill.pid) && kill.group_cgroup.is_some())
            {
                Some(last) => *last = *kill,
                None => kills.push(*kill),
            },
            other => others.push(other),
        }
    }
    (kills, others)
}

/// The rows of the truth that a reader is to find: the victim of a group kill is in it twice.
fn truth(name: &str) -> Result<Vec<BTreeMap<String, String>>> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.expected.tsv")))?;
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().context("no header")?.split('\t').collect();
    let mut seen = BTreeSet::new();
    let rows = lines
        .map(|line| columns.iter().map(|column| (*column).to_owned()).zip(line.split('\t').map(str::to_owned)).collect::<BTreeMap<_, _>>());
    Ok(rows.filter(|row| seen.insert((row["incident"].clone(), row["victim_pid"].clone()))).collect())
}

fn shown(kill: &Kill, raw: bool) -> BTreeMap<String, String> {
    let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let path = |path: &Option<Vec<u8>>| path.as_ref().map_or_else(|| "-".to_owned(), |path| String::from_utf8_lossy(path).into_owned());
    let mut row = BTreeMap::from([
        ("victim_pid", number(kill.pid.map(u64::from))),
        ("victim_comm", kill.comm.as_deref().map(podsight_kmsg::escape).unwrap_or_default()),
        ("victim_uid", number(kill.uid.map(u64::from))),
        ("total_vm_kb", number(kill.total_vm_kb)),
        ("anon_rss_kb", number(kill.anon_rss_kb)),
        ("file_rss_kb", number(kill.file_rss_kb)),
        ("shmem_rss_kb", number(kill.shmem_rss_kb)),
        ("pgtables_kb", number(kill.pgtables_kb)),
        ("oom_score_adj", kill.oom_score_adj.map_or_else(|| "-".to_owned(), |adj| adj.to_string())),
        ("constraint", kill.constraint.map_or("-", Constraint::name).to_owned()),
        ("oom_memcg", path(&kill.limit_cgroup)),
        ("task_memcg", path(&kill.victim_cgroup)),
        ("group_kill", if kill.group_kill { "yes" } else { "no" }.to_owned()),
    ]);
    if raw {
        row.insert("seq", number(kill.seq));
        row.insert("usec", number(kill.usec));
    }
    row.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[test]
fn every_field_of_every_kill() -> Result<()> {
    for name in names()? {
        for (ending, raw) in [("kmsg", true), ("dmesg", false)] {
            let log = std::fs::read(folder().join(format!("{name}.{ending}")))?;
            let (kills, others) = kills(&log);
            let truth = truth(&name)?;
            assert_eq!(kills.len(), truth.len(), "{name}.{ending}");
            let mut incidents = BTreeMap::new();
            for (kill, row) in kills.iter().zip(&truth) {
                let shown = shown(kill, raw);
                for (field, value) in &shown {
                    // A kill line without a report says whose memory was out, which the truth does not look at.
                    if field == "constraint" && row[field] == "-" {
                        continue;
                    }
                    assert_eq!(value, &row[field], "{name}.{ending}: {field} of {shown:?}");
                }
                assert_eq!(incidents.entry(kill.incident).or_insert_with(|| row["incident"].clone()), &row["incident"], "{name}.{ending}");
                assert!(kill.kill_line);
            }
            let rejected = others.iter().filter(|event| **event == Event::Rejected).count();
            assert_eq!(rejected, 2, "{name}.{ending}: a forged kill line and a forged report");
        }
    }
    Ok(())
}

/// A log that is cut off at any place gives the kills up to there, and never another one.
#[test]
fn a_log_that_is_cut_off_gives_no_other_kill() -> Result<()> {
    let log = std::fs::read(folder().join("5.10-v2.kmsg"))?;
    let (whole, _) = kills(&log);
    let identities: BTreeSet<_> = whole.iter().map(|kill| (kill.pid, kill.victim_cgroup.clone())).collect();
    let start = log.len() * 4 / 10;
    for cut in (start..log.len()).step_by(3989) {
        for part in [&log[..cut], &log[cut..]] {
            for kill in kills(part).0 {
                // A kill line whose report is cut off has no cgroup.
                let known = identities.contains(&(kill.pid, kill.victim_cgroup.clone())) || kill.victim_cgroup.is_none();
                assert!(known, "cut at {cut}: {kill:?}");
            }
        }
    }
    Ok(())
}
