//! Rules about pods that no node of the cluster can take.
//!
//! A node that is full today may be empty tomorrow, so what its pods take is not counted. A cluster whose nodes come and go with demand may get the node that is missing:
//! there nothing is said.

pub(crate) mod node_selector_unmatched;
pub(crate) mod request_exceeds_nodes;
pub(crate) mod taint_not_tolerated;

mod selector;

use crate::facts::{Node, Taint};
use crate::resources::{self, Amounts};
use crate::rule::Subject;
use podsight_spec::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why no node takes the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unfit {
    /// None has the labels.
    Selector,
    /// Those with the labels have taints; one of them.
    Taint(Taint),
    /// Those with the labels and without taints are too small for these resources.
    Size(Vec<Short>),
}

/// A resource of which no node has enough.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Short {
    resource: String,
    asked: Quantity,
    /// The most that a node has.
    most: Option<Quantity>,
}

/// How the nodes stand to the pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    unfit: Unfit,
    /// All nodes.
    nodes: usize,
}

/// Why no node takes the pod: nothing, where one does or where nobody knows. The filters are asked in the order in which a user can do something about them.
fn verdict(subject: &Subject<'_>) -> Option<Verdict> {
    let workload = subject.workload;
    let pod = workload.pod;
    if !subject.facts.knows_objects() || workload.is_partial() || !is_scheduled_by_default(pod) {
        return None;
    }
    let asked = resources::asked(subject, &[]);
    let (requests, _) = resources::of_pod(pod, &asked);
    // The controller of a DaemonSet makes pods for the nodes that fit, and none for the others.
    let everywhere = workload.kind == "DaemonSet";
    let tolerates_all = everywhere || has_class(pod);
    let selects = |node: &Node| everywhere || selector::matches(pod, node);
    let taint = |node: &Node| if tolerates_all { None } else { node.taints.iter().find(|taint| repels(taint, pod)).cloned() };
    let fits = subject.facts.any_node(&mut |node| selects(node) && taint(node).is_none() && too_small(node, &requests).next().is_none())?;
    if fits {
        return None;
    }
    // Now that it is worth it, every node is looked at for the reason.
    let (mut nodes, mut selected, mut repelled, mut managed) = (0, 0, None, false);
    // How many nodes are too small at all, and for each resource; the scheduler names all resources of which a node has too little.
    let mut small = 0;
    let mut shorts: BTreeMap<&str, (usize, Short)> = BTreeMap::new();
    subject.facts.any_node(&mut |node| {
        nodes += 1;
        managed |= node.is_managed;
        if selects(node) {
            selected += 1;
            if let Some(taint) = taint(node) {
                repelled = repelled.take().or(Some(taint));
                return false;
            }
            small += 1;
            for (name, asked, has) in too_small(node, &requests) {
                let short = || (0, Short { resource: name.to_owned(), asked, most: None });
                let (count, short) = shorts.entry(name).or_insert_with(short);
                *count += 1;
                short.most = short.most.max(has);
            }
        }
        false
    })?;
    if managed || nodes == 0 {
        return None;
    }
    let unfit = if selected == 0 {
        Unfit::Selector
    } else if shorts.is_empty() {
        Unfit::Taint(repelled?)
    } else {
        // What one node lacks and another has: it takes both together, so that the one with the most names it.
        let most = shorts.values().max_by_key(|(_, short)| short.most).map(|(_, short)| short.clone());
        let everywhere: Vec<Short> = shorts.into_values().filter(|(count, _)| *count == small).map(|(_, short)| short).collect();
        Unfit::Size(if everywhere.is_empty() { most.into_iter().collect() } else { everywhere })
    };
    Some(Verdict { unfit, nodes })
}

/// Whether Kubernetes' own scheduler will place the pod, and at once.
fn is_scheduled_by_default(pod: &Value) -> bool {
    let text = |field: &str| pod.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_gated = pod.get("schedulingGates").and_then(Value::as_array).is_some_and(|gates| !gates.is_empty());
    text("nodeName").is_none() && text("schedulerName").is_none_or(|name| name == "default-scheduler") && !is_gated
}

/// A runtime class may bring tolerations.
fn has_class(pod: &Value) -> bool {
    pod.get("runtimeClassName").and_then(Value::as_str).is_some_and(|class| !class.is_empty())
}

/// The resources of which the pod asks for more than the node has for all its pods.
fn too_small<'r>(node: &Node, requests: &'r Amounts<'_>) -> impl Iterator<Item = (&'r str, Quantity, Option<Quantity>)> {
    // A node that has not reported yet, or a test's, says nothing of its size.
    let reported = !node.allocatable.is_empty();
    requests.iter().filter(move |_| reported).filter_map(|(name, asked)| {
        let has = resources::of(&node.allocatable, name);
        // Ephemeral storage is not reported by every kubelet.
        let short = !asked.is_zero() && has.map_or(*name != "ephemeral-storage", |has| *asked > has);
        short.then_some((&**name, *asked, has))
    })
}

/// Whether the taint keeps the pod off the node for good.
fn repels(taint: &Taint, pod: &Value) -> bool {
    let blocks = matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    let tolerations = pod.get("tolerations").and_then(Value::as_array);
    blocks && !taint.is_passing() && !tolerations.into_iter().flatten().any(|toleration| tolerates(toleration, taint))
}

/// `k8s.io/api/core/v1/toleration.go: ToleratesTaint`.
fn tolerates(toleration: &Value, taint: &Taint) -> bool {
    let text = |field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or_default();
    let (effect, key) = (text("effect"), text("key"));
    if (!effect.is_empty() && effect != taint.effect) || (!key.is_empty() && key != taint.key) {
        return false;
    }
    match text("operator") {
        "" | "Equal" => text("value") == taint.value,
        // `Lt` and `Gt` compare numbers where a feature gate allows it: what is not known is taken for tolerated.
        _ => true,
    }
}
