//! `podsight explain` and `podsight oom` by way of the user's kubectl: workloads, selectors, watching, the plugin, dumps.

use crate::each::{self, Place};
use crate::evidence::{main_of, on};
use crate::table;
use anyhow::{Context as _, Result, bail};
use podsight_testbed::command::{self, Output};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{items, shown, text, until};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const WORKLOADS: &str = include_str!("online/workloads.yaml");

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-online", online)
}

fn online(place: &Place<'_>) -> Result<()> {
    place.namespace.create(&WORKLOADS.replace("$NODE", &place.node.name))?;
    let job = place.namespace.kubectl(&["create", "job", "nightly-by-hand", "--from=cronjob/nightly"])?;
    assert!(job.status.success(), "{}", shown(&job));
    until("every container has ended", || {
        let pods = place.namespace.get(&["pods"])?;
        let ended = |pod: &&Value| {
            pod.pointer("/status/containerStatuses/0/lastState/terminated").is_some()
                || pod.pointer("/status/containerStatuses/0/state/terminated").is_some()
        };
        Ok((items(&pods).len() == 6 && items(&pods).iter().all(|pod| ended(&pod))).then_some(()))
    })?;
    workloads(place)?;
    lines(place)?;
    plugin(place)?;
    dumps(place)?;
    watch(place)?;
    assert_eq!(table::agrees(place.testbed, &place.namespace.name)?, items(&place.namespace.get(&["pods"])?).len());
    Ok(())
}

/// Each workload has the pods that it made, and no other with the same labels.
fn workloads(place: &Place<'_>) -> Result<()> {
    for (target, pods, code) in [
        ("deploy/web", &["web-"][..], 3),
        ("statefulset/db", &["db-0"], 4),
        ("ds/agent", &["agent-"], 5),
        ("job/work", &["work-"], 6),
        ("cronjob/nightly", &["nightly-by-hand-"], 7),
        ("pod/stranger", &["stranger"], 8),
    ] {
        let report = json(place, &["explain", target])?;
        let found = names(&report);
        assert!(found.len() == pods.len() && found.iter().zip(pods).all(|(name, start)| name.starts_with(start)), "{target}: {found:?}");
        assert_eq!(report.pointer("/pods/0/causes/0/exit_code"), Some(&code.into()), "{target}");
    }
    let selected = json(place, &["explain", "-l", "app=web"])?;
    assert_eq!(names(&selected).len(), 2, "a selector is a selector: {selected:#}");
    let service = json(place, &["explain", "svc/web"])?;
    assert_eq!(names(&service).len(), 2, "a Service has what it selects: {service:#}");

    // What made no pod says why itself.
    let said = until("the deployment says that it cannot make a pod", || {
        let said = run(place, &["explain", "deploy/none"])?;
        Ok(said.stdout.contains("serviceaccount").then_some(said))
    })?;
    assert!(said.stdout.contains("no pod") && said.stdout.contains("\"nobody\" not found"), "{}", shown(&said));
    Ok(())
}

/// One line a pod, with the server's own columns.
fn lines(place: &Place<'_>) -> Result<()> {
    let said = run(place, &["explain", "--all"])?;
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.last(), Some(&"6 not well or with a past, 0 well"), "{}", shown(&said));
    assert_eq!(lines.len(), 7, "{}", shown(&said));
    let everywhere = run(place, &["explain", "--all", "-A"])?;
    assert!(everywhere.stdout.contains(&format!("{}/stranger", place.namespace.name)), "{}", shown(&everywhere));
    Ok(())
}

/// `kubectl podsight` finds a copy of the program, and its commands are the user's.
fn plugin(place: &Place<'_>) -> Result<()> {
    let folder = tempfile::tempdir().context("make a folder for the plugin")?;
    std::os::unix::fs::symlink(&place.testbed.description.podsight, folder.path().join("kubectl-podsight")).context("link the plugin")?;
    let mut kubectl = Command::new(&place.testbed.description.kubectl);
    kubectl.args(["podsight", "explain", "stranger", "-n", &place.namespace.name, "-o", "json"]);
    let said = command::output(with_cluster(&mut kubectl, place, Some(folder.path())))?;
    let report: Value = serde_json::from_str(&said.stdout).with_context(|| shown(&said))?;
    assert_eq!(names(&report), ["stranger"]);
    Ok(())
}

