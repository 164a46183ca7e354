//! `container-config-cause-unseen`

use super::prelude::*;

pub(super) fn find(case: &Case<'_>, found: &mut Vec<Candidate>) {
    for (rank, container) in case.configuring() {
        let mut candidate =
            case.candidate(Cause::ContainerConfigCauseUnseen, Level::Container(rank), 40, Medium).of(container).fact(Case::fact(
                format!("{}/state/waiting", container.status_pointer),
                format!("CreateContainerConfigError: {}", shown(container.waiting_message)),
            ));
        for (pointer, reference) in references(container).into_iter().take(6) {
            candidate = candidate.fact(Case::fact(pointer, reference));
        }
        let message = shown(container.waiting_message);
        if !message.is_empty() {
            let name = named(case, container);
            found.push(candidate.say(say!(
                case,
                "The kubelet cannot put the configuration of {name} together, and podsight does not know the words that say why: {message}",
                "kubelet 无法生成 {name} 的配置，而 podsight 不认识说明原因的这段文字：{message}"
            )).step(spec_of(case, container)));
            continue;
        }
        found.push(
            candidate
                .say(say!(case, "The kubelet cannot put the configuration of this container together, and the text that says why is not in this input. Look at each ConfigMap, Secret and key that it refers to, then at runAsNonRoot.", "kubelet 无法生成该容器的配置，而输入里没有说明原因的文本。请逐一检查它引用的 ConfigMap、Secret 和键，然后检查 runAsNonRoot。"))
                .step(case.read(&["get", "pod", case.pod.name, "-o", &format!("jsonpath={{.status.{}[*].state.waiting.message}}", container.status_list())], say!(case, "Shows the kubelet's message, which names the reference.", "显示 kubelet 的消息，其中会写明是哪个引用。"))),
        );
    }
}

fn spec_of(case: &Case<'_>, container: &Container<'_>) -> Option<Step> {
    let path = format!("{{.spec.{1}[?(@.name==\"{0}\")].env}} {{.spec.{1}[?(@.name==\"{0}\")].envFrom}}", container.name, container.list());
    case.read(
        &["get", "pod", case.pod.name, "-o", &format!("jsonpath={path}")],
        say!(case, "Shows the environment, to compare with the message.", "显示环境变量的来源，与消息对照。"),
    )
    .filter(|_| !container.name.is_empty())
}
