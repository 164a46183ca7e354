//! `image-wrong-platform`

use crate::facts::ImageAnswer;
use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Finding, Rule};
use serde_json::Value;

declare_rule! {
    /// ## What it does
    ///
    /// Finds images that were not built for the nodes that the pod asks for: `kubernetes.io/arch` or `kubernetes.io/os` in its `nodeSelector`, or `os.name`, against the
    /// platforms that the registry names (`podsight check --registry`).
    ///
    /// ## What happens without a change
    ///
    /// `ImagePullBackOff`, "no match for platform in manifest", where the image is for several platforms; else it is pulled and its program cannot be started: "exec
    /// format error", `CrashLoopBackOff`.
    ///
    /// ## Example
    ///
    /// The registry has `app:amd64` for `linux/amd64` alone.
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   nodeSelector: {kubernetes.io/arch: arm64}
    ///   containers: [{name: app, image: "registry.example.com/app:amd64"}]
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml,clean
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: app}
    /// spec:
    ///   nodeSelector: {kubernetes.io/arch: amd64}
    ///   containers: [{name: app, image: "registry.example.com/app:amd64"}]
    /// ```
    ///
    /// ## Known limits
    ///
    /// Only with `--registry`. Silent where the pod does not say which nodes it wants, and where the image's platform is not known. Node affinities are not read.
    ImageWrongPlatform {
        id: "image-wrong-platform", group: "image", certainty: Certain, predicts: [ImageWrongPlatform],
        en: "an image that was not built for the nodes the pod asks for", zh: "镜像不是为 Pod 要求的节点平台构建的", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let pod = subject.workload.pod;
    let selected = |label: &str| pod.get("nodeSelector").and_then(|labels| labels.get(label)).and_then(Value::as_str);
    let os = selected("kubernetes.io/os").or_else(|| pod.pointer("/os/name").and_then(Value::as_str));
    let architecture = selected("kubernetes.io/arch");
    if os.is_none() && architecture.is_none() {
        return;
    }
    for container in subject.containers {
        let Some(image) = container.image() else { continue };
        let ImageAnswer::Present { platforms } = subject.facts.image(image) else { continue };
        let fits = |platform: &String| {
            let (built_os, built_for) = platform.split_once('/').unwrap_or_default();
            os.is_none_or(|os| os == built_os) && architecture.is_none_or(|architecture| architecture == built_for)
        };
        if platforms.is_empty() || platforms.iter().any(fits) {
            continue;
        }
        let wanted = format!("{}/{}", os.unwrap_or("*"), architecture.unwrap_or("*"));
        let (wanted, built) = (shown(&wanted, 30), shown(&platforms.join(", "), 60));
        let image = shown(image, 40);
        findings.push(
            Finding::new(rule, container.at("/image"))
                .within(container)
                .saying(
                    format!("cannot run on {wanted}: {image} is for {}", shown(&built, 30)),
                    format!("无法在 {wanted} 上运行：{image} 只支持 {}", shown(&built, 30)),
                )
                .helped_by(format!("build it for {wanted}; it is there for {built}"), format!("为 {wanted} 构建；现有平台：{built}")),
        );
    }
}
