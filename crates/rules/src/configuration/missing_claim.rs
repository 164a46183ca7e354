//! `missing-claim`

use crate::facts::RefKind;
use crate::missing::Missing;
use crate::reference::references;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds volumes from a PersistentVolumeClaim that does not exist: in the cluster, where it is asked; among the files of the same run only where a claim of
    /// nearly the same name is there that nothing refers to.
    ///
    /// ## What happens without a change
    ///
    /// The scheduler waits: `Pending`, "persistentvolumeclaim … not found".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: PersistentVolumeClaim
    /// metadata: {name: redis-data}
    /// spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: redis}
    /// spec:
    ///   volumes: [{name: data, persistentVolumeClaim: {claimName: redis-date}}]
    ///   containers: [{name: redis, image: "redis:8"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: PersistentVolumeClaim
    /// metadata: {name: redis-data}
    /// spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: redis}
    /// spec:
    ///   volumes: [{name: data, persistentVolumeClaim: {claimName: redis-data}}]
    ///   containers: [{name: redis, image: "redis:8"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Another file of the same `kubectl apply` may make the claim a moment later. Whether a claim that exists gets a volume is the matter of
    /// `storage-class-missing`.
    MissingClaim {
        id: "missing-claim", group: "configuration", certainty: Likely, predicts: [ClaimMissing],
        en: "a PersistentVolumeClaim that does not exist", zh: "不存在的 PersistentVolumeClaim", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() {
        return;
    }
    for reference in references(subject.workload, subject.containers) {
        if reference.kind != RefKind::PersistentVolumeClaim {
            continue;
        }
        let presence = subject.facts.object(reference.kind, subject.workload.namespace, reference.name);
        let Some(missing) = Missing::of(presence) else { continue };
        // A StatefulSet puts a claim of its own in the place of a volume of the same name.
        if is_from_template(subject, &reference.pointer) {
            continue;
        }
        let (en, zh) = missing.words();
        let similar = missing.similar;
        let name = shown(reference.name, 40);
        let (help_en, help_zh) = match similar {
            Some(similar) => {
                (format!("there is {}: did you mean that?", shown(&similar, 60)), format!("有 {}：是否想用它？", shown(&similar, 60)))
            }
            None => ("create the claim".to_owned(), "创建这个声明".to_owned()),
        };
        findings.push(
            Finding::new(rule, reference.pointer)
                .saying(format!("Pending: PersistentVolumeClaim {name} {en}"), format!("Pending：PersistentVolumeClaim {name} {zh}"))
                .helped_by(help_en, help_zh),
        );
    }
}

/// Whether the volume that a pointer leads into takes its claim from the StatefulSet's templates.
fn is_from_template(subject: &Subject<'_>, pointer: &str) -> bool {
    let Some((volume, _)) = pointer.rsplit_once("/persistentVolumeClaim/") else { return false };
    let name = subject.workload.object.pointer(volume).and_then(|volume| volume.get("name"));
    let templates = subject.workload.object.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
    name.is_some() && templates.into_iter().flatten().any(|template| template.pointer("/metadata/name") == name)
}
