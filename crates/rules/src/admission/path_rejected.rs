//! `path-rejected`

use crate::admission::{list, refused, text};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds paths that the API server refuses: a `subPath`, or the `path` of a key in a volume, that is absolute or has `..` in it, and a mount with both `subPath` and
    /// `subPathExpr`.
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`. For a kind that it does not know (Rollout, DeploymentConfig, Knative) it accepts the object and refuses
    /// its pods: `FailedCreate`.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   volumes: [{name: config, configMap: {name: web}}]
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     volumeMounts: [{name: config, mountPath: /etc/nginx/nginx.conf, subPath: /nginx.conf}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   volumes: [{name: config, configMap: {name: web}}]
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     volumeMounts: [{name: config, mountPath: /etc/nginx/nginx.conf, subPath: nginx.conf}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Paths of ConfigMap, Secret and projected volumes and of mounts are looked at, no others.
    PathRejected {
        id: "path-rejected", group: "admission", certainty: Certain, predicts: [],
        en: "a path that the API server refuses", zh: "API 服务器拒绝的路径", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let pod_pointer = &subject.workload.pod_pointer;
    for (number, volume) in list(subject.workload.pod, "volumes") {
        let at = format!("{pod_pointer}/volumes/{number}");
        for field in ["configMap", "secret"] {
            if let Some(source) = volume.get(field) {
                items(rule, subject, source, &format!("{at}/{field}"), findings);
            }
        }
        for (number, projected) in volume.get("projected").into_iter().flat_map(|projected| list(projected, "sources")) {
            for field in ["configMap", "secret"] {
                if let Some(source) = projected.get(field) {
                    items(rule, subject, source, &format!("{at}/projected/sources/{number}/{field}"), findings);
                }
            }
        }
    }
    for container in subject.containers {
        for (number, mount) in list(container.value, "volumeMounts") {
            let at = container.at(&format!("/volumeMounts/{number}"));
            let mut own = Vec::new();
            for field in ["subPath", "subPathExpr"] {
                own.extend(judge(rule, subject, mount, field, &at));
            }
            let given = |field: &str| text(mount, field).is_some_and(|path| !path.is_empty());
            if given("subPath") && given("subPathExpr") {
                let (en, zh) = refused(subject);
                own.push(
                    Finding::new(rule, format!("{at}/subPathExpr"))
                        .saying(
                            format!("{en}: a mount has both subPath and subPathExpr"),
                            format!("{zh}：挂载同时有 subPath 和 subPathExpr"),
                        )
                        .helped_by("keep one of them", "只保留其中一个"),
                );
            }
            findings.extend(own.into_iter().map(|finding| finding.within(container)));
        }
    }
}

/// The files of a volume.
fn items(rule: &dyn Rule, subject: &Subject<'_>, source: &Value, at: &str, findings: &mut Vec<Finding>) {
    for (number, item) in list(source, "items") {
        findings.extend(judge(rule, subject, item, "path", &format!("{at}/items/{number}")));
    }
}

fn judge(rule: &dyn Rule, subject: &Subject<'_>, value: &Value, field: &str, at: &str) -> Option<Finding> {
    let path = text(value, field)?;
    let what = if path.starts_with('/') {
        ("is absolute", "是绝对路径")
    } else if path.split('/').any(|part| part == "..") {
        ("leads out of the volume", "指向卷之外")
    } else {
        return None;
    };
    let (en, zh) = refused(subject);
    let path = shown(path, 40);
    Some(
        Finding::new(rule, format!("{at}/{field}"))
            .saying(format!("{en}: {field} {path} {}", what.0), format!("{zh}：{field} {path} {}", what.1))
            .helped_by("write it from the volume's root, without / in front and without ..", "从卷的根目录写起，开头不加 /，不含 .."),
    )
}
