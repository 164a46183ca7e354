//! Pieces of pods, as `jq` and `jsonpath` cut them out: put back where they belong.

use serde_json::{Value, json};

/// The pod that an object without a kind is or is a piece of. Where it is neither, it stays as it is.
pub(super) fn whole(value: Value) -> Value {
    let has = |keys: &[&str]| keys.iter().any(|key| value.get(key).is_some());
    if has(&["metadata", "spec", "status"]) {
        value
    } else if is_container_status(&value) {
        json!({"kind": "Pod", "status": {"containerStatuses": [value]}})
    } else if is_pod_status(&value) {
        json!({"kind": "Pod", "status": value})
    } else if has(&["containers"]) {
        json!({"kind": "Pod", "spec": value})
    } else if is_state(&value) {
        of_state(&value)
    } else if has(&["exitCode"]) {
        of_state(&json!({ "terminated": value }))
    } else if is_wait(&value) {
        of_state(&json!({ "waiting": value }))
    } else {
        value
    }
}

/// The pod whose containers these are, where all of them are statuses of containers.
pub(super) fn containers(values: &[Value]) -> Option<Value> {
    (!values.is_empty() && values.iter().all(is_container_status)).then(|| json!({"kind": "Pod", "status": {"containerStatuses": values}}))
}

/// Whether an object without a kind is a piece of a pod. Some pieces have a reason and a message, as events have.
pub(super) fn is_piece(value: &Value) -> bool {
    value.get("metadata").is_none()
        && value.get("involvedObject").is_none()
        && value.get("regarding").is_none()
        && (is_container_status(value) || is_pod_status(value) || is_state(value) || value.get("exitCode").is_some() || is_wait(value))
}

fn is_container_status(value: &Value) -> bool {
    let object = |key: &str| value.get(key).is_some_and(Value::is_object);
    (object("state") || object("lastState")) && value.get("phase").is_none() && value.get("type").is_none()
}

fn is_pod_status(value: &Value) -> bool {
    ["phase", "containerStatuses", "initContainerStatuses", "qosClass", "podIP", "hostIP"].iter().any(|key| value.get(key).is_some())
}

/// The state of a container: one of three, and nothing else.
fn is_state(value: &Value) -> bool {
    let state = |key: &String| ["running", "terminated", "waiting"].contains(&key.as_str());
    value.as_object().is_some_and(|fields| !fields.is_empty() && fields.keys().all(state))
}

/// What a waiting container has, and an event has not: a reason and at most a message.
fn is_wait(value: &Value) -> bool {
    let known = |key: &String| ["reason", "message"].contains(&key.as_str());
    let reason = value.get("reason").and_then(Value::as_str).unwrap_or_default();
    let waits = reason.ends_with("BackOff")
        || reason.ends_with("Error")
        || reason.ends_with("ImageName")
        || ["ErrImagePull", "ErrImageNeverPull", "ContainerCreating", "PodInitializing", "RegistryUnavailable"].contains(&reason);
    waits && value.as_object().is_some_and(|fields| fields.keys().all(known))
}

fn of_state(state: &Value) -> Value {
    json!({"kind": "Pod", "status": {"containerStatuses": [{ "state": state }]}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_put_back_where_they_belong() {
        let ended = json!({"exitCode": 137, "reason": "OOMKilled"});
        let state = json!({ "terminated": ended });
        let container = json!({"name": "a", "state": state, "restartCount": 1});
        let status = json!({"phase": "Running", "containerStatuses": [container]});
        let pod = json!({"kind": "Pod", "status": status});
        assert_eq!(whole(status), pod);
        assert_eq!(whole(container.clone()), json!({"kind": "Pod", "status": {"containerStatuses": [container]}}));
        assert_eq!(containers(&[container.clone(), container.clone()]).unwrap().pointer("/status/containerStatuses/1"), Some(&container));
        let stated = json!({"kind": "Pod", "status": {"containerStatuses": [{"state": state}]}});
        assert_eq!(whole(state), stated);
        assert_eq!(whole(ended), stated);
        let wait = json!({"reason": "CrashLoopBackOff", "message": "back-off 40s"});
        assert_eq!(whole(wait.clone()).pointer("/status/containerStatuses/0/state/waiting"), Some(&wait));
        assert_eq!(whole(json!({"containers": []})).pointer("/spec/containers"), Some(&json!([])));
    }

    #[test]
    fn what_is_whole_or_something_else_stays() {
        for value in [json!({"metadata": {"name": "a"}, "status": {}}), json!({"a": 1}), json!({})] {
            assert_eq!(whole(value.clone()), value);
        }
        let event = json!({"reason": "FailedMount", "message": "m", "involvedObject": {"name": "a"}});
        assert!(!is_piece(&event) && !is_piece(&json!({"reason": "FailedMount", "message": "m"})));
        assert!(containers(&[]).is_none() && containers(&[json!({"kind": "Pod"})]).is_none());
    }
}
