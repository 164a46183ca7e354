//! `pull-never`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::ImageRef;
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds `imagePullPolicy: Never`.
    ///
    /// ## What happens without a change
    ///
    /// The kubelet never pulls the image. On each node that does not hold it already the pod stays in `ErrImageNeverPull`; since Kubernetes 1.35 also where
    /// the image is there but was pulled with a secret that this pod does not have. Images that are held are collected when the disk fills.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - {name: web, image: "web:local", imagePullPolicy: Never}
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - {name: web, image: "registry.example.com/web:1.0", imagePullPolicy: IfNotPresent}
    /// ```
    ///
    /// ## Known limits
    ///
    /// On a single node whose images are loaded by hand (kind, minikube) it is what is wanted: turn the rule off there. Silent where no image is named, as in a
    /// patch.
    PullNever {
        id: "pull-never", group: "image", certainty: Likely, predicts: [ImageNeverPullAbsent],
        en: "an image that is never pulled", zh: "从不拉取的镜像", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        if container.value.get("imagePullPolicy").and_then(Value::as_str) != Some("Never") {
            continue;
        }
        // A patch, whose base brings the image, or what `image-invalid` speaks of.
        let Some(image) = container.image().filter(|image| ImageRef::parse(image).is_ok()) else { continue };
        let image = shown(image, 40);
        findings.push(
            Finding::new(rule, container.at("/imagePullPolicy"))
                .within(container)
                .saying(
                    format!("ErrImageNeverPull on each node without {image}: imagePullPolicy Never"),
                    format!("没有 {image} 的节点上会是 ErrImageNeverPull：imagePullPolicy 为 Never"),
                )
                .helped_by(
                    "push the image to a registry and use imagePullPolicy: IfNotPresent",
                    "把镜像推送到仓库，并使用 imagePullPolicy: IfNotPresent",
                ),
        );
    }
}
