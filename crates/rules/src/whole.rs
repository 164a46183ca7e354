//! Whether an object is whole, or a part that others complete.

use podsight_spec::Workload;
use serde_json::Value;

/// Whether the object says what only a whole one says: patches, and pod templates for other programs, leave it out.
pub(crate) fn stands_alone(workload: &Workload<'_>) -> bool {
    let pod = workload.pod;
    let patches = |value: &Value| value.as_object().is_some_and(|fields| fields.keys().any(|field| field.starts_with('$')));
    let lists = ["containers", "initContainers"].into_iter().filter_map(|field| pod.get(field)).filter_map(Value::as_array);
    if workload.name.is_none() || patches(pod) || lists.flatten().any(patches) {
        return false;
    }
    match workload.kind {
        "Pod" => pod.get("containers").is_some(),
        "Job" | "CronJob" => pod.get("restartPolicy").is_some(),
        _ => workload.object.pointer("/spec/selector").is_some_and(|selector| !selector.is_null()) && labels(workload).is_some(),
    }
}

/// The labels of the template, if it has some.
pub(crate) fn labels<'a>(workload: &Workload<'a>) -> Option<&'a serde_json::Map<String, Value>> {
    workload.pod_metadata()?.get("labels")?.as_object().filter(|labels| !labels.is_empty())
}
