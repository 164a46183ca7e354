//! `missing-config-ref`

use crate::facts::{Presence, RefKind};
use crate::missing::Missing;
use crate::reference::{Reference, Use, references};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_cause::Cause;

declare_rule! {
    /// ## What it does
    ///
    /// Finds ConfigMaps, Secrets and keys that a pod cannot do without and that do not exist: in the cluster, where it is asked, else among the files of the same
    /// run. There an absent object alone is no finding (it may be in the cluster), but one of nearly the same name that nothing refers to is: `app-config` in
    /// the pod and `app-configuration` beside it.
    ///
    /// ## What happens without a change
    ///
    /// In the environment: `CreateContainerConfigError`, "configmap … not found" or "couldn't find key …". As a volume: `ContainerCreating` for ever, with
    /// `FailedMount` events. Both go on as soon as the object exists.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: app-configuration}
    /// data: {mode: test}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   containers:
    ///   - {name: app, image: "example.com/app:1.0", envFrom: [{configMapRef: {name: app-config}}]}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: app-config}
    /// data: {mode: test}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   containers:
    ///   - {name: app, image: "example.com/app:1.0", envFrom: [{configMapRef: {name: app-config}}]}
    /// ```
    ///
    /// ## Known limits
    ///
    /// Another file of the same `kubectl apply`, or an operator, may make the object a moment later: the message says "not there now". References marked `optional` are let
    /// through. Objects that kustomize generates or that other controllers make (sealed secrets, external secrets,
    /// certificates) count as existing. A ConfigMap or Secret of a file that holds nothing at all is one that somebody fills: its keys are not known.
    MissingConfigRef {
        id: "missing-config-ref", group: "configuration", certainty: Likely, predicts: [ConfigmapMissing, SecretMissing, ConfigKeyMissing],
        en: "a ConfigMap, Secret or key that does not exist", zh: "不存在的 ConfigMap、Secret 或键", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() {
        return;
    }
    for reference in references(subject.workload, subject.containers) {
        // Of the secrets that images are pulled with, missing-pull-secret speaks.
        if reference.optional || reference.used_in == Use::Pull || !matches!(reference.kind, RefKind::ConfigMap | RefKind::Secret) {
            continue;
        }
        let namespace = subject.workload.namespace;
        // Every namespace is given this one a moment after it is made.
        if reference.kind == RefKind::ConfigMap && reference.name == "kube-root-ca.crt" {
            continue;
        }
        let presence = subject.facts.object(reference.kind, namespace, reference.name);
        if presence == Presence::Present {
            if let Some(key) = reference.key
                && let Presence::Absent { similar } = subject.facts.key(reference.kind, namespace, reference.name, key)
            {
                push_key(rule, subject, &reference, key, similar, findings);
            }
        } else if let Some(missing) = Missing::of(presence)
            // A reference to a key of an object that is missing says no more than the one to the object.
            && (reference.key.is_none() || reference.used_in == Use::Environment)
        {
            push(rule, subject, &reference, missing, findings);
        }
    }
}

fn status(reference: &Reference<'_>) -> &'static str {
    match reference.used_in {
        Use::Environment => "CreateContainerConfigError",
        Use::Volume | Use::Pod | Use::Pull => "ContainerCreating (FailedMount)",
    }
}

fn push(rule: &dyn Rule, subject: &Subject<'_>, reference: &Reference<'_>, missing: Missing, findings: &mut Vec<Finding>) {
    let kind = reference.kind.name();
    let name = shown(reference.name, 40);
    let (en, zh) = missing.words();
    let causes: &'static [Cause] = if reference.kind == RefKind::Secret { &[Cause::SecretMissing] } else { &[Cause::ConfigmapMissing] };
    let (help_en, help_zh) = match missing.similar {
        Some(similar) => {
            (format!("there is {}: did you mean that?", shown(&similar, 60)), format!("有 {}：是否想用它？", shown(&similar, 60)))
        }
        None => ("create it, or mark the reference optional: true".to_owned(), "创建它，或把引用标为 optional: true".to_owned()),
    };
    let finding = Finding::new(rule, reference.pointer.clone())
        .predicting(causes)
        .saying(format!("{}: {kind} {name} {en}", status(reference)), format!("{}：{kind} {name} {zh}", status(reference)))
        .helped_by(help_en, help_zh);
    let container = reference.container.and_then(|number| subject.containers.get(number));
    findings.push(match container {
        Some(container) => finding.within(container),
        None => finding,
    });
}

fn push_key(
    rule: &dyn Rule,
    subject: &Subject<'_>,
    reference: &Reference<'_>,
    key: &str,
    similar: Option<String>,
    findings: &mut Vec<Finding>,
) {
    let kind = reference.kind.name();
    let (name, key) = (shown(reference.name, 40), shown(key, 30));
    let (help_en, help_zh) = match similar {
        Some(similar) => {
            (format!("there is the key {}: did you mean that?", shown(&similar, 60)), format!("有键 {}：是否想用它？", shown(&similar, 60)))
        }
        None => ("add the key, or mark the reference optional: true".to_owned(), "加上这个键，或把引用标为 optional: true".to_owned()),
    };
    let finding = Finding::new(rule, reference.key_pointer.clone())
        .predicting(&[Cause::ConfigKeyMissing])
        .saying(
            format!("{}: {kind} {name} has no key {key}", status(reference)),
            format!("{}：{kind} {name} 没有键 {key}", status(reference)),
        )
        .helped_by(help_en, help_zh);
    let container = reference.container.and_then(|number| subject.containers.get(number));
    findings.push(match container {
        Some(container) => finding.within(container),
        None => finding,
    });
}
