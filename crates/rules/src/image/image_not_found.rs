//! `image-not-found`

use crate::facts::ImageAnswer;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds images that do not exist: the registry was asked (`podsight check --registry`) and knows no such repository, tag or digest.
    ///
    /// ## What happens without a change
    ///
    /// `ErrImagePull`, then `ImagePullBackOff`, for as long as the image is not there.
    ///
    /// ## Example
    ///
    /// The registry has `app:1.0` and no `app:absent`.
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   containers: [{name: app, image: "registry.example.com/app:absent"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   containers: [{name: app, image: "registry.example.com/app:1.0"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only with `--registry`, and only where the registry itself says that there is none: what it does not let you see, or an answer that did not come, is a problem in
    /// the report and no finding. Silent where the image is never pulled. An image that the nodes hold already runs from there until it is pulled again.
    ImageNotFound {
        id: "image-not-found", group: "image", certainty: Certain, predicts: [ImageNotFound],
        en: "an image that its registry does not have", zh: "镜像仓库中不存在的镜像", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some(image) = container.image() else { continue };
        if container.value.get("imagePullPolicy").and_then(Value::as_str) == Some("Never")
            || subject.facts.image(image) != ImageAnswer::Absent
        {
            continue;
        }
        let image = shown(image, 60);
        findings.push(
            Finding::new(rule, container.at("/image"))
                .within(container)
                .saying(format!("ImagePullBackOff: the registry has no {image}"), format!("ImagePullBackOff：仓库中没有 {image}"))
                .helped_by("push the image, or name one that is there", "推送该镜像，或使用已存在的镜像"),
        );
    }
}
