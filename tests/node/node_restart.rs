//! An agent that is killed.

use crate::each::{self, Place};
use crate::evidence::{agree, events, main_of, on};
use crate::hand;
use anyhow::{Context as _, Result};
use podsight_testbed::description::Kind;
use podsight_tests::testbed::{SYSTEM, items, text, until};
use serde_json::{Value, json};

#[test]
fn on_the_machine() -> Result<()> {
    each::on(Kind::Machine, "e2e-restart", restart)
}

#[test]
fn in_the_guest() -> Result<()> {
    each::on(Kind::Guest, "e2e-restart", restart)
}

/// Kills the agent, and twice more when it is there again: from the second time on the kubelet waits ten seconds before it starts it, then twenty.
/// Meanwhile it wakes the sleeper, which is killed at its limit.
const KILL: &str = r#"
for round in 1 2 3; do
  until agent=$(processes AGENT_UID podsight-agent) && [ -n "$agent" ]; do sleep 0.2; done
  kill -9 $agent
  while kill -0 $agent 2>/dev/null; do sleep 0.1; done
done
[ -z "$(processes AGENT_UID podsight-agent)" ]
kill -USR1 $(processes SLEEPER_UID sh | head -n 1)
until killed SLEEPER_UID; do sleep 0.1; done
[ -z "$(processes AGENT_UID podsight-agent)" ]
"#;

/// Waits for a signal, then eats.
const SLEEPER: &str = "trap 'exec /memory-eater 64' USR1; while true; do sleep 0.2; done";

fn restart(place: &Place<'_>) -> Result<()> {
    let _agent = place.agent_disturbed()?;
    let known = |pod: &Value| on(pod).is_some_and(|evidence| main_of(&evidence, "visible") == Some(&json!(true)));
    place.create("before", &["/memory-eater", "64"])?;
    place.create("sleeper", &["sh", "-c", SLEEPER])?;
    place.namespace.until_pod("before", "has evidence of an end that the API shows", known)?;
    let before = with_writers(place, "before")?;
    let before_events = items(&events(place, "before")?).to_vec();
    let sleeper = place.namespace.until_pod("sleeper", "runs", |pod| text(pod, "/status/phase") == "Running")?;
    let agent = replaced_agent(place)?;

    let script = KILL.replace("AGENT_UID", text(&agent, "/metadata/uid")).replace("SLEEPER_UID", text(&sleeper, "/metadata/uid"));
    hand::run(place, "killer", &script)?;

    // What happened while it was down is not lost.
    place.namespace.until_pod("sleeper", "has evidence of an end that the API shows", known)?;
    agree(place, "sleeper")?;
    let after = place.testbed.agent(&place.node.name)?;
    assert_eq!(text(&after, "/metadata/uid"), text(&agent, "/metadata/uid"), "the same pod");
    let restarts = |pod: &Value| pod.pointer("/status/containerStatuses/0/restartCount").and_then(Value::as_u64);
    assert_eq!(restarts(&after), restarts(&agent).map(|count| count + 3));
    // And it goes on.
    place.create("after", &["/memory-eater", "64"])?;
    place.namespace.until_pod("after", "has evidence of an end that the API shows", known)?;

    // What was written before is as it was, to the byte and to the moment of writing.
    let still = with_writers(place, "before")?;
    assert_eq!(still.pointer("/metadata/annotations"), before.pointer("/metadata/annotations"));
    assert_eq!(still.pointer("/metadata/labels"), before.pointer("/metadata/labels"));
    assert_eq!(managed(&still)?, managed(&before)?);
    assert_eq!(managed(&still)?.len(), 1);
    assert_eq!(items(&events(place, "before")?), before_events);
    for pod in ["before", "sleeper", "after"] {
        assert_eq!(items(&events(place, pod)?).len(), 1, "{pod}");
    }
    Ok(())
}

/// A new pod of the agent: the kubelet waits longer and longer before it starts the same one again, and the kernel's ring is short.
/// Its checkpoint goes with it, so it reads the whole ring, and what is on the pods has to keep it from writing it again.
fn replaced_agent(place: &Place<'_>) -> Result<Value> {
    let old = place.testbed.agent(&place.node.name)?;
    place.testbed.kubectl.run(&["delete", "pod", "-n", SYSTEM, text(&old, "/metadata/name")])?;
    until("another agent is ready", || {
        // Between the two there is none, or two.
        let Ok(pod) = place.testbed.agent(&place.node.name) else { return Ok(None) };
        let is_ready = pod.pointer("/status/containerStatuses/0/ready") == Some(&json!(true));
        Ok((is_ready && text(&pod, "/metadata/uid") != text(&old, "/metadata/uid")).then_some(pod))
    })
}

/// A pod with the API server's notes on who wrote what, when.
fn with_writers(place: &Place<'_>, pod: &str) -> Result<Value> {
    place.namespace.get(&["pod", pod, "--show-managed-fields"])
}

/// What the API server noted of the agent's writes.
fn managed(pod: &Value) -> Result<Vec<&Value>> {
    let entries = pod.pointer("/metadata/managedFields").and_then(Value::as_array).context("there are managed fields")?;
    Ok(entries.iter().filter(|entry| text(entry, "/manager") == "podsight-agent").collect())
}
