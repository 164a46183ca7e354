//! `subpath-key-missing`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

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
    let list = |value: &'_ Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let any_subpath = subject.containers.iter().any(|container| {
        container.value.get("volumeMounts").and_then(Value::as_array).into_iter().flatten().any(|mount| mount.get("subPath").is_some())
    });
    if !any_subpath {
        return;
    }
    let volumes = list(subject.workload.pod, "volumes");
    for container in subject.containers {
        for (number, mount) in list(container.value, "volumeMounts").iter().enumerate() {
            let (Some(name), Some(path)) = (mount.get("name").and_then(Value::as_str), mount.get("subPath").and_then(Value::as_str)) else {
                continue;
            };
            let Some(volume) = volumes.iter().find(|volume| volume.get("name").and_then(Value::as_str) == Some(name)) else { continue };
            let Some(source) = volume.get("configMap").or_else(|| volume.get("secret")) else { continue };
            let items = list(source, "items");
            let path = path.trim_end_matches('/');
            let made = |item: &Value| {
                item.get("path")
                    .and_then(Value::as_str)
                    .is_none_or(|made| made == path || made.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
            };
            if items.is_empty() || path.is_empty() || items.iter().any(made) {
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
