//! A storm: pods whose processes are killed faster than the kernel tells of it, with the kernel's own counters for the truth.

use crate::each::Place;
use crate::evidence::{events, main_of, on};
use crate::hand;
use anyhow::{Context as _, Result, bail, ensure};
use podsight_testbed::description::{self, Cgroup};
use podsight_tests::testbed::{SYSTEM, items, text, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Pods of one storm, and of one every day on an emulated node, which starts a pod in ten seconds.
const PODS: usize = 12;
const FEW_PODS: usize = 4;
/// The variable that says how many storms of each kind there are, and asks for all of the pods.
pub(crate) const STORMS: &str = "PODSIGHT_STORMS";
/// Kills in each of them.
pub(crate) const KILLS: u64 = 20;

/// How the pods of a storm die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A shell starts a memory eater again and again, and each is killed alone.
    Children,
    /// A shell and its processes are killed as one, once (`memory.oom.group`).
    Groups,
}

/// Whether the agent is killed meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Agent {
    Left,
    Killed,
}

impl Kind {
    /// What each pod runs. It waits for a signal, so that all begin together.
    fn command(self) -> String {
        match self {
            Self::Children => format!(
                "trap : USR1; while true; do sleep 3600 & wait $!; kill $!; for kill in $(seq {KILLS}); do /memory-eater 64; done; done"
            ),
            // The shell, its two kinds of sleepers and the eater.
            Self::Groups => {
                format!("for sleeper in $(seq {}); do sleep 3600 & done; trap : USR1; sleep 3600 & wait $!; /memory-eater 64", KILLS - 3)
            }
        }
    }

    /// Whether the kernel may have counted so many in a pod: it counts the victim of a group kill twice, unless it is gone too soon for that.
    fn may_count(self, kills: u64) -> bool {
        kills == KILLS || self == Self::Groups && kills == KILLS + 1
    }

    fn incidents(self) -> u64 {
        match self {
            Self::Children => KILLS,
            Self::Groups => 1,
        }
    }
}

/// Wakes all pods at once and waits until the kernel has counted what is to come; tells how long that took, and each pod's count.
const STORM: &str = r#"
of() { grep -lE 'UIDS' /proc/[0-9]*/cgroup 2>/dev/null | sed 's/cgroup$/comm/' | xargs grep -lxs sh | cut -d/ -f3; }
root=/proc/1/root/sys/fs/cgroup
if [ -d $root/memory ]; then
  counters=$(find $root/memory -name memory.oom_control | grep -E 'pod(UIDS)')
else
  counters=$(find $root -name memory.events | grep -E 'pod(UIDS)/memory.events$')
fi
sum() { cat $counters | awk '$1 == "oom_kill" { sum += $2 } END { print sum + 0 }'; }
until [ "$(of | wc -l)" = PODS ]; do sleep 0.2; done
# Each has begun to wait.
sleep 1
sleepers=$(of)
agent="AGENT"
before=$(cut -d' ' -f1 /proc/uptime)
kill -USR1 $sleepers
if [ -n "$agent" ]; then
  until [ "$(sum)" -ge AT ]; do sleep 0.05; done
  kill -9 $agent
  echo "killed $agent at $(sum)"
fi
while [ "$(sum)" -lt ALL ]; do sleep 0.1; done
after=$(cut -d' ' -f1 /proc/uptime)
sleep 2
echo "took $before $after"
for counter in $counters; do
  echo "counter $(echo $counter | grep -oE 'UIDS') $(awk '$1 == "oom_kill" { print $2 }' $counter)"
done
# The kernel tells of ten kills in five seconds: the next test's kills are to be told.
sleep 4
"#;

/// Pods that wait for a storm.
pub(crate) struct Pods<'p> {
    place: &'p Place<'p>,
    name: String,
    kind: Kind,
    /// UIDs by name.
    uids: BTreeMap<String, String>,
    /// How many storms they have had.
    storms: u64,
}

impl<'p> Pods<'p> {
    /// Creates them and waits until they run.
    pub(crate) fn create(place: &'p Place<'p>, name: &str, kind: Kind) -> Result<Self> {
        let few = place.node.kind == description::Kind::Guest && std::env::var_os(STORMS).is_none();
        let pods = if few { FEW_PODS } else { PODS };
        let names: Vec<String> = (0..pods).map(|number| format!("{name}-{number}")).collect();
        let items: Vec<Value> = names.iter().map(|name| pod(place, name, kind)).collect();
        place.namespace.create(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())?;
        let uid = |name: String| {
            let pod = place.namespace.until_pod(&name, "runs", |pod| text(pod, "/status/phase") == "Running")?;
            let uid = text(&pod, "/metadata/uid").to_owned();
            Ok((name, uid))
        };
        let uids: Result<_> = names.into_iter().map(uid).collect();
        Ok(Self { place, name: name.to_owned(), kind, uids: uids?, storms: 0 })
    }

