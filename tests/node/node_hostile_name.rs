//! Processes whose names imitate a kernel line, or are no text at all, killed by the real kernel.

use crate::each::{self, Place};
use crate::evidence::{main_of, on};
use crate::hand;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use podsight_testbed::description::Kind;
use podsight_tests::testbed::text;
use serde_json::{Value, json};
use std::fmt::Write as _;

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-name", hostile_name)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-name", hostile_name)
}

/// A name has at most 15 bytes (`TASK_COMM_LEN`).
const NAMES: [&[u8]; 12] = [
    b"first\nsecond",
    b"\n\n",
    b"a) total-vm:1kB",
    b"), UID:0 pgtabl",
    b"x,pid=1,uid=0",
    b"x,task=y,pid=1",
    b"Killed process ",
    b"\n<3>oom-kill:co",
    b"5,1,1,-;Killed ",
    b"\\x0a\\x22",
    b"'\"`$(reboot)",
    b" lead and trail ",
];

fn hostile_name(place: &Place<'_>) -> Result<()> {
    // The kernel tells of ten kills in five seconds: those of another test would be left out.
    let _agent = place.agent_disturbed()?;
    // The kernel's ring holds some twenty reports, so the names come in two parts.
    killed(place, "imitations", &NAMES.map(|name| name.get(..15).unwrap_or(name).to_vec()))?;
    let all: Vec<u8> = (1..=u8::MAX).collect();
    killed(place, "bytes", &all.chunks(15).map(<[u8]>::to_vec).collect::<Vec<_>>())
}

/// Kills a process of each name in one pod and looks at all that is told of it.
fn killed(place: &Place<'_>, pod_name: &str, names: &[Vec<u8>]) -> Result<()> {
    // On cgroup v2 a privileged container, in its own cgroup namespace or the node's, can have its processes killed one by one. The kernel tells of ten kills in five seconds.
    let mut script = String::from(
        "trap : USR1; sleep 3600 & wait $!; echo 0 2>/dev/null >/sys/fs/cgroup/$(cut -d: -f3 /proc/self/cgroup)/memory.oom.group; ",
    );
    for name in names {
        write!(script, "/memory-eater --name {} 64; sleep 0.7; ", hex(name)).context("write the script")?;
    }
    place.namespace.create(
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod_name},
            "spec": {
                "nodeSelector": {"kubernetes.io/hostname": place.node.name}, "restartPolicy": "Never",
                "containers": [{
                    "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never",
                    "command": ["sh", "-c", format!("{script}sleep 3600")], "securityContext": {"privileged": true},
                    "resources": {"limits": {"memory": "32Mi"}},
                }],
            },
        })
        .to_string(),
    )?;
    let pod = place.namespace.until_pod(pod_name, "runs", |pod| text(pod, "/status/phase") == "Running")?;
    let uid = text(&pod, "/metadata/uid");
    let records = follow(place, pod_name, uid, names.len())?;

    let number = |pod: &Value| on(pod).as_ref().and_then(|evidence| main_of(evidence, "kills")).and_then(Value::as_u64);
    let wanted = Some(u64::try_from(names.len())?);
    let pod = place.namespace.until_pod(pod_name, "has evidence of all kills", |pod| number(pod) >= wanted)?;
    let evidence = on(&pod).context("there is evidence")?;
    assert_eq!(main_of(&evidence, "kills"), Some(&json!(names.len())), "{evidence:#}");
    assert_eq!((evidence.get("unattributed"), evidence.get("lost")), (Some(&json!(0)), Some(&json!(0))));
    let recent = main_of(&evidence, "recent").and_then(Value::as_array).context("there are recent kills")?;
    let shown: Vec<&str> = recent.iter().map(|kill| text(kill, "/comm")).collect();
    let printable: Vec<String> =
        names.iter().skip(names.len() - shown.len()).map(|name| podsight_evidence::escape::printable(name, 60)).collect();
    assert!(!shown.is_empty());
    assert_eq!(shown, printable);

    // The log, in the form with records and in the one with lines.
    let as_known: Vec<String> = names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    assert_eq!(names_in(place, uid, "records", records.as_bytes())?, as_known);
    let lines = hand::run(place, &format!("lines-of-{pod_name}"), "dmesg -r | base64")?;
    let lines = STANDARD.decode(lines.split_whitespace().collect::<String>()).context("decode the log")?;
    let still = names_in(place, uid, "lines", &lines)?;
    // Others kill, too, and the ring is short.
    assert!(still.len() >= 5, "{still:?}");
    assert!(as_known.ends_with(&still), "{still:?}");
    Ok(())
}

/// Wakes the pod, and gives the records from then on to its last kill.
fn follow(place: &Place<'_>, pod_name: &str, uid: &str, kills: usize) -> Result<String> {
    let script = format!(
        "log=$(mktemp)
        cat /dev/kmsg >$log & reader=$!
        wake {uid}
        until [ $(grep -c 'oom-kill:.*task_memcg=.*{uid}' $log) -ge {kills} ]; do sleep 0.5; done
        sleep 1
        kill $reader
        cat $log
        rm $log"
    );
    hand::run(place, &format!("reader-of-{pod_name}"), &script)
}

/// The names of the processes that were killed in the pod, by `podsight kmsg`.
fn names_in(place: &Place<'_>, uid: &str, form: &str, log: &[u8]) -> Result<Vec<String>> {
    let path = place.namespace.file(&format!("{uid}.{form}"), "")?;
    std::fs::write(&path, log).context("write the log")?;
    let said = place.testbed.podsight(&["kmsg", &path, "-o", "json"])?;
    let report: Value = serde_json::from_str(&said.stdout).context("understand podsight kmsg")?;
    let kills = report.get("kills").and_then(Value::as_array).context("the report has kills")?;
    Ok(kills.iter().filter(|kill| text(kill, "/pod_uid") == uid).map(|kill| text(kill, "/comm").to_owned()).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
