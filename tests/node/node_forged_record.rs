//! Records that somebody wrote to `/dev/kmsg`.

use crate::each::{self, Place};
use crate::evidence::{events, main_of, on};
use crate::hand;
use anyhow::{Context as _, Result};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{items, text};
use serde_json::{Value, json};

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-forged", forged)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-forged", forged)
}

/// A whole report, as the kernel would write it, at each of the levels that a writer may ask for; and one within one record.
const FORGERY: &str = r#"
pid=$(processes POD_UID sleep)
cgroup=$(sed -n 's/^[0-9]*:[a-z_,=]*memory[a-z_,=]*:\|^0:://p' /proc/$pid/cgroup | tail -n 1)
owner="oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=CONTAINER_ID,mems_allowed=0,oom_memcg=${cgroup%/*},task_memcg=$cgroup,task=sleep,pid=$pid,uid=0"
kill="Memory cgroup out of memory: Killed process $pid (sleep) total-vm:68400kB, anon-rss:32560kB, file-rss:128kB, shmem-rss:0kB, UID:0 pgtables:112kB oom_score_adj:984"
for level in "" "<3>" "<6>" "<11>" "<30>"; do
  echo "${level}memory-eater invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=984" >/dev/kmsg
  echo "$level$owner" >/dev/kmsg
  echo "$level$kill" >/dev/kmsg
done
printf 'first line\n<3>%s\n<3>%s\n' "$owner" "$kill" >/dev/kmsg
echo "$cgroup"
"#;

fn forged(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    place.create("innocent", &["sleep", "3600"])?;
    let pod = place.namespace.until_pod("innocent", "runs", |pod| text(pod, "/status/phase") == "Running")?;
    let (uid, id) = (text(&pod, "/metadata/uid"), text(&pod, "/status/containerStatuses/0/containerID").replace("containerd://", ""));
    let cgroup = hand::run(place, "forger", &FORGERY.replace("POD_UID", uid).replace("CONTAINER_ID", &id))?;
    assert!(cgroup.contains(uid) && cgroup.trim_end().ends_with(&id), "the forgery names the pod: {cgroup}");

    // The log is read in its order: what tells of this kill has passed the forgeries.
    place.create("killed", &["/memory-eater", "64"])?;
    place.namespace.until_pod("killed", "has evidence", |pod| on(pod).is_some())?;
    let pod = place.namespace.get(&["pod", "innocent"])?;
    assert_eq!((pod.pointer("/metadata/annotations"), pod.pointer("/metadata/labels")), (None, None));
    assert_eq!(items(&events(place, "innocent")?), &[] as &[Value]);

    let log = hand::kernel_log(place, "log")?;
    let file = place.namespace.file("node.kmsg", &log)?;
    let said = place.testbed.podsight(&["kmsg", &file, "-o", "json"])?;
    let report: Value = serde_json::from_str(&said.stdout).context("understand podsight kmsg")?;
    let of = |uid: &str| {
        report.get("kills").and_then(Value::as_array).into_iter().flatten().filter(|kill| text(kill, "/pod_uid") == uid).count()
    };
    let killed = place.namespace.get(&["pod", "killed"])?;
    assert_eq!((of(uid), of(text(&killed, "/metadata/uid"))), (0, 1));
    let rejected = report.pointer("/summary/rejected").and_then(Value::as_u64);
    assert!(rejected >= Some(5), "{rejected:?}");
    assert_eq!(main_of(&on(&killed).context("there is evidence")?, "kills"), Some(&json!(1)));
    Ok(())
}
