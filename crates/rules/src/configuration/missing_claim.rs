//! `missing-claim`

use crate::facts::{Presence, RefKind};
use crate::reference::references;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};

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
    /// Whether a claim that exists gets a volume is not looked at.
    MissingClaim {
        id: "missing-claim", group: "configuration", certainty: Certain, predicts: [ClaimMissing],
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
        let (similar, certainty) = match subject.facts.object(reference.kind, subject.workload.namespace, reference.name) {
            Presence::Absent { similar } => (similar, Certainty::Certain),
            Presence::Misspelt { similar } => (Some(similar), Certainty::Likely),
            Presence::Present | Presence::Unknown => continue,
        };
        let name = shown(reference.name, 40);
        let (help_en, help_zh) = match similar {
            Some(similar) => {
                (format!("there is {}: did you mean that?", shown(&similar, 60)), format!("有 {}：是否想用它？", shown(&similar, 60)))
            }
            None => ("create the claim".to_owned(), "创建这个声明".to_owned()),
        };
        findings.push(
            Finding::new(rule, reference.pointer)
                .at_most(certainty)
                .saying(
                    format!("Pending: PersistentVolumeClaim {name} does not exist"),
                    format!("Pending：PersistentVolumeClaim {name} 不存在"),
                )
                .helped_by(help_en, help_zh),
        );
    }
}
