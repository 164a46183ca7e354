//! `image-pull-cause-unseen`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        if !matches!(container.waiting, "ErrImagePull" | "ImagePullBackOff") {
            continue;
        }
        let image = shown(container.image());
        let message = shown(container.waiting_message);
        found.push(
            case.candidate(Cause::ImagePullCauseUnseen, Level::Container(rank), 50, Medium)
                .of(container)
                .fact(Case::fact(format!("{}/state/waiting", container.status_pointer), format!("{}: {message}", container.waiting)))
                .say(say!(case, "`{image}` cannot be pulled. Why, is in an event that this input does not hold (before Kubernetes 1.32 the status never says).", "“{image}”拉取失败。原因在事件里，而这些输入中没有（Kubernetes 1.32 之前状态里从不写明）。"))
                .step(failed_events(case)),
        );
    }
}

fn failed_events(case: &Case<'_>) -> Option<Step> {
    let selector = format!("involvedObject.name={},reason=Failed", case.pod.name);
    case.read(
        &["get", "events", "--field-selector", &selector],
        say!(
            case,
            "Shows the registry's own words, as long as the events are kept (one hour by default). Give them to podsight with --events.",
            "显示镜像仓库的原话，前提是事件还在（默认保留一小时）。可用 --events 交给 podsight。"
        ),
    )
    .filter(|_| !case.pod.name.is_empty())
}
