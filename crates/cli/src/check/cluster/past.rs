//! What was killed in the cluster: by the evidence on the pods that are there, and by what the webhook has kept of those that are gone.

use super::ask::reason;
use crate::explain::cluster::Cluster as Kubectl;
use podsight_evidence::annotation;
use podsight_history::{CONFIG_MAP, CONFIG_MAP_KEY, History};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the manifests and the chart install podsight.
const SYSTEM: &str = "podsight-system";

/// Asks for the kills in these namespaces. Pods that may not be read are a note. What the webhook has kept is for who may read it: most may not.
pub(super) fn ask(kubectl: &Kubectl, namespaces: &BTreeSet<String>, notes: &mut Vec<String>) -> History {
    let mut history = History::default();
    if namespaces.is_empty() {
        return history;
    }
    for namespace in namespaces {
        match kubectl.json(&["get", "pods", "-l", annotation::LABEL, "-n", namespace].map(str::to_owned)) {
            Ok(list) => {
                let pods = list.get("items").and_then(Value::as_array).into_iter().flatten();
                pods.for_each(|pod| history.observe_object(pod));
            }
            Err(error) => {
                let reason = reason(&error);
                notes.push(format!("note: killed pods in namespace {namespace} are not known ({reason}): nothing is said about them"));
            }
        }
    }
    let kept = kubectl.json(&["get", "configmaps", CONFIG_MAP, "-n", SYSTEM].map(str::to_owned));
    if let Some(kept) = kept.ok().as_ref().and_then(|map| map.get("data")?.get(CONFIG_MAP_KEY)?.as_str())
        && let Ok(kept) = podsight_history::read(kept)
    {
        history.merge(&kept);
    }
    history.forget(now());
    history
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "what is long past is no reason for a warning")]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(now).unwrap_or(i64::MAX)
}
