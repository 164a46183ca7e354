//! What may be changed at all.

use podsight_spec::{Workload, workloads};
use serde_json::Value;

/// Marks the pod of a node's own manifest (`pkg/kubelet/types/pod_update.go: ConfigMirrorAnnotationKey`).
const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";

/// Whether a workload that is created, or updated from `old`, may be changed.
///
/// Not what a controller made: its owner was changed when it was applied, and a `ReplicaSet` that differs from its Deployment's template
/// would be made anew for ever. Only pods of somebody else's controller have no owner that is seen here. Not an update that leaves the pods
/// as they are: a change of the scale must not replace all pods. And not what cannot be changed any more: pods and Jobs that are there.
pub fn is_eligible(workload: &Workload<'_>, old: Option<&Value>) -> bool {
    let object = workload.object;
    let is_mirror = object.pointer("/metadata/annotations").is_some_and(|annotations| annotations.get(MIRROR_ANNOTATION).is_some());
    let is_going = object.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if is_mirror || is_going || workload.is_partial() || is_made(workload) {
        return false;
    }
    let Some(old) = old else { return true };
    if matches!(workload.kind, "Pod" | "Job") {
        return false;
    }
    let known = workloads(old);
    known.iter().all(|old| old.pod_pointer != workload.pod_pointer || old.pod != workload.pod)
}

fn is_made(workload: &Workload<'_>) -> bool {
    let owners = workload.object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let mut controllers = owners.into_iter().flatten().filter(|owner| owner.get("controller") == Some(&Value::Bool(true)));
    controllers.any(|owner| {
        let version = owner.get("apiVersion").and_then(Value::as_str);
        !workload.is_pod() || matches!(version, Some("v1" | "apps/v1" | "batch/v1"))
    })
}
