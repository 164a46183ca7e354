//! `image-name-invalid`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        let image = image_of(case, container);
        let short = case.text(container, &["short name mode is enforcing", "short-name \"", "short-name resolution"]);
        let broken = case.text(
            container,
            &[
                "invalid reference format",
                "couldn't parse image",
                "could not parse reference",
                "failed to apply default image tag",
                "repository name must be lowercase",
            ],
        );
        let Some(quote) = broken.or(short) else {
            if container.waiting == "InvalidImageName" {
                found.push(
                    case.candidate(Cause::ImageNameInvalid, Level::Container(rank), 95, High)
                        .of(container)
                        .fact(Case::fact(format!("{}/state/waiting/reason", container.status_pointer), "InvalidImageName"))
                        .fact(Case::fact(format!("{}/image", container.spec_pointer), image.clone()))
                        .say(say!(
                            case,
                            "`{image}` is no valid image reference. It never recovers by itself.",
                            "“{image}”不是合法的镜像引用，不会自行恢复。"
                        ))
                        .step(fix(case, container)),
                );
            }
            continue;
        };
        let summary = if broken.is_some() {
            say!(
                case,
                "`{image}` is no valid image reference: the node cannot even ask for it. It never recovers by itself.",
                "“{image}”不是合法的镜像引用，节点无从拉取，也不会自行恢复。"
            )
        } else {
            say!(
                case,
                "`{image}` names no registry, and this node (CRI-O) insists on full names such as docker.io/library/….",
                "“{image}”没有写镜像仓库域名，而该节点（CRI-O）要求写全名，例如 docker.io/library/…。"
            )
        };
        found.push(
            case.candidate(Cause::ImageNameInvalid, Level::Container(rank), 95, High)
                .of(container)
                .quote(quote)
                .fact(Case::fact(format!("{}/image", container.spec_pointer), image))
                .say(summary)
                .step(fix(case, container)),
        );
    }
}

fn fix(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    let path = format!("{{.spec.{}[?(@.name==\"{}\")].image}}", container.list(), container.name);
    case.read(
        &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
        say!(case, "Shows the reference as the API has it: look for upper case, blanks, https://, an empty tag or a template that was not filled in.", "显示 API 中的引用原文：检查大写字母、空格、https://、空标签或未渲染的模板变量。"),
    )
}
