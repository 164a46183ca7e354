//! The checks that the level `restricted` has besides.

use super::baseline::is_profile;
use super::{Pod, Violation, violation};
use serde_json::Value;

/// Sources of volumes that are allowed.
const VOLUMES: [&str; 9] =
    ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"];

pub(super) fn violations(pod: &Pod<'_>) -> Vec<Violation> {
    let windows = pod.allows_since(25) && pod.is_windows();
    let found = [
        if windows { None } else { privilege_escalation(pod) },
        if windows || !pod.allows_since(22) { None } else { capabilities(pod) },
        volumes(pod),
        if pod.is_relaxed() { None } else { non_root(pod) },
        if pod.is_relaxed() || !pod.allows_since(23) { None } else { user(pod) },
        if windows || !pod.allows_since(19) { None } else { seccomp(pod) },
    ];
    found.into_iter().flatten().collect()
}

fn privilege_escalation(pod: &Pod<'_>) -> Option<Violation> {
    let setter = pod.containers().find(|setter| setter.set("allowPrivilegeEscalation") != Some(&Value::Bool(false)))?;
    Some(violation("allowPrivilegeEscalation != false", place(setter.context, &setter.pointer, "allowPrivilegeEscalation")))
}

fn capabilities(pod: &Pod<'_>) -> Option<Violation> {
    let setter = pod.containers().find(|setter| {
        !setter.capabilities("drop").any(|name| name == "ALL") || setter.capabilities("add").any(|name| name != "NET_BIND_SERVICE")
    })?;
    Some(violation("unrestricted capabilities", place(setter.context, &setter.pointer, "capabilities")))
}

fn volumes(pod: &Pod<'_>) -> Option<Violation> {
    let is_set = |volume: &Value, source: &str| volume.get(source).is_some_and(|value| !value.is_null());
    let volumes = pod.get("volumes").and_then(Value::as_array)?;
    // A volume without a source is an emptyDir.
    let is_sourced =
        |volume: &Value| volume.as_object().is_some_and(|fields| fields.iter().any(|(key, value)| key != "name" && !value.is_null()));
    let bad = |volume: &&Value| is_sourced(volume) && !VOLUMES.iter().any(|source| is_set(volume, source));
    let number = volumes.iter().position(|volume| bad(&volume))?;
    Some(violation("restricted volume types", pod.at(&format!("/volumes/{number}"))))
}

fn non_root(pod: &Pod<'_>) -> Option<Violation> {
    const FIELD: &str = "runAsNonRoot";
    const REASON: &str = "runAsNonRoot != true";
    if let Some(setter) = pod.setters().find(|setter| setter.set(FIELD) == Some(&Value::Bool(false))) {
        return Some(violation(REASON, setter.at(FIELD)));
    }
    if pod.pod().is_true(FIELD) {
        return None;
    }
    let setter = pod.containers().find(|setter| !setter.is_true(FIELD))?;
    Some(violation(REASON, place(setter.context, &setter.pointer, FIELD)))
}

fn user(pod: &Pod<'_>) -> Option<Violation> {
    let setter = pod.setters().find(|setter| setter.set("runAsUser").and_then(Value::as_i64) == Some(0))?;
    Some(violation("runAsUser=0", setter.at("runAsUser")))
}

fn seccomp(pod: &Pod<'_>) -> Option<Violation> {
    const FIELD: &str = "seccompProfile";
    if let Some(setter) = pod.setters().find(|setter| setter.set(FIELD).is_some_and(|profile| !is_profile(profile))) {
        return Some(violation(FIELD, setter.at("seccompProfile/type")));
    }
    if pod.pod().set(FIELD).is_some() {
        return None;
    }
    let setter = pod.containers().find(|setter| setter.set(FIELD).is_none())?;
    Some(violation(FIELD, place(setter.context, &setter.pointer, FIELD)))
}

/// Where the field is, or the nearest place around where it should be.
fn place(context: Option<&Value>, pointer: &str, field: &str) -> String {
    match context {
        Some(context) if context.get(field).is_some() => format!("{pointer}/securityContext/{field}"),
        Some(_) => format!("{pointer}/securityContext"),
        None => pointer.to_owned(),
    }
}