    /// Makes a storm in them and waits until everything about it is told. Gives its figures.
    pub(crate) fn storm(&mut self, agent: Agent) -> Result<String> {
        self.storms += 1;
        let (place, round) = (self.place, format!("{}-storm-{}", self.name, self.storms));
        let agent_pod = place.testbed.agent(&place.node.name)?;
        let restarts = restarts(&agent_pod);
        let said = hand::run(place, &round, &self.script(agent, &agent_pod))?;
        let counts = self.kernel_counts(&said)?;

        for pod in self.uids.keys() {
            place
                .namespace
                .until_pod(pod, "has evidence of all its kills", |pod| told(pod) >= Some(KILLS * self.storms))
                .with_context(|| format!("{round}: {said}"))?;
        }
        let account = account(place, &round)?;
        for (pod, uid) in &self.uids {
            self.check(pod, counts.get(uid).copied()).with_context(|| format!("{round}: {said}{account}"))?;
        }
        let after = place.testbed.agent(&place.node.name)?;
        ensure!(text(&after, "/metadata/uid") == text(&agent_pod, "/metadata/uid"), "another agent: {after:#}");
        let killed = u64::from(agent == Agent::Killed);
        ensure!(self::restarts(&after) == restarts + killed, "the agent was not killed {killed} times: {after:#}");
        let took = said.lines().find_map(|line| line.strip_prefix("took ")).and_then(seconds).context("no time in what the hand said")?;
        let killed = said.lines().find(|line| line.starts_with("killed ")).unwrap_or("agent left alone");
        let pods = self.uids.len();
        let all = pods as u64 * KILLS;
        Ok(format!("{} {round}: {all} kills in {took:.1} s, all on their {pods} pods; {killed}; {account}", place.node.name))
    }

    /// Lets them go.
    pub(crate) fn delete(self) -> Result<()> {
        let names: Vec<&str> = self.uids.keys().map(String::as_str).collect();
        self.place.namespace.kubectl(&[&["delete", "pod", "--wait=false", "--grace-period=1"], names.as_slice()].concat()).map(drop)
    }

    fn script(&self, agent: Agent, agent_pod: &Value) -> String {
        let pid = match agent {
            Agent::Left => String::new(),
            Agent::Killed => format!("$(processes {} podsight-agent)", text(agent_pod, "/metadata/uid")),
        };
        let storm = KILLS * self.uids.len() as u64;
        let before = storm * (self.storms - 1);
        STORM
            .replace("UIDS", &self.uids.values().map(String::as_str).collect::<Vec<_>>().join("|"))
            .replace("PODS", &self.uids.len().to_string())
            .replace("AGENT", &pid)
            .replace("AT", &(before + storm / 4).to_string())
            .replace("ALL", &(before + storm).to_string())
    }

    /// What the kernel itself has counted in each pod. It is what the load should have brought.
    fn kernel_counts(&self, said: &str) -> Result<BTreeMap<String, u64>> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for line in said.lines().filter_map(|line| line.strip_prefix("counter ")) {
            let (uid, count) = line.split_once(' ').with_context(|| format!("no count in {line:?}"))?;
            *counts.entry(uid.to_owned()).or_default() += count.parse::<u64>().with_context(|| format!("no count in {line:?}"))?;
        }
        let expected = |uid| counts.get(uid).and_then(|count| count.checked_sub(KILLS * (self.storms - 1)));
        ensure!(self.uids.values().all(|uid| expected(uid).is_some_and(|kills| self.kind.may_count(kills))), "not this storm: {said}");
        Ok(counts)
    }

    /// Holds the evidence on a pod against the kernel's count.
    fn check(&self, name: &str, count: Option<u64>) -> Result<()> {
        let evidence = on(&self.place.namespace.get(&["pod", name])?).context("there is evidence")?;
        let number = |field| main_of(&evidence, field).and_then(Value::as_u64);
        let wanted = [KILLS, self.kind.incidents()].map(|number| Some(number * self.storms));
        ensure!([number("kills"), number("incidents")] == wanted, "{name}: {evidence:#}");
        // One key is the container's, the other the pod's; the pod has had no other container.
        let counted = evidence.get("counted").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values);
        ensure!(counted.into_iter().all(|counted| counted.as_u64() == count), "{name} and not {count:?}: {evidence:#}");
        // `lost` may be more than 0: what the ring no longer held when the agent was back is known from the container's counter, and counted above.
        let unattributed = evidence.get("unattributed").and_then(Value::as_u64);
        ensure!(unattributed == Some(0), "{name}: {evidence:#}");
        let others = evidence.get("containers").and_then(Value::as_object).map(serde_json::Map::len);
        ensure!(others == Some(1), "{name}: {evidence:#}");
        let events = events(self.place, name)?;
        ensure!(items(&events).len() == 1, "{name} has {} Events, not one: {events:#}", items(&events).len());
        Ok(())
    }
}

