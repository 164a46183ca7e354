//! The evidence in one sentence, as `kubectl describe pod` shows it.

use crate::annotation::{ContainerEvidence, Evidence};
use std::fmt::Write;

/// The longest sentence, in bytes. `kubectl describe` does not wrap it.
const MAX_BYTES: usize = 1024;

/// Which container, how often, at which limit, when last. `None` if nothing was killed.
pub fn sentence(evidence: &Evidence) -> Option<String> {
    let mut parts: Vec<String> =
        evidence.containers.iter().filter(|(_, container)| container.kills > 0).map(|(name, container)| clause(name, container)).collect();
    let unnamed = evidence.unattributed.saturating_add(evidence.omitted);
    if unnamed > 0 {
        parts.push(format!("{} for which no container could be named", times(unnamed)));
    }
    if parts.is_empty() {
        return None;
    }
    let mut text = String::from("The kernel killed for memory: ");
    let all = parts.len();
    for (index, part) in parts.iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        if text.len() + separator.len() + part.len() > MAX_BYTES - 32 {
            let _written = write!(text, "; and {} more", all - index);
            break;
        }
        text.push_str(separator);
        text.push_str(part);
    }
    text.push('.');
    Some(text)
}

fn clause(name: &str, container: &ContainerEvidence) -> String {
    let mut text = if container.verdict == "oom-child-process" {
        format!("a process in container {name} {}", times(container.kills))
    } else {
        format!("container {name} {}", times(container.kills))
    };
    if container.kills > container.incidents && container.incidents > 0 {
        let plural = if container.incidents == 1 { "" } else { "s" };
        let _written = write!(text, " in {} incident{plural}", container.incidents);
    }
    text.push_str(&limit(container));
    if !container.last.is_empty() {
        let _written = write!(text, ", last at {}", container.last);
    }
    if container.verdict == "oom-child-process" && !container.visible {
        text.push_str(", while the container went on");
    }
    text
}

fn limit(container: &ContainerEvidence) -> String {
    let of = container.limit.as_ref().map_or_else(String::new, |limit| format!(" of {limit}"));
    match container.scope.as_deref() {
        Some("container") => format!(" at its own limit{of}"),
        Some("pod") => format!(" at the pod's limit{of}"),
        Some("qos") => " at the limit of its QoS class".to_owned(),
        Some("node-allocatable") => " at the limit of all pods on the node".to_owned(),
        Some("node") => " because the node ran out of memory".to_owned(),
        Some("cgroup") => " at a limit that Kubernetes did not set".to_owned(),
        _ => " at a limit that is not known".to_owned(),
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(kills: u64, scope: &str, verdict: &str) -> ContainerEvidence {
        ContainerEvidence {
            kills,
            incidents: kills,
            last: "2026-11-22T10:05:00Z".to_owned(),
            scope: Some(scope.to_owned()),
            limit: Some("32Mi".to_owned()),
            verdict: verdict.to_owned(),
            ..ContainerEvidence::default()
        }
    }

    fn of(containers: &[(&str, ContainerEvidence)]) -> Option<String> {
        sentence(&Evidence {
            containers: containers.iter().map(|(name, container)| ((*name).to_owned(), container.clone())).collect(),
            ..Evidence::default()
        })
    }

    #[test]
    fn says_who_how_often_at_which_limit_and_when() {
        assert_eq!(
            of(&[("main", container(1, "container", "oom-container-limit"))]).unwrap(),
            "The kernel killed for memory: container main once at its own limit of 32Mi, last at 2026-11-22T10:05:00Z."
        );
        assert_eq!(
            of(&[("main", container(20, "container", "oom-child-process"))]).unwrap(),
            "The kernel killed for memory: a process in container main 20 times at its own limit of 32Mi, last at 2026-11-22T10:05:00Z, while the container went on."
        );
        let group = ContainerEvidence { incidents: 1, ..container(6, "pod", "oom-pod-limit") };
        let node = ContainerEvidence { limit: None, ..container(2, "node", "oom-node") };
        assert_eq!(
            of(&[("a", group), ("b", node)]).unwrap(),
            "The kernel killed for memory: container a 6 times in 1 incident at the pod's limit of 32Mi, last at 2026-11-22T10:05:00Z; \
             container b twice because the node ran out of memory, last at 2026-11-22T10:05:00Z."
        );
    }

    #[test]
    fn nothing_killed_is_no_sentence() {
        assert_eq!(of(&[("main", container(0, "container", "oom-flag-false"))]), None);
    }

    #[test]
    fn many_containers_stay_within_bounds() {
        let containers: Vec<_> = (0..30).map(|n| format!("{}{n:02}", "x".repeat(61))).collect();
        let all: Vec<_> = containers.iter().map(|name| (name.as_str(), container(3, "container", "oom-container-limit"))).collect();
        let text = of(&all).unwrap();
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        assert!(text.ends_with(" more."), "{text}");
    }
}
