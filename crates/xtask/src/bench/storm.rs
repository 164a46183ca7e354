//! Ten thousand kills on this machine's own node, as fast as twelve shells can start what is killed.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use podsight_testbed::images::MEMORY_EATER_IMAGE;
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::Testbed;
use podsight_testbed::{interrupt, node};
use serde_json::{Value, json};

use crate::bench::figure::{Aim, Figure};
use crate::bench::program::{cpu_seconds, resident_mib};

const PODS: u64 = 12;
/// Kills in each pod.
const KILLS: u64 = 834;
/// How long all of it may take.
const LIMIT: Duration = Duration::from_mins(10);
/// The agent writes a busy pod every five seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the storm does to the agent with this process id.
pub(crate) fn measure(testbed: &Testbed, agent: u32, progress: &Progress) -> Result<Vec<Figure>> {
    progress.step(&format!("bench: a storm of {} kills", PODS * KILLS));
    let file = testbed.folder.join("bench-storm.json");
    let pods: Vec<_> = (0..PODS).map(pod).collect();
    fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": pods}).to_string()).context("write the storm's pods")?;
    let (counted, used, started) = (kernel_count()?, cpu_seconds(agent).context("the agent is gone")?, Instant::now());
    testbed.plane.kubectl.run(&["create", "-f", &file.display().to_string()])?;

    let (mut on_pods, mut moved, mut ended) = (0, Instant::now(), None);
    while on_pods < PODS * KILLS && (ended.is_none() || moved.elapsed() < PATIENCE) {
        interrupt::check()?;
        if started.elapsed() > LIMIT {
            bail!("the storm took longer than {} s: {on_pods} kills are on their pods", LIMIT.as_secs());
        }
        sleep(Duration::from_secs(1));
        if ended.is_none() && kernel_count()? >= counted + PODS * KILLS {
            ended = Some(started.elapsed());
        }
        let now_on_pods = kills_on_pods(testbed)?;
        if now_on_pods != on_pods {
            (on_pods, moved) = (now_on_pods, Instant::now());
        }
    }
    let took = ended.unwrap_or_else(|| started.elapsed()).as_secs_f64();
    let used = cpu_seconds(agent).context("the agent is gone")? - used;
    let resident = resident_mib(agent, "VmHWM").context("the agent is gone")?;
    let how = format!("{} kills in {PODS} pods within {took:.0} s, of which the kernel reports two a second", PODS * KILLS);
    let figure = |what, measured, unit, aim| Figure { what, measured, unit, aim, how: how.clone() };
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let share = on_pods as f64 / (PODS * KILLS) as f64 * 100.0;
    Ok(vec![
        figure("agent, most resident memory in a storm", resident, "MiB", Aim::AtMost(16.0)),
        figure("agent, kills of the storm put down to their pods", share, "%", Aim::AtLeast(99.0)),
        figure("agent, processor in the storm", used / took * 1000.0, "mCPU", Aim::None),
    ])
}

fn pod(number: u64) -> Value {
    let script = format!("for kill in $(seq {KILLS}); do /memory-eater 64; done; sleep 3600");
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("storm-{number}"), "labels": {"bench": "storm"}},
        "spec": {"restartPolicy": "Never", "nodeSelector": {"kubernetes.io/hostname": node::NAME}, "containers": [{
            "name": "main", "image": MEMORY_EATER_IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", script],
            "resources": {"limits": {"memory": "32Mi"}, "requests": {"cpu": "1m"}},
        }]},
    })
}

/// The kernel's count of all kills since boot.
fn kernel_count() -> Result<u64> {
    let vmstat = fs::read("/proc/vmstat").context("read /proc/vmstat")?;
    podsight_cgroup::vmstat_oom_kill(&vmstat).context("this kernel counts no kills")
}

fn kills_on_pods(testbed: &Testbed) -> Result<u64> {
    let pods = testbed.plane.kubectl.get(&["pods", "--selector=bench=storm"])?;
    let evidence = |pod: &Value| pod.pointer("/metadata/annotations/podsight.dev~1oom")?.as_str()?.parse::<Value>().ok();
    let kills = |evidence: Value| evidence.pointer("/containers/main/kills").and_then(Value::as_u64);
    Ok(pods.get("items").and_then(Value::as_array).into_iter().flatten().filter_map(evidence).filter_map(kills).sum())
}
