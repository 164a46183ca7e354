//! `missing-pull-secret`

use crate::facts::Presence;
use crate::missing::Missing;
use crate::reference::{Use, references};
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::{Container, ImageRef};

declare_rule! {
    /// ## What it does
    ///
    /// Finds pods whose `imagePullSecrets` do not exist: in the cluster, where it is asked; among the files of the same run only where a Secret of nearly the same name is
    /// there that nothing refers to.
    ///
    /// ## What happens without a change
    ///
    /// The kubelet says `FailedToRetrieveImagePullSecret` in an event and pulls without a password. A registry that wants one refuses: `ErrImagePull`, then
    /// `ImagePullBackOff`, "401 Unauthorized" or "pull access denied".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Secret
    /// metadata: {name: registry-login}
    /// type: kubernetes.io/dockerconfigjson
    /// data: {.dockerconfigjson: e30=}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   imagePullSecrets: [{name: registry-logn}]
    ///   containers: [{name: web, image: "example.com/web:1.0"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Secret
    /// metadata: {name: registry-login}
    /// type: kubernetes.io/dockerconfigjson
    /// data: {.dockerconfigjson: e30=}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   imagePullSecrets: [{name: registry-login}]
    ///   containers: [{name: web, image: "example.com/web:1.0"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Silent where one of the pod's pull secrets exists, and where anybody may pull all its images: Docker's official ones, and those of registries that ask nobody for a
    /// password. Whether another registry wants one is not known, nor what the node's own credentials open.
    MissingPullSecret {
        id: "missing-pull-secret", group: "image", certainty: Likely, predicts: [ImageAccessDenied],
        en: "a pull secret that does not exist", zh: "不存在的镜像拉取 Secret", check: check,
    }
}

/// Registries that serve everybody.
const PUBLIC: [&str; 5] = ["registry.k8s.io", "k8s.gcr.io", "public.ecr.aws", "mcr.microsoft.com", "mirror.gcr.io"];

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    if !subject.facts.knows_objects() || subject.workload.pod.get("imagePullSecrets").is_none() {
        return;
    }
    if subject.containers.iter().filter_map(Container::image).all(is_public) {
        return;
    }
    let mut absent = Vec::new();
    for reference in references(subject.workload, subject.containers).into_iter().filter(|reference| reference.used_in == Use::Pull) {
        match subject.facts.object(reference.kind, subject.workload.namespace, reference.name) {
            // One is enough: which image it is for is not known.
            Presence::Present => return,
            presence => absent.extend(Missing::of(presence).map(|missing| (reference, missing))),
        }
    }
    for (reference, missing) in absent {
        let name = shown(reference.name, 40);
        let (en, zh) = missing.words();
        let help = match missing.similar {
            Some(similar) => {
                (format!("there is {}: did you mean that?", shown(&similar, 60)), format!("有 {}：是否想用它？", shown(&similar, 60)))
            }
            None => (
                "create it with kubectl create secret docker-registry, in the pod's namespace".to_owned(),
                "在 Pod 的命名空间用 kubectl create secret docker-registry 创建它".to_owned(),
            ),
        };
        findings.push(
            Finding::new(rule, reference.pointer)
                .saying(
                    format!("ErrImagePull (401) if private: Secret {name} {en}"),
                    format!("镜像若不公开则 ErrImagePull（401）：Secret {name} {zh}"),
                )
                .helped_by(help.0, help.1),
        );
    }
}

/// Whether anybody may pull the image; what is no image is left to others.
fn is_public(image: &str) -> bool {
    let Ok(reference) = ImageRef::parse(image) else { return true };
    let registry = image.split('/').next().unwrap_or_default();
    reference.is_official(reference.base_name()) || (image.contains('/') && PUBLIC.contains(&registry))
}
