//! Manifests that fail in one way each, and when their pods have come to it.
//!
//! The first lines of a manifest are comments of the form `key: value`:
//!
//! * `until`: the STATUS columns at which the pod is explained, with `|` between them;
//! * `varies`: what of the explanation is not the same each time, as a regular expression;
//! * `event`: a reason of an event that has to be there, and words of its message;
//! * `exit`, `phase`, `ready`, `running`, `disruption`, and at least so many `restarts` and `kills`: what else has to be there;
//! * `at` and `do`: the STATUS column at which something is done to the pod, and what: `delete`, `evict`, or `create` more;
//! * `after`: it is created when no manifest with this `until` is left over;
//! * `kernel-log`: the log of the node's kernel is given to `podsight explain`.

use anyhow::{Context as _, Result, bail};
use podsight_explain::status::{self, ServerVersion};
use podsight_testbed::folders;
use podsight_tests::testbed::{items, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// A manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The cause, which names the file and the pod.
    pub(crate) name: String,
    pub(crate) text: String,
    directives: BTreeMap<String, String>,
}

/// The folder of the manifests of a kind of node.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    Ok(folders::repository()?.join("tests/node").join(name))
}

/// The manifests of a folder, in the order of their names.
pub(crate) fn manifests(name: &str) -> Result<Vec<Manifest>> {
    let folder = folder(name)?;
    let mut manifests = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".yaml").filter(|name| !name.contains('.')) else { continue };
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let head = text.lines().map_while(|line| line.strip_prefix("# ")).filter_map(|line| line.split_once(": "));
        let directives: BTreeMap<String, String> = head.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        if !directives.contains_key("until") {
            bail!("{}: it does not say until when to wait", path.display());
        }
        manifests.push(Manifest { name: name.to_owned(), text, directives });
    }
    manifests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(manifests)
}

impl Manifest {
    /// A line of the head.
    pub(crate) fn directive(&self, key: &str) -> Option<&str> {
        self.directives.get(key).map(String::as_str)
    }

    /// Its pod among others: of its name, or with its name as label.
    pub(crate) fn pod<'l>(&self, list: &'l Value) -> Option<&'l Value> {
        items(list).iter().find(|object| {
            text(object, "/kind") == "Pod"
                && (text(object, "/metadata/name") == self.name || text(object, "/metadata/labels/app") == self.name)
        })
    }

    /// What is to be done to the pod as it is now.
    pub(crate) fn action(&self, pod: &Value) -> Option<&str> {
        let column = status::columns(pod, ServerVersion::NEWEST);
        self.directive("do").filter(|_| self.directive("at") == Some(&column.status))
    }

    /// Whether the pod has come to what it is to be explained for.
    pub(crate) fn reached(&self, pod: &Value, events: &[&Value]) -> bool {
        let columns = status::columns(pod, ServerVersion::NEWEST);
        let statuses: Vec<&Value> = ["/status/initContainerStatuses", "/status/containerStatuses"]
            .iter()
            .filter_map(|list| pod.pointer(list)?.as_array())
            .flatten()
            .collect();
        self.directives.iter().all(|(key, value)| match key.as_str() {
            "until" => value.split('|').any(|status| columns.status == status),
            "phase" => text(pod, "/status/phase") == value,
            "ready" => columns.ready == *value,
            "restarts" => at_least(columns.restarts.try_into().unwrap_or_default(), value),
            "exit" => {
                statuses.iter().any(|status| status.pointer("/state/terminated/exitCode").and_then(Value::as_i64) == value.parse().ok())
            }
            "running" => statuses.iter().any(|status| text(status, "/name") == value && status.pointer("/state/running").is_some()),
            "event" => {
                let (reason, words) = value.split_once(' ').unwrap_or((value, ""));
                events.iter().any(|event| text(event, "/reason") == reason && text(event, "/message").contains(words))
            }
            "kills" => kills(pod).is_some_and(|kills| at_least(kills, value)),
            "disruption" => pod
                .pointer("/status/conditions")
                .and_then(Value::as_array)
                .is_some_and(|conditions| conditions.iter().any(|condition| text(condition, "/reason") == value)),
            _ => true,
        })
    }
}

fn at_least(count: u64, least: &str) -> bool {
    least.parse().is_ok_and(|least: u64| count >= least)
}

/// The kills that the agent has written on a pod.
fn kills(pod: &Value) -> Option<u64> {
    let evidence: Value = serde_json::from_str(text(pod, "/metadata/annotations/podsight.dev~1oom")).ok()?;
    let containers = evidence.get("containers")?.as_object()?;
    Some(containers.values().filter_map(|container| container.get("kills")?.as_u64()).sum())
}
