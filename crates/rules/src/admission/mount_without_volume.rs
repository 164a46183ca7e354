//! `mount-without-volume`

use crate::admission::{is_pod_template, list, refused, text};
use crate::near::is_near;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;
use std::collections::BTreeSet;

/// The volumes that are searched for the one that was meant.
const MOST_SEARCHED: usize = 64;

declare_rule! {
    /// ## What it does
    ///
    /// Finds mounts of a volume that the pod does not have (volumes, and the claim templates of a StatefulSet).
    ///
    /// ## What happens without a change
    ///
    /// The API server refuses the object at `kubectl apply`. For a kind that it does not know (Rollout, DeploymentConfig, Knative) it accepts the object and refuses
    /// its pods: `FailedCreate`. In a StatefulSet of older servers the pods are refused instead.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     volumeMounts: [{name: data, mountPath: /data}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   volumes: [{name: data, emptyDir: {}}]
    ///   containers:
    ///   - name: web
    ///     image: nginx:1.27
    ///     volumeMounts: [{name: data, mountPath: /data}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Volumes that the server adds by itself (`kube-api-access-…`, `default-token-…`) are let through, and so are patches and kinds of others.
    MountWithoutVolume {
        id: "mount-without-volume", group: "admission", certainty: Certain, predicts: [],
        en: "a mount of a volume that is not there", zh: "挂载了不存在的卷", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // What is behind a kind of others may add volumes of its own.
    if subject.workload.is_partial() || !is_pod_template(subject.workload) {
        return;
    }
    let volumes: BTreeSet<&str> = list(subject.workload.pod, "volumes")
        .filter_map(|(_, volume)| text(volume, "name"))
        .chain(
            subject
                .workload
                .object
                .pointer("/spec/volumeClaimTemplates")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|claim| claim.pointer("/metadata/name").and_then(Value::as_str)),
        )
        .collect();
    for container in subject.containers {
        for field in ["volumeMounts", "volumeDevices"] {
            for (number, mount) in list(container.value, field) {
                let Some(name) = text(mount, "name") else { continue };
                if volumes.contains(name) || name.starts_with("kube-api-access-") || name.starts_with("default-token-") {
                    continue;
                }
                let (en, zh) = refused(subject);
                // With so many volumes the search for a slip would take too long.
                let similar = volumes.iter().take(MOST_SEARCHED).find(|volume| is_near(name, volume));
                let help = similar.map_or_else(
                    || ("add it to volumes".to_owned(), "把它加到 volumes".to_owned()),
                    |similar| (format!("did you mean {}?", shown(similar, 40)), format!("是否想写 {}？", shown(similar, 40))),
                );
                findings.push(
                    Finding::new(rule, container.at(&format!("/{field}/{number}/name")))
                        .within(container)
                        .saying(
                            format!("{en}: mounts volume {}, which the pod lacks", shown(name, 40)),
                            format!("{zh}：挂载的卷 {} 不存在", shown(name, 40)),
                        )
                        .helped_by(help.0, help.1),
                );
            }
        }
    }
}
