//! `image-whitespace`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use podsight_spec::ImageRef;

declare_rule! {
    /// ## What it does
    ///
    /// Finds an image with a blank, tab or line break in front or behind, mostly left over from a template or a `|` block.
    ///
    /// ## What happens without a change
    ///
    /// In a Pod the API server refuses it ("must not have leading or trailing whitespace"). In a Deployment, CronJob or any other template it is accepted, and
    /// each of its pods is refused afterwards: `FailedCreate` on the ReplicaSet or Job, no pod at all, and `kubectl apply` said "created".
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers:
    ///       - name: web
    ///         image: "nginx:1.27 "
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec:
    ///       containers:
    ///       - name: web
    ///         image: nginx:1.27
    /// ```
    ///
    /// ## Known limits
    ///
    /// A blank within the reference is found by `image-invalid`. An empty image is left alone: it is filled in later by OpenShift's triggers and by patches.
    ImageWhitespace {
        id: "image-whitespace", group: "image", certainty: Certain, predicts: [ImageNameInvalid],
        en: "white space before or after an image reference", zh: "镜像引用前后有空白字符", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some(image) = container.image() else { continue };
        let trimmed = image.trim();
        if trimmed.len() == image.len() || trimmed.is_empty() {
            continue;
        }
        let (en, zh) = if subject.workload.is_pod() {
            ("refused by the API server: white space around image", "API 服务器会拒绝：镜像前后有空白字符")
        } else {
            ("no pod is made (FailedCreate): white space around image", "无法创建 Pod（FailedCreate）：镜像前后有空白字符")
        };
        findings.push(
            Finding::new(rule, container.at("/image"))
                .within(container)
                .saying(format!("{en} \"{}\"", shown(image, 40)), format!("{zh} \"{}\"", shown(image, 40)))
                .helped_by(format!("write {}", shown(trimmed, 100)), format!("写成 {}", shown(trimmed, 100)))
                .fixed_by(ImageRef::parse(trimmed).is_ok().then(|| trimmed.to_owned())),
        );
    }
}
