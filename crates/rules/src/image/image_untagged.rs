//! `image-untagged`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::ImageRef;

declare_rule! {
    /// ## What it does
    ///
    /// Finds images without a tag or with the tag `latest`, and without a digest.
    ///
    /// ## What happens without a change
    ///
    /// Nothing fails today. The next push changes what a restart runs, and a broken push breaks the pods that happen to restart.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: nginx}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers: [{name: web, image: "nginx:1.27"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// A hint: shown with `--profile hygiene` alone.
    ImageUntagged {
        id: "image-untagged", group: "image", certainty: Hint, predicts: [AppError],
        en: "an image without a fixed tag", zh: "没有固定标签的镜像", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some(image) = container.image() else { continue };
        let Ok(reference) = ImageRef::parse(image) else { continue };
        if reference.digest.is_none() && matches!(reference.tag, None | Some("latest")) {
            findings.push(
                Finding::new(rule, container.at("/image"))
                    .within(container)
                    .saying(
                        format!("{} changes with the next push: no fixed tag", shown(image, 60)),
                        format!("{} 会随下一次推送改变：没有固定标签", shown(image, 60)),
                    )
                    .helped_by("name a version or a digest", "写明版本或摘要"),
            );
        }
    }
}