/// Whether each container on cgroup v2 is killed as a whole or a process at a time. The kubelet writes it at the start of a container.
pub(crate) fn kills_single_processes(place: &Place<'_>, name: &str, is_single: bool) -> Result<()> {
    if place.node.cgroup == Cgroup::V1 {
        bail!("cgroup v1 knows no group kill");
    }
    let script = format!(
        r#"file=/proc/1/root/opt/kubelet.json
        sed -i 's/"singleProcessOOMKill":[a-z]*,//; s/^{{/{{"singleProcessOOMKill":{is_single},/' $file
        grep -c '"singleProcessOOMKill":{is_single}' $file
        old=$(pidof kubelet)
        kill $old
        until new=$(pidof kubelet) && [ "$new" != "$old" ]; do sleep 0.5; done"#
    );
    hand::run(place, name, &script).map(drop)
}

fn pod(place: &Place<'_>, name: &str, kind: Kind) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": place.node.name},
            "restartPolicy": "Always", "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": false,
            // Else all ends with the first process of the container, before the kernel has come to each.
            "shareProcessNamespace": kind == Kind::Groups,
            "containers": [{
                "name": "main", "image": "podsight.test/memory-eater:1", "imagePullPolicy": "Never",
                "command": ["sh", "-c", kind.command()], "resources": {"limits": {"memory": "32Mi"}, "requests": {"cpu": "1m"}},
            }],
        },
    })
}

/// What the evidence tells of the container.
fn told(pod: &Value) -> Option<u64> {
    main_of(&on(pod)?, "kills").and_then(Value::as_u64)
}

/// The agent's account when it has caught up with the kernel's count: it adds up. Others on this machine may be killed all the time.
fn account(place: &Place<'_>, name: &str) -> Result<String> {
    let mut tries = 0;
    until("the agent's account is level with the kernel's count", || {
        tries += 1;
        let metrics = metrics(place, &format!("{name}-metrics-{tries}"), "podsight_agent_account_")?;
        let part = |part: &str| metrics.get(&format!("{part}_kills")).copied().with_context(|| format!("no {part}_kills in {metrics:?}"));
        if part("gap")? != 0 {
            return Ok(None);
        }
        let (kernel, attributed, unattributed) = (part("kernel")?, part("attributed")?, part("unattributed")?);
        let (pending, lost) = (part("pending")?, part("lost")?);
        ensure!(kernel == attributed + unattributed + pending + lost, "{metrics:?}");
        Ok(Some(format!("kernel {kernel} = attributed {attributed} + unattributed {unattributed} + pending {pending} + lost {lost}\n")))
    })
}

/// The agent's metrics whose names begin with `prefix`, by the rest up to the first quote or blank.
pub(crate) fn metrics(place: &Place<'_>, name: &str, prefix: &str) -> Result<BTreeMap<String, i64>> {
    let said = hand::run(place, name, &format!("wget -qO- http://127.0.0.1:{}/metrics", admin_port(place)?))?;
    let lines = said.lines().filter_map(|line| Some((line.strip_prefix(prefix)?, line.rsplit_once(' ')?.1)));
    Ok(lines.filter_map(|(rest, value)| Some((rest.split(['"', ' ']).next()?.to_owned(), value.parse().ok()?))).collect())
}

/// Where the agent of this node serves its metrics, on the node's own loopback.
pub(crate) fn admin_port(place: &Place<'_>) -> Result<u64> {
    let agent = place.testbed.agent(&place.node.name).with_context(|| format!("find the agent in {SYSTEM}"))?;
    let ports = agent.pointer("/spec/containers/0/ports").and_then(Value::as_array).context("the agent has ports")?;
    let admin = ports.iter().find(|port| text(port, "/name") == "admin").context("the agent has an admin port")?;
    admin.get("containerPort").and_then(Value::as_u64).context("the admin port has a number")
}

fn restarts(pod: &Value) -> u64 {
    pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_u64).unwrap_or_default()
}

/// From two readings of the time since boot.
fn seconds(took: &str) -> Option<f64> {
    let (before, after) = took.split_once(' ')?;
    Some(after.parse::<f64>().ok()? - before.parse::<f64>().ok()?)
}
