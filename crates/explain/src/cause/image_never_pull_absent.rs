//! `image-never-pull-absent`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.troubled() {
        let quote = case.text(container, &["is not present with pull policy of never"]);
        if container.waiting != "ErrImageNeverPull" && quote.is_none() {
            continue;
        }
        let image = image_of(case, container);
        let node = node_name(case);
        let mut candidate = case
            .candidate(Cause::ImageNeverPullAbsent, Level::Container(rank), 96, High)
            .of(container)
            .fact(Case::fact(format!("{}/state/waiting/reason", container.status_pointer), container.waiting))
            .say(say!(case, "The node{node} does not hold `{image}`, and imagePullPolicy Never forbids to pull it. Since Kubernetes 1.35 it may also be there but pulled with credentials that this pod lacks.", "节点{node}上没有“{image}”，而 imagePullPolicy 为 Never，禁止拉取。自 Kubernetes 1.35 起，也可能镜像在节点上，但当初拉取所用的凭据该 Pod 没有。"));
        if let Some(quote) = quote {
            candidate = candidate.quote(quote);
        }
        found.push(
            candidate
                .step(case.read_cluster(
                    &["get", "node", case.pod.node, "-o", "jsonpath={.status.images[*].names}"],
                    say!(
                        case,
                        "Lists the images that the node reports to hold (the largest 50).",
                        "列出节点上报的已有镜像（最大的 50 个）。"
                    ),
                ))
                .step(set_policy(case, container)),
        );
    }
}

fn set_policy(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    let owner = case.owner().filter(|owner| owner.starts_with("deployment/"))?;
    let patch = serde_json::json!({"spec": {"template": {"spec": {container.list(): [{"name": container.name, "imagePullPolicy": "IfNotPresent"}]}}}});
    case.change(
        &["patch", &owner, "-p", &patch.to_string()],
        say!(case, "Lets the node pull the image when it lacks it.", "允许节点在缺少镜像时拉取。"),
    )
}
