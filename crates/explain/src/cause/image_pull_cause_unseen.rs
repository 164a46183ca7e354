//! `image-pull-cause-unseen`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.pulling() {
        if !matches!(container.waiting, "ErrImagePull" | "ImagePullBackOff") {
            continue;
        }
        let image = image_of(case, container);
        let message = shown(container.waiting_message);
        // The kubelet's own words of the wait hold no cause until 1.32; behind them, or in their place, are the registry's.
        let words = container.waiting_message.split_once("ErrImagePull: ").map_or(container.waiting_message, |(_, words)| words);
        let unknown = !words.trim().is_empty() && !words.trim_start().to_lowercase().starts_with("back-off pulling image");
        let summary = if unknown {
            let words = shown(words);
            say!(
                case,
                "`{image}` cannot be pulled, and podsight does not know the words that say why: {words}",
                "“{image}”拉取失败，而 podsight 不认识说明原因的这段文字：{words}"
            )
        } else {
            say!(
                case,
                "`{image}` cannot be pulled. Why, is in an event that this input does not hold (before Kubernetes 1.32 the status never says).",
                "“{image}”拉取失败。原因在事件里，而输入里没有（Kubernetes 1.32 之前状态里从不写明）。"
            )
        };
        found.push(
            case.candidate(Cause::ImagePullCauseUnseen, Level::Container(rank), 50, Medium)
                .of(container)
                .fact(Case::fact(format!("{}/state/waiting", container.status_pointer), format!("{}: {message}", container.waiting)))
                .say(summary)
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
