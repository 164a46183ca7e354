//! `storage-class-missing`

use crate::facts::{Claim, RefKind};
use crate::missing::Missing;
use crate::reference::references;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds claims of a StorageClass that does not exist: in the templates of a StatefulSet, in ephemeral volumes, and behind the claims that the pod's volumes name. Claims that name no class are
    /// found where the cluster has no default class. Classes are looked for in the cluster, where it is asked; among the files of the same run only a class of nearly the same name
    /// that no claim refers to is a sign.
    ///
    /// ## What happens without a change
    ///
    /// The claim stays `Pending` ("storageclass.storage.k8s.io … not found"), and with it the pod: "pod has unbound immediate PersistentVolumeClaims".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: storage.k8s.io/v1
    /// kind: StorageClass
    /// metadata: {name: standard}
    /// provisioner: example.com/disk
    /// ---
    /// apiVersion: v1
    /// kind: PersistentVolumeClaim
    /// metadata: {name: data}
    /// spec: {storageClassName: standrad, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: redis}
    /// spec:
    ///   volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
    ///   containers: [{name: redis, image: "redis:8"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: storage.k8s.io/v1
    /// kind: StorageClass
    /// metadata: {name: standard}
    /// provisioner: example.com/disk
    /// ---
    /// apiVersion: v1
    /// kind: PersistentVolumeClaim
    /// metadata: {name: data}
    /// spec: {storageClassName: standard, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: redis}
    /// spec:
    ///   volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
    ///   containers: [{name: redis, image: "redis:8"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// A class without an object is common for volumes that are made by hand: nothing is said where a free volume of that class is there, or where volumes may not be listed. Whether the provisioner
    /// of a class works is not known.
    StorageClassMissing {
        id: "storage-class-missing", group: "configuration", certainty: Likely, predicts: [PvcUnbound],
        en: "a claim of a StorageClass that does not exist", zh: "引用不存在的 StorageClass 的存储声明", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() {
        return;
    }
    let workload = subject.workload;
    let mut judge = |claim: &Claim, pointer: String| {
        if let Some((en, zh, help)) = unbound(subject, claim) {
            findings.push(Finding::new(rule, pointer).saying(format!("Pending: {en}"), format!("Pending：{zh}")).helped_by(help.0, help.1));
        }
    };
    let list = |value: Option<&'_ Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    for (number, template) in list(workload.object.pointer("/spec/volumeClaimTemplates")).iter().enumerate() {
        judge(&Claim::of(template), field(template, &format!("/spec/volumeClaimTemplates/{number}")));
    }
    for (number, volume) in list(workload.pod.get("volumes")).iter().enumerate() {
        if let Some(template) = volume.pointer("/ephemeral/volumeClaimTemplate") {
            let at = format!("{}/volumes/{number}/ephemeral/volumeClaimTemplate", workload.pod_pointer);
            judge(&Claim::of(template), field(template, &at));
        }
    }
    for reference in
        references(workload, subject.containers).into_iter().filter(|reference| reference.kind == RefKind::PersistentVolumeClaim)
    {
        if let Some(claim) = subject.facts.claim(workload.namespace, reference.name) {
            judge(&claim, reference.pointer);
        }
    }
}

type Pair = (String, String);

/// Why the claim gets no volume, as far as its class tells, and what to do.
fn unbound(subject: &Subject<'_>, claim: &Claim) -> Option<(String, String, Pair)> {
    match claim {
        Claim::Bound | Claim::ByHand => None,
        Claim::WithoutClass => {
            let hopeless = subject.facts.has_default_storage_class() == Some(false) && subject.facts.has_free_volume(None) == Some(false);
            hopeless.then(|| {
                (
                    "the claim names no StorageClass, and none is the default".to_owned(),
                    "存储声明没有指定 StorageClass，也没有默认的".to_owned(),
                    ("name a class, or make one the default".to_owned(), "指定一个类，或把某个类设为默认".to_owned()),
                )
            })
        }
        Claim::OfClass(class) => {
            let missing = Missing::of(subject.facts.object(RefKind::StorageClass, None, class))?;
            let free = subject.facts.has_free_volume(Some(class));
            if free == Some(true) || (missing.in_cluster && free.is_none()) {
                return None;
            }
            let name = shown(class, 40);
            let (en, zh) = missing.words();
            let help = match missing.similar {
                Some(similar) => {
                    (format!("there is {}: did you mean that?", shown(&similar, 60)), format!("有 {}：是否想用它？", shown(&similar, 60)))
                }
                None => ("name a class of the cluster".to_owned(), "使用集群中已有的类".to_owned()),
            };
            Some((
                format!("StorageClass {name} {en}: the claim gets no volume"),
                format!("StorageClass {name} {zh}，存储声明得不到卷"),
                help,
            ))
        }
    }
}

/// Where the class stands in a template of a claim.
fn field(template: &Value, at: &str) -> String {
    if template.pointer("/spec/storageClassName").is_some() { format!("{at}/spec/storageClassName") } else { format!("{at}/spec") }
}
