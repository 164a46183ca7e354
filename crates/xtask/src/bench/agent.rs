//! The agent on this machine's own node: what it takes while nothing happens, and how soon a kill is on the pod.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use podsight_testbed::images::MEMORY_EATER_IMAGE;
use podsight_testbed::kernel_log::KernelLog;
use podsight_testbed::progress::Progress;
use podsight_testbed::testbed::Testbed;
use podsight_testbed::{interrupt, node};
use serde_json::json;

use crate::bench::figure::{Aim, Figure};
use crate::bench::program::{cpu_seconds, resident_mib};
use crate::bench::storm;

/// How long the agent is watched doing nothing.
const IDLE: Duration = Duration::from_mins(1);

/// Pods that are killed one after the other.
const KILLS: usize = 50;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_mins(4);

pub(crate) fn measure(testbed: &Testbed, progress: &Progress) -> Result<Vec<Figure>> {
    let agent = agent(testbed.processes.id())?;
    progress.step("bench: the agent doing nothing for a minute");
    let before = cpu_seconds(agent).context("the agent is gone")?;
    let started = Instant::now();
    while started.elapsed() < IDLE {
        interrupt::check()?;
        sleep(Duration::from_millis(200));
    }
    let idle = cpu_seconds(agent).context("the agent is gone")? - before;
    let resident = resident_mib(agent, "VmRSS").context("the agent is gone")?;

    progress.step(&format!("bench: from kill to annotation, {KILLS} times"));
    let latencies = kill_to_annotation(testbed)?;
    let at =
        |per_mille: usize| latencies.get((latencies.len() * per_mille).div_ceil(1000).max(1) - 1).map_or(f64::NAN, Duration::as_secs_f64);
    let how = format!(
        "{KILLS} pods killed a second apart; from the kernel's line to the change in a watch. The first kill after ten seconds of quiet waits up to half a second longer"
    );
    let agent_how = "in its pod on this machine, over a minute without kills";
    let cpu = idle / IDLE.as_secs_f64() * 1000.0;
    let after = resident_mib(agent, "VmHWM").context("the agent is gone")?;
    let mut figures = vec![
        Figure { what: "agent, resident, idle", measured: resident, unit: "MiB", aim: Aim::AtMost(10.0), how: agent_how.into() },
        Figure { what: "agent, processor, idle", measured: cpu, unit: "mCPU", aim: Aim::AtMost(0.5), how: agent_how.into() },
        Figure { what: "agent, most resident memory", measured: after, unit: "MiB", aim: Aim::None, how: format!("after {KILLS} kills") },
        Figure { what: "agent, kill → annotation, p50", measured: at(500), unit: "s", aim: Aim::AtMost(0.5), how: how.clone() },
        Figure { what: "agent, kill → annotation, p99", measured: at(990), unit: "s", aim: Aim::AtMost(1.0), how },
    ];
    figures.extend(storm::measure(testbed, agent, progress)?);
    Ok(figures)
}

/// The agent's process on this machine: its name, in a cgroup of this testbed.
fn agent(id: &str) -> Result<u32> {
    let entries = fs::read_dir("/proc").context("list /proc")?;
    let mut processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_agent = |pid: &u32| {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        read("comm").trim() == "podsight-agent" && read("cgroup").contains(id)
    };
    processes.find(is_agent).context("no podsight-agent runs on this machine")
}

/// Sorted times from the kernel's line to the annotation.
fn kill_to_annotation(testbed: &Testbed) -> Result<Vec<Duration>> {
    let (mut watch, changes) = watch(testbed)?;
    let mut log = KernelLog::from_now()?;
    let file = testbed.folder.join("bench.json");
    let pods: Vec<_> = (0..KILLS).map(pod).collect();
    fs::write(&file, json!({"apiVersion": "v1", "kind": "List", "items": pods}).to_string()).context("write the bench's pods")?;
    testbed.plane.kubectl.run(&["create", "-f", &file.display().to_string()])?;

    let (mut killed, mut written) = (BTreeMap::new(), BTreeMap::new());
    let started = Instant::now();
    while written.len() < KILLS {
        interrupt::check()?;
        if started.elapsed() > LIMIT {
            bail!("only {} of {KILLS} kills were on their pods after {} s", written.len(), LIMIT.as_secs());
        }
        let records = log.read()?;
        let now = Instant::now();
        for uid in String::from_utf8_lossy(&records).lines().filter(|line| line.contains("oom-kill:")).filter_map(uid_in_path) {
            killed.entry(uid).or_insert(now);
        }
        while let Ok((at, line)) = changes.try_recv() {
            if let Some((uid, _)) = line.split_once(' ').filter(|(_, sentence)| !sentence.is_empty()) {
                written.entry(uid.to_owned()).or_insert(at);
            }
        }
        sleep(Duration::from_millis(1));
    }
    watch.kill().and_then(|()| watch.wait()).context("end kubectl get --watch")?;
    let mut latencies: Vec<Duration> =
        written.iter().filter_map(|(uid, at)| Some(at.saturating_duration_since(*killed.get(uid)?))).collect();
    if latencies.len() < KILLS {
        bail!("the kernel's line was seen for {} of {KILLS} kills only", latencies.len());
    }
    latencies.sort_unstable();
    Ok(latencies)
}

fn watch(testbed: &Testbed) -> Result<(Child, Receiver<(Instant, String)>)> {
    let mut child = Command::new(testbed.programs.path("kubectl"))
        .env("KUBECONFIG", testbed.plane.kubectl.kubeconfig())
        .args(["get", "pods", "--selector=bench=kill", "--watch", "--output"])
        .arg(r#"jsonpath={.metadata.uid} {.metadata.annotations.podsight\.dev/oom-killed}{"\n"}"#)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("start kubectl get --watch")?;
    let lines = BufReader::new(child.stdout.take().context("kubectl has no standard output")?).lines();
    let (sender, receiver) = channel();
    thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send((Instant::now(), line))));
    Ok((child, receiver))
}

/// All start at once and are killed a second apart, so that no start disturbs a kill.
fn pod(number: usize) -> serde_json::Value {
    let script = format!("sleep {}; exec /memory-eater 64", 60 + number);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("bench-{number}"), "labels": {"bench": "kill"}},
        "spec": {"restartPolicy": "Never", "nodeSelector": {"kubernetes.io/hostname": node::NAME}, "containers": [{
            "name": "main", "image": MEMORY_EATER_IMAGE, "imagePullPolicy": "Never", "command": ["sh", "-c", script],
            "resources": {"limits": {"memory": "32Mi"}, "requests": {"cpu": "1m"}},
        }]},
    })
}

/// The UID of the victim's pod.
fn uid_in_path(line: &str) -> Option<String> {
    let path = line.split_once("task_memcg=")?.1.split(',').next()?;
    podsight_cgroup::parse(path.as_bytes()).pod_uids.into_iter().next()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_uid_is_that_of_the_victim() {
        let pod = |digit: &str| format!("/podsight-0a1b/kubepods/burstable/pod{0}-9d1e-4b7a-8c55-0a1b2c3d4e5f", digit.repeat(8));
        let container = "5".repeat(64);
        let (limit, victim) = (pod("1"), pod("2"));
        let line = format!("6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg={limit},task_memcg={victim}/{container},task=a,pid=1");
        assert_eq!(super::uid_in_path(&line).as_deref(), Some("22222222-9d1e-4b7a-8c55-0a1b2c3d4e5f"));
    }
}
