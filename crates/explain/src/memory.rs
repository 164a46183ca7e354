//! Proof of memory kills: the annotation of the agent, and kernel logs.

use crate::container::bare_id;
use crate::explanation::{Evidence, Source};
use crate::input::Input;
use crate::pod::Pod;
use crate::quote::bounded;
use crate::view::View as _;
use jiff::Timestamp;
use podsight_cause::{Cause, Lang};
use podsight_cgroup::Scope;
use podsight_evidence::annotation;
use podsight_oom::Kill;
use std::collections::HashMap;

/// The kills of a kernel log, found by pod.
#[derive(Debug, Default)]
pub struct KernelKills {
    kills: Vec<Kill>,
    by_pod: HashMap<String, Vec<usize>>,
}

impl KernelKills {
    /// Takes the kills of one log.
    pub fn new(kills: Vec<Kill>) -> Self {
        let mut by_pod: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, kill) in kills.iter().enumerate() {
            for uid in kill.victim_cgroup.as_deref().map(podsight_cgroup::parse).unwrap_or_default().pod_uids {
                by_pod.entry(uid).or_default().push(place);
            }
        }
        Self { kills, by_pod }
    }

    fn of(&self, uid: &str) -> impl Iterator<Item = &Kill> {
        self.by_pod.get(&uid.to_lowercase()).into_iter().flatten().filter_map(|place| self.kills.get(*place))
    }
}

/// Proof that the kernel killed something in a container.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// The container's name; empty where only the pod is known.
    pub(crate) container: String,
    /// The container's id, where the proof is about one run of it.
    pub(crate) container_id: Option<String>,
    pub(crate) scope: Option<Scope>,
    pub(crate) limit: Option<String>,
    pub(crate) kills: u64,
    pub(crate) last: Option<Timestamp>,
    /// Whether the API ever showed the container as ended by it.
    pub(crate) visible: Option<bool>,
    pub(crate) verdict: Option<Cause>,
    pub(crate) evidence: Vec<Evidence>,
}

/// All proof about a pod: the annotation's first.
pub(crate) fn proofs(pod: &Pod<'_>, input: &Input<'_>) -> Vec<Proof> {
    let mut proofs = from_annotation(pod, input.lang);
    if let Some(kills) = input.kills.filter(|_| !pod.uid.is_empty()) {
        proofs.extend(from_kernel(pod, kills));
    }
    proofs
}

fn from_annotation(pod: &Pod<'_>, lang: Lang) -> Vec<Proof> {
    // What the agent did not write, or another release did, is no evidence.
    let Ok(found) = annotation::read(pod.annotation(annotation::OOM)) else { return Vec::new() };
    let pointer = |name: &str| format!("/metadata/annotations/{}#/containers/{name}", annotation::OOM.replace('/', "~1"));
    let unattributed = found.unattributed;
    let mut proofs: Vec<Proof> = found
        .containers
        .into_iter()
        // A flag cannot be called false while a kill of the pod has found no container.
        .filter(|(_, found)| found.kills > 0 || unattributed == 0)
        .map(|(name, found)| {
            let zh = lang == Lang::Zh;
            let mut said = match (found.kills, zh) {
                (0, true) => format!("内核没有杀死任何进程，截至 {}", found.last),
                (0, false) => format!("the kernel killed nothing in it up to {}", found.last),
                (kills, true) => format!("内核杀死 {kills} 次，最近 {}", found.last),
                (kills, false) => format!("kernel kills {kills}, last {}", found.last),
            };
            let keys = if zh { ["范围", "上限", "峰值"] } else { ["scope", "limit", "peak"] };
            for (key, value) in keys.into_iter().zip([&found.scope, &found.limit, &found.peak]) {
                if let Some(value) = value {
                    append!(said, ", {key} {value}");
                }
            }
            let evidence = vec![Evidence { source: Source::Annotation, pointer: pointer(&name), text: bounded(&said, 400) }];
            Proof {
                container: name,
                container_id: None,
                scope: found.scope.as_deref().and_then(scope_of),
                limit: found.limit,
                kills: found.kills,
                last: crate::view::time(&found.last),
                visible: Some(found.visible),
                verdict: Cause::from_id(&found.verdict),
                evidence,
            }
        })
        .collect();
    if unattributed > 0 {
        let text = match lang {
            Lang::En => format!("kernel kills {unattributed} in this pod, for which no container could be named"),
            Lang::Zh => format!("内核在该 Pod 中杀死 {unattributed} 次，无法确定属于哪个容器"),
        };
        let pointer = format!("/metadata/annotations/{}#/unattributed", annotation::OOM.replace('/', "~1"));
        proofs.push(Proof {
            container: String::new(),
            container_id: None,
            scope: None,
            limit: None,
            kills: unattributed,
            last: None,
            visible: None,
            verdict: None,
            evidence: vec![Evidence { source: Source::Annotation, pointer, text }],
        });
    }
    proofs
}

fn scope_of(name: &str) -> Option<Scope> {
    Some(match name {
        "container" => Scope::Container,
        "pod" => Scope::Pod,
        "qos" => Scope::Qos,
        "node-allocatable" => Scope::NodeAllocatable,
        "node" => Scope::Node,
        "cgroup" => Scope::Cgroup,
        _ => return None,
    })
}

/// One proof for each container run that the log names.
fn from_kernel(pod: &Pod<'_>, kills: &KernelKills) -> Vec<Proof> {
    let mut proofs: Vec<Proof> = Vec::new();
    for kill in kills.of(pod.uid) {
        let id = kill.victim_cgroup.as_deref().and_then(|path| podsight_cgroup::parse(path).container_id);
        let owner = pod.containers.iter().find(|container| id.as_deref().is_some_and(|id| ran_as(container, id)));
        let scope = match kill.limit_cgroup.as_deref() {
            Some(limit) => podsight_cgroup::parse(limit).scope,
            None => (kill.global == Some(true)).then_some(Scope::Node),
        };
        let record = match (kill.seq, kill.usec) {
            (Some(seq), _) => format!("seq {seq}"),
            (None, Some(usec)) => format!("usec {usec}"),
            (None, None) => format!("incident {}", kill.incident),
        };
        let comm = String::from_utf8_lossy(kill.comm.as_deref().unwrap_or_default()).into_owned();
        let mut said = format!("Killed process {} ({comm})", kill.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string()));
        if let Some(anon) = kill.anon_rss_kb {
            append!(said, ", anon-rss {anon} KiB");
        }
        if let Some(time) = &kill.time {
            append!(said, ", {time}");
        }
        let evidence = Evidence { source: Source::Kernel, pointer: record, text: bounded(&said, 400) };
        if let Some(proof) = proofs.iter_mut().find(|proof| proof.container_id == id && proof.scope == scope) {
            proof.kills += 1;
            if proof.evidence.len() < 5 {
                proof.evidence.push(evidence);
            }
            continue;
        }
        proofs.push(Proof {
            container: owner.map(|container| container.name.to_owned()).unwrap_or_default(),
            container_id: id,
            scope,
            limit: None,
            kills: 1,
            last: None,
            visible: None,
            verdict: None,
            evidence: vec![evidence],
        });
    }
    proofs
}

/// Whether a run of the container had this id.
fn ran_as(container: &crate::container::Container<'_>, id: &str) -> bool {
    let now = bare_id(container.status.text("containerID"));
    let ends = [&container.ended, &container.last].into_iter().flatten().map(|end| end.container_id);
    ends.chain([now]).any(|known| !known.is_empty() && known == id)
}
