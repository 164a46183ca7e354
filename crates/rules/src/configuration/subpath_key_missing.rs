//! `subpath-key-missing`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

declare_rule! {
    /// ## What it does
    ///
    /// Finds a `subPath` into a ConfigMap or Secret volume whose `items` do not make that file.
    ///
    /// ## What happens without a change
    ///
    /// The kubelet makes an empty directory in place of the missing file. Where the image has a file at the mount path, the runtime cannot mount a directory over
    /// it: `RunContainerError`, "not a directory: Are you trying to mount a directory onto a file?"; else the program finds a directory where it expects a file.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   volumes: [{name: conf, configMap: {name: web, items: [{key: nginx, path: nginx.conf}]}}]
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     volumeMounts: [{name: conf, mountPath: /etc/nginx/nginx.conf, subPath: nginx}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   volumes: [{name: conf, configMap: {name: web, items: [{key: nginx, path: nginx.conf}]}}]
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     volumeMounts: [{name: conf, mountPath: /etc/nginx/nginx.conf, subPath: nginx.conf}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only volumes with `items` are judged.
    SubpathKeyMissing {
        id: "subpath-key-missing", group: "configuration", certainty: Likely, predicts: [VolumeMountFailed],
        en: "a subPath that the volume's items do not make", zh: "卷的 items 中不存在的 subPath", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let any_subpath =
        subject.containers.iter().any(|container| list(container.value, "volumeMounts").any(|mount| mount.get("subPath").is_some()));
    if !any_subpath {
        return;
    }
    // What each volume makes, by name; the first of a name counts. `None`: it makes what is not known.
    let mut volumes: BTreeMap<&str, Option<BTreeSet<&str>>> = BTreeMap::new();
    for volume in list(subject.workload.pod, "volumes") {
        if let Some(name) = volume.get("name").and_then(Value::as_str) {
            volumes.entry(name).or_insert_with(|| made(volume));
        }
    }
    for container in subject.containers {
        for (number, mount) in list(container.value, "volumeMounts").enumerate() {
            let (Some(name), Some(path)) = (mount.get("name").and_then(Value::as_str), mount.get("subPath").and_then(Value::as_str)) else {
                continue;
            };
            let Some(Some(files)) = volumes.get(name) else { continue };
            let path = path.trim_end_matches('/');
            let folder = format!("{path}/");
            let is_folder = files
                .range::<str, (Bound<&str>, Bound<&str>)>((Bound::Included(folder.as_str()), Bound::Unbounded))
                .next()
                .is_some_and(|file| file.starts_with(&folder));
            if path.is_empty() || files.contains(path) || is_folder {
                continue;
            }
            findings.push(
                Finding::new(rule, container.at(&format!("/volumeMounts/{number}/subPath")))
                    .within(container)
                    .saying(
                        format!("RunContainerError (not a directory): volume {} has no file {}", shown(name, 24), shown(path, 24)),
                        format!("RunContainerError（not a directory）：卷 {} 中没有文件 {}", shown(name, 24), shown(path, 24)),
                    )
                    .helped_by("subPath must be the path of one of the volume's items", "subPath 必须是卷 items 中的某个 path"),
            );
        }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The paths of the items of a ConfigMap or Secret volume, where it has items and all have one.
fn made(volume: &Value) -> Option<BTreeSet<&str>> {
    let source = volume.get("configMap").or_else(|| volume.get("secret"))?;
    let paths: Option<BTreeSet<&str>> = list(source, "items").map(|item| item.get("path").and_then(Value::as_str)).collect();
    paths.filter(|paths| !paths.is_empty())
}