/// The same answer from a bundle, from standard input and from a dump of the cluster.
fn dumps(place: &Place<'_>) -> Result<()> {
    let live = json(place, &["explain", "stranger"])?;
    let cause = |report: &Value| text(report, "/pods/0/causes/0/cause").to_owned();
    let bundle = place.namespace.kubectl(&["get", "pods,events", "-o", "json"])?.stdout;
    let mut child = program(place, &["explain", "-f", "-", "stranger", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("run podsight")?;
    child.stdin.take().context("podsight reads")?.write_all(bundle.as_bytes()).context("write to podsight")?;
    let said = child.wait_with_output().context("wait for podsight")?;
    let piped: Value = serde_json::from_slice(&said.stdout).context("podsight prints JSON")?;
    assert_eq!((cause(&piped), names(&piped)), (cause(&live), names(&live)));

    let folder = tempfile::tempdir().context("make a folder for a dump")?;
    let path = folder.path().display().to_string();
    let dumped =
        place.testbed.kubectl.output(&["cluster-info", "dump", "--namespaces", &place.namespace.name, "--output-directory", &path])?;
    assert!(dumped.status.success(), "{}", shown(&dumped));
    let dump = json(place, &["explain", "-f", &path, "stranger"])?;
    assert_eq!((cause(&dump), names(&dump)), (cause(&live), names(&live)));
    Ok(())
}

/// What changes is said as it changes.
fn watch(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_needed()?;
    let mut explain = Watcher::start(place, &["explain", "-w", "-l", "app=late"])?;
    let mut oom = Watcher::start(place, &["oom", "-w"])?;
    place.create("late", &["/memory-eater", "64"])?;
    let labelled = place.namespace.kubectl(&["label", "pod", "late", "app=late"])?;
    assert!(labelled.status.success(), "{}", shown(&labelled));
    place.namespace.until_pod("late", "has evidence", |pod| on(pod).is_some_and(|evidence| main_of(&evidence, "kills").is_some()))?;
    let line = explain.until("OOMKilled")?;
    assert!(line.contains("/late  OOMKilled  0/1  0  oom-container-limit"), "{line}");
    let line = oom.until("oom-container-limit")?;
    assert!(line.starts_with(&place.namespace.name) && line.contains(" late "), "{line}");
    Ok(())
}

/// A program that goes on until it is dropped.
struct Watcher {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Watcher {
    fn start(place: &Place<'_>, words: &[&str]) -> Result<Self> {
        let mut child = program(place, words).stdout(Stdio::piped()).spawn().context("run podsight")?;
        let stdout = child.stdout.take().context("podsight prints")?;
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Ok(Self { child, lines })
    }

    /// The first line with these words.
    fn until(&mut self, words: &str) -> Result<String> {
        until(&format!("a line with {words}"), || match self.lines.try_recv() {
            Ok(line) => Ok(line.contains(words).then_some(line)),
            Err(std::sync::mpsc::TryRecvError::Empty) => Ok(None),
            Err(error) => bail!("podsight ended: {error}"),
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Its kubectl ends with the pipe between them.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn json(place: &Place<'_>, words: &[&str]) -> Result<Value> {
    let said = run(place, &[words, &["-o", "json"]].concat())?;
    serde_json::from_str(&said.stdout).with_context(|| shown(&said))
}

fn names(report: &Value) -> Vec<&str> {
    report.get("pods").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter().map(|pod| text(pod, "/name")).collect()
}

fn run(place: &Place<'_>, words: &[&str]) -> Result<Output> {
    let said = command::output(&mut program(place, words))?;
    assert!(said.status.success(), "{}", shown(&said));
    Ok(said)
}

fn program(place: &Place<'_>, words: &[&str]) -> Command {
    let mut command = Command::new(&place.testbed.description.podsight);
    command.args(words).arg("--color=never");
    if !words.contains(&"-A") && !words.contains(&"-f") {
        command.args(["-n", &place.namespace.name]);
    }
    with_cluster(&mut command, place, None);
    command
}

/// The administrator's cluster, with its kubectl before all others.
fn with_cluster<'c>(command: &'c mut Command, place: &Place<'_>, plugins: Option<&Path>) -> &'c mut Command {
    let description = &place.testbed.description;
    let folders = plugins.into_iter().chain(description.kubectl.parent()).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap_or_default();
    command.env("PATH", path).env("KUBECONFIG", &description.kubeconfig).env("KUBERC", "off").env("LC_ALL", "C.UTF-8")
}
