//! `image-not-found`

use super::prelude::*;

/// What registries say that lack the repository, the tag or the digest.
const SAYS: [&str; 8] = [
    "manifest unknown",
    ": not found",
    "404 not found",
    "name unknown",
    "manifest for ",
    "tag does not exist",
    "repository does not exist in the registry",
    "manifest_unknown",
];

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        let image = image_of(case, container);
        // Harbor names an artifact, and old engines an image, between the words.
        let named = |quote: &Quote| quote.has(&["unknown: artifact ", "error: image "]) && quote.has(&[" not found"]);
        if let Some(quote) = case.texts(container).iter().find(|quote| quote.has(&SAYS) || named(quote)) {
            found.push(
                case.candidate(Cause::ImageNotFound, Level::Container(rank), 88, High)
                    .of(container)
                    .quote(quote)
                    .say(say!(
                        case,
                        "The registry answers but has no `{image}`: the repository, tag or digest does not exist.",
                        "镜像仓库有响应，但没有“{image}”：仓库路径、标签或摘要不存在。"
                    ))
                    .step(pull_elsewhere(case, container))
                    .step(point_to_another(case)),
            );
        } else if let Some(quote) = case.text(container, &["repository does not exist or may require", "does not exist or no pull access"])
        {
            // The registry hides which of the two it is; a pod with a pull secret was meant to be let in.
            let secrets = !case.pod.spec.list("imagePullSecrets").is_empty();
            found.push(
                case.candidate(
                    Cause::ImageNotFound,
                    Level::Container(rank),
                    if secrets { 60 } else { 84 },
                    if secrets { Low } else { Medium },
                )
                .of(container)
                .quote(quote)
                .against(say!(
                    case,
                    "A private repository that this pod may not read gives the same answer.",
                    "该 Pod 无权读取的私有仓库也会返回同样的结果。"
                ))
                .say(say!(
                    case,
                    "`{image}` does not exist, or it is private and the pod has no pull secret for it: the registry does not say which.",
                    "“{image}”不存在，或者它是私有的而 Pod 没有拉取凭据：镜像仓库不区分这两种情况。"
                ))
                .step(pull_elsewhere(case, container)),
            );
        }
    }
}

fn pull_elsewhere(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    case.read_cluster(
        &[
            "get",
            "pods",
            "-A",
            "--field-selector",
            "status.phase=Running",
            "-o",
            "jsonpath={range .items[*].spec.containers[*]}{.image}{\"\\n\"}{end}",
        ],
        say!(
            case,
            "Lists the images that run in this cluster: compare the spelling of the repository and tag.",
            "列出集群中正在运行的镜像：对照仓库路径和标签的拼写。"
        ),
    )
    .filter(|_| !container.image().is_empty())
}

fn point_to_another(case: &Case<'_>) -> Option<Step> {
    let owner = case.owner().filter(|owner| owner.starts_with("deployment/"))?;
    case.change(&["rollout", "undo", &owner], say!(case, "Goes back to the image that worked before.", "回退到之前可用的镜像。"))
}
