//! `image-invalid`

use crate::rule::{Subject, declare_rule};
use crate::text::shown;
use crate::{Certainty, Finding, Rule};
use podsight_spec::{ImageError, ImageRef};

declare_rule! {
    /// ## What it does
    ///
    /// Finds image references that the kubelet cannot parse. It reads them with the grammar that the kubelet uses (github.com/distribution/reference) and
    /// says what is wrong, where the kubelet only says "invalid reference format".
    ///
    /// ## What happens without a change
    ///
    /// The API server accepts the object: it never looks at the reference. The pod is scheduled and stays in `InvalidImageName`; nothing is pulled or
    /// started, and it never recovers by itself.
    ///
    /// ## Example
    ///
    /// ```yaml,warns
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web}
    /// spec:
    ///   containers:
    ///   - name: web
    ///     image: "quay.io/MyTeam/web:"
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
    ///   - name: web
    ///     image: quay.io/myteam/web:1.4
    /// ```
    ///
    /// ## Known limits
    ///
    /// Whether the image exists is not looked up. `MyTeam/web` is valid: an upper-case first part is taken for a registry's host name, and the pull fails later.
    /// What a tool or a person fills in before the manifest is applied (`${TAG}`, `ko://…`, `PROJECT_ID`) is a hint in a file, and certain at the API server.
    /// An absent image is left to the API server, and so is a blank in front or behind in a Pod (in a template `image-whitespace` speaks).
    ImageInvalid {
        id: "image-invalid", group: "image", certainty: Certain, predicts: [ImageNameInvalid],
        en: "an image reference that the kubelet cannot parse", zh: "kubelet 无法解析的镜像引用", check: check,
    }
}

fn check(rule: &dyn Rule, subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    for container in subject.containers {
        let Some(image) = container.image() else { continue };
        let Err(error) = ImageRef::parse(image) else { continue };
        if matches!(error, ImageError::Empty | ImageError::OuterWhitespace) {
            continue;
        }
        // Nobody applies such a file as it is. What has come to the API server is what the pod gets.
        let certainty = if error.is_unfilled() && !subject.facts.is_validated() { Certainty::Hint } else { Certainty::Certain };
        let (en, zh) = why(error);
        let (help_en, help_zh) = help(error, image);
        findings.push(
            Finding::new(rule, container.at("/image"))
                .within(container)
                .at_most(certainty)
                .saying(format!("InvalidImageName: {} {en}", quoted(image)), format!("InvalidImageName：{} {zh}", quoted(image)))
                .helped_by(help_en, help_zh)
                .fixed_by(mended(error, image)),
        );
    }
}

/// The reference that was surely meant.
fn mended(error: ImageError<'_>, image: &str) -> Option<String> {
    let meant = match error {
        // Repositories are lower case everywhere; a tag may not be.
        ImageError::UpperCase(_) => {
            let tag = image.rfind('/').map_or(0, |slash| slash + 1);
            let end = image.get(tag..)?.find([':', '@']).map_or(image.len(), |at| tag + at);
            format!("{}{}", image.get(..end)?.to_lowercase(), image.get(end..)?)
        }
        ImageError::Scheme(scheme) => image.get(scheme.len() + 3..)?.to_owned(),
        _ => return None,
    };
    ImageRef::parse(&meant).is_ok().then_some(meant)
}

fn quoted(image: &str) -> String {
    format!("\"{}\"", shown(image, 44))
}

fn why(error: ImageError<'_>) -> (String, String) {
    match error {
        ImageError::Empty | ImageError::OuterWhitespace | ImageError::Whitespace => ("contains white space".into(), "含有空白字符".into()),
        ImageError::Scheme(scheme) => (format!("begins with {}://", shown(scheme, 10)), format!("以 {}:// 开头", shown(scheme, 10))),
        ImageError::Placeholder(placeholder) => {
            (format!("still holds {}", shown(placeholder, 20)), format!("仍含有未替换的占位符 {}", shown(placeholder, 20)))
        }
        ImageError::Identifier => ("is an image id, not a name".into(), "是镜像 ID，不是名称".into()),
        ImageError::UpperCase(part) => (format!("has upper case in {}", shown(part, 20)), format!("的 {} 含有大写字母", shown(part, 20))),
        ImageError::EmptyTag => ("has nothing behind the colon".into(), "冒号后面没有标签".into()),
        ImageError::Tag(tag) => (format!("has the invalid tag \"{}\"", shown(tag, 20)), format!("的标签 \"{}\" 无效", shown(tag, 20))),
        ImageError::LongTag => ("has a tag over 128 characters".into(), "的标签超过 128 个字符".into()),
        ImageError::Digest(_) => ("has an invalid digest".into(), "的摘要无效".into()),
        ImageError::EmptyComponent => ("has nothing between two slashes".into(), "的斜杠之间有空的部分".into()),
        ImageError::Domain(domain) => {
            (format!("has the invalid registry \"{}\"", shown(domain, 20)), format!("的仓库地址 \"{}\" 无效", shown(domain, 20)))
        }
        ImageError::Component(part) => {
            (format!("has the invalid part \"{}\"", shown(part, 20)), format!("的 \"{}\" 部分无效", shown(part, 20)))
        }
        ImageError::Long => ("has a path over 255 characters".into(), "的仓库路径超过 255 个字符".into()),
    }
}

fn help(error: ImageError<'_>, image: &str) -> (String, String) {
    match error {
        ImageError::UpperCase(_) if mended(error, image).is_some() => {
            let lower = shown(&mended(error, image).unwrap_or_default(), 100);
            (format!("repositories are lower case: {lower}"), format!("仓库名必须小写：{lower}"))
        }
        ImageError::Scheme(scheme) => {
            let rest = shown(image.get(scheme.len() + 3..).unwrap_or_default(), 100);
            (format!("leave the scheme out: {rest}"), format!("去掉协议前缀：{rest}"))
        }
        ImageError::EmptyTag => {
            let name = shown(image.trim_end_matches(':'), 100);
            (format!("write {name} with a tag, such as {name}:1.0, or without the colon"), format!("写上标签，例如 {name}:1.0，或去掉冒号"))
        }
        ImageError::Placeholder(_) => ("fill in the image before the manifest is applied".into(), "在应用清单之前填入镜像".into()),
        ImageError::Digest(_) => {
            ("a digest is sha256: and 64 lower-case hexadecimal digits".into(), "摘要是 sha256: 加 64 位小写十六进制数字".into())
        }
        ImageError::Identifier => ("name a repository and a digest: name@sha256:…".into(), "写仓库名加摘要：name@sha256:…".into()),
        ImageError::Tag(_) | ImageError::LongTag => (
            "a tag is at most 128 letters, digits, '_', '.' and '-', and does not begin with '.' or '-'".into(),
            "标签最多 128 个字符，只能用字母、数字、'_'、'.'、'-'，且不能以 '.' 或 '-' 开头".into(),
        ),
        _ => (
            "write [registry[:port]/]name[/name…][:tag][@digest] in lower case, without blanks".into(),
            "写成 [registry[:port]/]name[/name…][:tag][@digest]，小写，不含空白".into(),
        ),
    }
}
